"""Shared library of the four studies: data, transforms, training, experiments and plotting."""
