"""All layers of the transforms; importing this module registers them, so saved models with them load."""

from common.fourier import (
    FFT2,
    IFFT2,
    FourierChannels,
    GaussianBlur,
    LowPass,
    RadialSpectrum,
    SpectrumChannels,
)
from common.radon import Backprojection, FilteredBackprojection, Radon
from common.scramble import Scramble
from common.wavelet import DWT2, IDWT2, WaveletDecomposition, WaveletReconstruction

__all__ = [
    "DWT2",
    "FFT2",
    "IDWT2",
    "IFFT2",
    "Backprojection",
    "FilteredBackprojection",
    "FourierChannels",
    "GaussianBlur",
    "LowPass",
    "RadialSpectrum",
    "Radon",
    "Scramble",
    "SpectrumChannels",
    "WaveletDecomposition",
    "WaveletReconstruction",
]
