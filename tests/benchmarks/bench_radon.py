"""Radon transform and filtered backprojection beside scikit-image, torchskradon and one matrix product.

The product of the flat images, or sinograms, with a matrix of random numbers of the size of ours shows the
limit on the cores: all that the transform does besides is in the difference.
"""

from functools import partial
from importlib.util import find_spec

import numpy as np
from keras import ops
from skimage.transform import iradon
from skimage.transform import radon as skimage_radon

from common.radon import filtered_backprojection, radon

ANGLES = np.arange(180.0)


# Images a peer is given, its time scaled to all: scikit-image takes them one by one, torchskradon in batches.
SUBSETS = {"scikit-image": 50, "torchskradon": 1000}


def cases():
    """Yield (task, implementations, target ratio, factors on the time of peers that ran on a subset)."""
    yield from _pair(
        "10,000 images of 28 x 28, 180 angles",
        (10_000, 28, 28, 1),
        {"scikit-image": 100.0},
        {"scikit-image": 60.0},
    )
    yield from _pair("one image of 512 x 512, 180 angles", (1, 512, 512, 1), 3.0, 3.0)
    for task, shape in (("Radon transform", (784, 7200)), ("filtered backprojection", (7200, 784))):
        ours = _ours if task == "Radon transform" else _our_inverse
        implementations = {"ours": partial(ours, (10_000, 28, 28, 1)), "product": partial(_product, shape)}
        yield (
            f"{task}, the bare product of 10,000 x {shape[0]} with {shape[0]} x {shape[1]}",
            implementations,
            None,
        )


def _pair(task, shape, target, inverse_target):
    subsets = {peer: min(count, shape[0]) for peer, count in SUBSETS.items()}
    factors = {peer: shape[0] / count for peer, count in subsets.items()}
    few = {peer: (count, *shape[1:]) for peer, count in subsets.items()}
    forward = {"ours": partial(_ours, shape), "scikit-image": partial(_scikit_image, few["scikit-image"])}
    inverse = {
        "ours": partial(_our_inverse, shape),
        "scikit-image": partial(_scikit_image_inverse, few["scikit-image"]),
    }
    if find_spec("torchskradon"):
        forward["torchskradon"] = partial(_torchskradon, few["torchskradon"])
        inverse["torchskradon"] = partial(_torchskradon_inverse, few["torchskradon"])
    yield f"Radon transform, {task}", forward, target, factors
    yield f"filtered backprojection, {task}", inverse, inverse_target, factors


def _images(shape):
    return np.random.default_rng(0).random(shape, dtype="float32")


def _sinograms(shape):
    return radon(_images(shape), ANGLES)


def _ours(shape):
    images = ops.convert_to_tensor(_images(shape))
    return lambda: ops.convert_to_numpy(radon(images, ANGLES)[-1, -1, -1])


def _our_inverse(shape):
    sinograms = _sinograms(shape)
    return lambda: ops.convert_to_numpy(filtered_backprojection(sinograms, ANGLES)[-1, -1, -1])


def _product(shape):
    values, matrix = (ops.convert_to_tensor(_images(size)) for size in ((10_000, shape[0]), shape))
    return lambda: ops.convert_to_numpy((values @ matrix)[-1, -1])


def _scikit_image(shape):
    images = _images(shape)[..., 0]
    return lambda: [skimage_radon(image, ANGLES, circle=False, preserve_range=True) for image in images]


def _scikit_image_inverse(shape):
    sinograms = ops.convert_to_numpy(_sinograms(shape))[..., 0]
    return lambda: [iradon(sinogram, ANGLES, circle=False) for sinogram in sinograms]


def _torchskradon(shape):
    import torch
    from torchskradon.functional import skradon

    images, angles = _channels_first(_images(shape)), torch.from_numpy(ANGLES)
    return lambda: skradon(images, angles, circle=False, preserve_range=True)


def _torchskradon_inverse(shape):
    import torch
    from torchskradon.functional import skiradon

    sinograms, angles = _channels_first(ops.convert_to_numpy(_sinograms(shape))), torch.from_numpy(ANGLES)
    return lambda: skiradon(sinograms, angles, circle=False)


def _channels_first(x):
    import torch

    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
