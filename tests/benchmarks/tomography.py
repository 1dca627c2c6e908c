"""Prints the table of tomography on a CPU: what each library's operators cost, and how exact they are.

For two tasks and every installed library: the seconds of the forward projection, of its adjoint and of
filtered backprojection (the fastest of several, on all cores, each library in a process of its own); the
error of the dot test, ``|<Ax, y> - <x, A'y>| / (|Ax| |y|)``, the largest of the batch, for noise x and y; the
relative error of a smooth disc that was projected and reconstructed; and the relative difference of the
disc's sinogram from scikit-image's. That difference must be small, or the library measures something else.
"""

import argparse
import importlib.metadata
import json
import os

import numpy as np
from scipy.ndimage import gaussian_filter

from common.experiments import cpu
from tests.benchmarks.__main__ import child, fastest
from tests.benchmarks.projectors import LEFT_OUT, LIBRARIES, detector_length, installed

ANGLES = np.arange(180.0)
TASKS = {"300 images of 28 x 28, 180 angles": (300, 28), "one image of 512 x 512, 180 angles": (1, 512)}
PACKAGES = ("scikit-image", "torch", "torchskradon", "torchtomo", "diffct", "astra-toolbox")
# Of the angles, a library so slow projects only every 30th; its times are scaled to all.
STEPS = {("diffct", 512): 30}
MOST_SECONDS = 1
# Kernels differ in how they read between the pixels; a shift by half a pixel would make 5 %.
TOLERANCE = 0.02


def disc(size):
    """Return a smooth disc off the centre, (1, size, size): an image turned or mirrored would differ."""
    grid = np.arange(size) - size // 2
    inside = np.hypot(grid - 0.05 * size, grid[:, None] + 0.1 * size) <= 0.3 * size
    return gaussian_filter(inside.astype("float32"), 1.5, mode="constant")[None]


def measured(name, batch, size):
    """Return the six numbers of a library: three times in seconds and three errors."""
    step = STEPS.get((name, size), 1)
    angles, make = ANGLES[::step], LIBRARIES[name][1]
    generator = np.random.default_rng(0)
    images = generator.normal(size=(batch, size, size)).astype("float32")
    sinograms = generator.normal(size=(batch, detector_length(size), len(angles))).astype("float32")
    projector = make(size, batch, angles)
    times = [step * seconds for seconds in _seconds(projector, images, sinograms)]
    return *times, dot_test(projector, images, sinograms), *disc_errors(name, size, angles)


def _seconds(projector, images, sinograms):
    images, sinograms = projector.to_images(images), projector.to_sinograms(sinograms)
    yield fastest(lambda: projector.forward(images), MOST_SECONDS)
    yield fastest(lambda: projector.adjoint(sinograms), MOST_SECONDS)
    yield fastest(lambda: projector.reconstruct(sinograms), MOST_SECONDS)


def projected(projector, images):
    """Return the sinograms of images, both in our convention."""
    return projector.scales[0] * projector.from_sinograms(projector.forward(projector.to_images(images)))


def backprojected(projector, sinograms):
    """Return what the adjoint makes of sinograms, both in our convention."""
    return projector.scales[1] * projector.from_images(projector.adjoint(projector.to_sinograms(sinograms)))


def reconstructed(projector, sinograms):
    """Return the filtered backprojections of sinograms, both in our convention."""
    made = projector.reconstruct(projector.to_sinograms(sinograms.astype("float32")))
    return projector.scales[2] * projector.from_images(made)


def dot_test(projector, images, sinograms):
    """Return the largest error of the dot test of a batch."""
    forward, adjoint = projected(projector, images), backprojected(projector, sinograms)
    forward, adjoint, x, y = (a.reshape(len(a), -1).astype("float64") for a in
                              (forward, adjoint, images, sinograms))  # fmt: skip
    products = np.sum(forward * y, axis=1) - np.sum(x * adjoint, axis=1)
    return np.max(np.abs(products) / (np.linalg.norm(forward, axis=1) * np.linalg.norm(y, axis=1)))


def disc_errors(name, size, angles=ANGLES):
    """Return the errors of the disc after a round trip, NaN with few angles, and of its sinogram."""
    image = disc(size)
    projector, reference = (LIBRARIES[library][1](size, 1, angles) for library in (name, "scikit-image"))
    sinogram, expected = projected(projector, image), projected(reference, image)
    difference = _relative(sinogram - expected, expected)
    if difference > TOLERANCE:
        raise ValueError(f"The sinogram of {name} differs by {difference:.2g} from scikit-image's.")
    if len(angles) < len(ANGLES):
        return np.nan, difference
    return _relative(reconstructed(projector, sinogram) - image, image), difference


def _relative(difference, whole):
    return np.linalg.norm(difference) / np.linalg.norm(whole)


def versions():
    """Return the versions of the installed packages that are compared, by name."""
    names = {d.name for d in importlib.metadata.distributions()}
    compared = {name: importlib.metadata.version(name) for name in PACKAGES if name in names}
    return {"tensorflow": importlib.metadata.version("tensorflow")} | compared


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tomography")
    parser.add_argument("--measure", nargs=2, metavar=("TASK", "LIBRARY"))
    if asked := parser.parse_args().measure:
        task, name = asked
        print(json.dumps([float(number) for number in measured(name, *TASKS[task])]))
        return
    print(f"{cpu()}, {os.cpu_count()} cores, {versions()}")
    for task in TASKS:
        print(task, flush=True)
        for name in installed():
            numbers = child("--measure", task, name, program="tests.benchmarks.tomography")
            print(f"  {name:16}" + "".join(f"{number:>12.3g}" for number in numbers), flush=True)
    for name, reason in LEFT_OUT.items():
        print(f"{name} {reason}.")


if __name__ == "__main__":
    main()
