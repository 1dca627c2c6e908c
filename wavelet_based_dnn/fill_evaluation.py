"""What a network makes of the two labels of filled silhouettes, from one score for each pair of them."""

import numpy as np
import tensorflow as tf

from wavelet_based_dnn.fills import ORIENTATIONS


def both(logits):
    """Return the likeliest silhouette and the likeliest orientation, each whatever the other.

    Parameters
    ----------
    logits : array, shape (..., 4 * silhouettes)
        Of `fills.joint_labels`.

    Returns
    -------
    int array, shape (2, ...)
        Of the largest log-sum-exp over the other label.
    """
    pairs = np.reshape(logits, (*np.shape(logits)[:-1], -1, len(ORIENTATIONS)))
    return np.stack([np.logaddexp.reduce(pairs, axis).argmax(-1) for axis in (-1, -2)])


def read_fills(network, scenes, view=tf.identity):
    """Return the silhouette and the orientation that each level names, int (2, levels, n).

    Parameters
    ----------
    network : ScaleNetwork
        Of 40 classes.
    scenes : iterable of SceneSet
    view : callable
        From the images of scenes to what the network reads of them.
    """
    compiled = tf.function(lambda images: network(view(images)), reduce_retracing=True, autograph=False)
    return np.concatenate([both(np.stack(compiled(one.images))) for one in scenes], axis=-1)


def true_fills(scenes):
    """Return the silhouette and the orientation that each scene shows, int (2, n)."""
    return np.stack(divmod(np.concatenate([one.labels for one in scenes]), len(ORIENTATIONS)))
