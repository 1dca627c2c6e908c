"""Whatever a public function of `common` is given as data or names, it returns a result or a ValueError."""

import importlib
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from common.fourier import Spectrum
from common.statistics import Interval

DTYPES = ("float32", "float64", "bool", "uint8", "int64", "float16", "complex64", "str", "object")
FLOATS = st.floats(width=32) | st.sampled_from([0.0, 0.5, 0.95, 1.0, np.nan, np.inf, -np.inf, 1e300])
NUMBERS = st.integers(-3, 9) | FLOATS
WORDS = st.sampled_from(["haar", "db2", "bior2.2", "symmetric", "periodization", "ramp", "mnist", "no such"])
ANYTHING = NUMBERS | WORDS | st.none() | st.booleans()


@st.composite
def arrays(draw, max_dims=5):
    """Arrays of any rank, any size from 0 and any dtype, often images; sometimes with NaN or infinity."""
    images = st.tuples(st.integers(1, 2), st.integers(1, 12), st.integers(1, 12), st.integers(1, 2))
    shapes = hnp.array_shapes(min_dims=0, max_dims=max_dims, min_side=0, max_side=4)
    shape = draw(images | shapes if max_dims > 3 else shapes)
    values = np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape)
    values *= draw(st.sampled_from([1, 1e9]))
    if values.size and draw(st.booleans()):
        values.flat[draw(st.integers(0, values.size - 1))] = draw(FLOATS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return values.astype(draw(st.sampled_from(DTYPES)))


IMAGES, ROWS = arrays(), arrays(max_dims=2)
ANGLES = st.lists(FLOATS, max_size=4) | ROWS | ANYTHING
DETECTORS = st.none() | NUMBERS
SHAPES = st.tuples(st.integers(-1, 9), st.integers(-1, 9)) | ANYTHING
INTERVALS = st.builds(Interval, ROWS, ROWS, ROWS)
SPECTRA = st.builds(Spectrum, IMAGES, IMAGES) | st.tuples(IMAGES, IMAGES)
ORIGINS = st.sampled_from(["corner", "centre"]) | ANYTHING
SUBBANDS = (
    st.tuples(IMAGES, IMAGES, IMAGES, IMAGES)
    | st.tuples(IMAGES, st.tuples(IMAGES, IMAGES, IMAGES))
    | st.lists(IMAGES, max_size=5)
    | IMAGES
)
LEVELS = st.lists(IMAGES | SUBBANDS, max_size=3) | IMAGES


def named(values):
    """Dicts from words, with a few values."""
    return st.dictionaries(WORDS, values, max_size=2)


COLUMNS = hnp.arrays("float64", 4, elements=FLOATS)
TABLES = st.fixed_dictionaries({"group": COLUMNS, "value": COLUMNS}).map(pd.DataFrame)
ARGUMENTS = {
    "experiments.audit.distances": [st.dictionaries(WORDS, NUMBERS | st.lists(NUMBERS)) for _ in range(2)],
    "experiments.audit.verdict": [NUMBERS, NUMBERS, st.booleans()],
    "foreign_weights.read_arrays": [st.binary(max_size=200)],
    "foreign_weights.read_torch": [st.binary(max_size=200)],
    "notebooks.claims.as_table": [st.dictionaries(WORDS | st.text(), ANYTHING | st.text())],
    "data.ImageSet": [IMAGES, st.none() | ROWS],
    "data.is_available": [ANYTHING],
    "data.load_dataset": [ANYTHING],
    "data.load_imagenet_compatible": [ANYTHING],
    "data.load_imagenet_samples": [st.integers(-3, 9) | WORDS | FLOATS],
    "data.load_photograph": [ANYTHING],
    "experiments.conditions.processor": [st.text()],
    "experiments.store.as_json": [ANYTHING | IMAGES | st.lists(NUMBERS)],
    "experiments.store.decoded": [st.dictionaries(WORDS, NUMBERS)],
    "experiments.store.key": [st.dictionaries(WORDS, NUMBERS)],
    "fourier.fft2": [IMAGES],
    "fourier.ifft2": [IMAGES | st.tuples(IMAGES, IMAGES)],
    "fourier.as_channels": [IMAGES | st.tuples(IMAGES, IMAGES), WORDS | st.just("magnitude_phase")],
    "fourier.radial_spectrum": [IMAGES],
    "fourier.low_pass": [IMAGES, NUMBERS],
    "fourier.gaussian_blur": [IMAGES, NUMBERS],
    "fourier.undersample": [IMAGES | SPECTRA, NUMBERS, NUMBERS, st.integers(-1, 9)],
    "fourier.FFT2": [ANYTHING],
    "fourier.IFFT2": [ANYTHING],
    "fourier.FourierChannels": [WORDS | ANYTHING],
    "fourier.SpectrumChannels": [WORDS | ANYTHING],
    "fourier.LowPass": [ANYTHING],
    "fourier.GaussianBlur": [ANYTHING],
    "names.look_up": [WORDS, ANYTHING, st.lists(WORDS, max_size=3) | named(NUMBERS)],
    "pixels.as_bytes": [IMAGES | ANYTHING],
    "plotting.image_grid": [IMAGES, st.none(), st.none() | st.integers(-1, 5)],
    "plotting.heat_map": [ROWS, ROWS, *[st.lists(WORDS, max_size=3)] * 2, *[st.just("")] * 3],
    "plotting.dots": [
        st.dictionaries(WORDS, ROWS, max_size=2),
        st.dictionaries(WORDS, INTERVALS, max_size=2),
        st.just(""),
        st.none() | st.lists(WORDS, max_size=2),
    ],
    "plotting.panels": [
        ROWS,
        st.dictionaries(WORDS, st.dictionaries(WORDS, INTERVALS, max_size=1), max_size=3),
        st.just(""),
        st.none() | WORDS,
        st.booleans(),
        st.none() | st.integers(-1, 4),
    ],
    "plotting.curves": [ROWS, st.dictionaries(WORDS, INTERVALS, max_size=2), st.just(""), st.just("")],
    "pretrained.load_classifier": [WORDS | ANYTHING],
    "radon.transforms.radon": [IMAGES, ANGLES, st.booleans(), DETECTORS],
    "radon.transforms.backproject": [IMAGES, ANGLES, NUMBERS | SHAPES, st.booleans(), DETECTORS],
    "radon.transforms.filtered_backprojection": [
        IMAGES,
        ANGLES,
        WORDS | st.none(),
        NUMBERS | SHAPES,
        st.booleans(),
    ],
    "radon.transforms.Radon": [ANGLES, ANYTHING, DETECTORS],
    "radon.transforms.Backprojection": [ANGLES, NUMBERS | SHAPES, ANYTHING, DETECTORS],
    "radon.transforms.FilteredBackprojection": [ANGLES, ANYTHING, NUMBERS | SHAPES, ANYTHING],
    "scramble.Scrambler": [SHAPES, st.integers(-1, 9), ANYTHING, st.booleans()],
    "scramble.Scramble": [SHAPES, ANYTHING, ANYTHING, ANYTHING],
    "statistics.check_confidence": [FLOATS],
    "statistics.mean_interval": [ROWS, FLOATS],
    "statistics.difference_interval": [ROWS, ROWS, FLOATS],
    "statistics.ratio_interval": [ROWS, ROWS, FLOATS],
    "statistics.share_interval": [ROWS, FLOATS],
    "statistics.bootstrap_interval": [ROWS, st.just(np.mean), FLOATS, st.integers(-1, 9)],
    "statistics.mcnemar": [ROWS, ROWS],
    "statistics.summarise": [TABLES, WORDS | st.just("group"), WORDS | st.just("value")],
    "statistics.best": [TABLES, st.lists(WORDS, max_size=1), st.just(["group"]), WORDS | st.just("value")],
    "statistics.verdicts": [st.dictionaries(WORDS, st.tuples(FLOATS, FLOATS, FLOATS))],
    "validation.as_floating": [IMAGES | ANYTHING, st.integers(0, 5), st.just("x"), st.just("axes")],
    "validation.as_images": [IMAGES | ANYTHING],
    "arguments.as_labels": [ROWS | ANYTHING, st.none() | st.integers(-1, 9), st.none() | st.integers(-1, 9)],
    "validation.as_unit_images": [IMAGES | ANYTHING],
    "arguments.check_seed": [ANYTHING],
    "wavelet.dwt2": [IMAGES, WORDS, WORDS],
    "wavelet.idwt2": [SUBBANDS, WORDS, WORDS],
    "wavelet.wavedec2": [IMAGES, WORDS, st.none() | NUMBERS, WORDS],
    "wavelet.waverec2": [LEVELS, WORDS, WORDS],
    "wavelet.DWT2": [ANYTHING, ANYTHING],
    "wavelet.IDWT2": [ANYTHING, ANYTHING],
    "wavelet.WaveletDecomposition": [ANYTHING, ANYTHING, ANYTHING],
    "wavelet.WaveletReconstruction": [ANYTHING, ANYTHING],
    "widgets.picture": [IMAGES, st.integers(1, 99)],
}


@pytest.mark.fault(
    f"arguments for the {len(ARGUMENTS)} public functions and layers of common that take data or names",
    "a result or a ValueError",
)
@pytest.mark.parametrize("name", ARGUMENTS)
@given(data=st.data())
def test_a_result_or_a_value_error(name, data):
    module, function = name.rsplit(".", 1)
    function = getattr(importlib.import_module(f"common.{module}"), function)
    arguments = [data.draw(strategy) for strategy in ARGUMENTS[name]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*arguments)
        except ValueError as error:
            assert str(error)  # noqa: PT017
