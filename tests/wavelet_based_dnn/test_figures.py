import numpy as np

from tests.common.test_plotting import picture
from wavelet_based_dnn import figures


def test_wavelet_pyramid_draws_pywavelets_decomposition():
    import pywt
    from skimage.data import camera

    coefficients = pywt.wavedec2(camera()[:100, :90] / 255, "db2", level=3)
    figure = figures.wavelet_pyramid(coefficients)
    finest, axis = coefficients[-1][2], figure.axes[0]
    scale = np.quantile(
        np.abs([0, *(x for level in coefficients[1:] for band in level for x in band.flat)]), 0.99
    )
    expected = np.clip(0.5 + finest / (2 * scale), 0, 1)
    mosaic = axis.images[0].get_array()
    np.testing.assert_allclose(mosaic[-finest.shape[0] :, -finest.shape[1] :], expected)
    assert {text.get_text() for text in axis.texts} == {f"c{band}{n}" for band in "HVD" for n in (1, 2, 3)}
    assert picture(figure).std() > 10
