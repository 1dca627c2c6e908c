"""Radon transform and filtered backprojection beside scikit-image and torchskradon."""

import numpy as np


def cases():
    """Yield (task, callables, target ratio, factors on the time of peers that ran on a subset)."""
    rng = np.random.default_rng(0)
    digits = rng.random((10_000, 28, 28, 1), dtype="float32")
    yield from _pair("10,000 images of 28 x 28, 180 angles", digits, 50, 100.0)
    yield from _pair(
        "one image of 512 x 512, 180 angles", rng.random((1, 512, 512, 1), dtype="float32"), 1, 3.0
    )


def _pair(task, images, subset, target):
    from keras import ops

    from common.radon import filtered_backprojection, radon

    def block(x):
        return ops.convert_to_numpy(x[-1, -1, -1])

    angles = np.arange(180.0)
    tensors = ops.convert_to_tensor(images)
    sinograms = radon(tensors, angles)
    scale = dict.fromkeys(("scikit-image", "torchskradon"), len(images) / subset)
    task += f" (peers: {subset}, scaled)" if subset < len(images) else ""
    forward = {"ours": lambda: block(radon(tensors, angles))}
    inverse = {"ours": lambda: block(filtered_backprojection(sinograms, angles))}
    for peer in (_scikit_image, _torchskradon):
        try:
            name, project, reconstruct = peer(
                images[:subset], ops.convert_to_numpy(sinograms[:subset]), angles
            )
        except ImportError:
            continue
        forward[name], inverse[name] = project, reconstruct
    yield f"Radon transform, {task}", forward, target, scale
    yield f"filtered backprojection, {task}", inverse, target, scale


def _scikit_image(images, sinograms, angles):
    from skimage.transform import iradon, radon

    def project():
        return [radon(image[..., 0], angles, circle=False, preserve_range=True) for image in images]

    def reconstruct():
        return [iradon(sinogram[..., 0], angles, circle=False) for sinogram in sinograms]

    return "scikit-image", project, reconstruct


def _torchskradon(images, sinograms, angles):
    import torch
    from torchskradon.functional import skiradon, skradon

    first = [torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))) for x in (images, sinograms)]
    theta = torch.from_numpy(angles)

    def project():
        return skradon(first[0], theta, circle=False, preserve_range=True)

    def reconstruct():
        return skiradon(first[1], theta, circle=False)

    return "torchskradon", project, reconstruct
