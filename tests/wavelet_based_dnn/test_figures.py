import numpy as np

from tests.common.test_plotting import picture
from wavelet_based_dnn import figures


def test_wavelet_pyramid_draws_pywavelets_decomposition():
    import pywt
    from skimage.data import camera

    coefficients = pywt.wavedec2(camera()[:100, :90] / 255, "db2", level=3)
    figure = figures.wavelet_pyramid(coefficients)
    finest = coefficients[-1][2]
    mosaic = figure.axes[0].images[0].get_array()
    expected = 0.5 + finest / (2 * np.abs(finest).max())
    np.testing.assert_allclose(mosaic[-finest.shape[0] :, -finest.shape[1] :], expected)
    assert picture(figure).std() > 10
