"""The smallest number that succeeds, by bisection."""

import numpy as np


def smallest(succeeds, low, high, rounds=7):
    """Return the smallest number that succeeds, by bisection on a logarithmic scale.

    Parameters
    ----------
    succeeds : callable
        From a number to a bool; where it is True, it must be True of all larger numbers. This is not checked:
        otherwise the result is some number that succeeds, or infinite because `high` is none.
    low, high : float, positive
    rounds : int
        Each takes the root of the ratio between the two, by one call of `succeeds`; `high` is tried first.

    Returns
    -------
    float
        A number that succeeds, with one that does not, or `low`, at most
        ``(high / low) ** (1 / 2 ** rounds)`` times below it; infinite if `high` does not succeed.

    Raises
    ------
    ValueError
        The limits are not positive and ascending.
    """
    if not 0 < low < high:
        raise ValueError(f"low and high must be positive and ascending, not {low} and {high}.")
    if not succeeds(high):
        return np.inf
    for _ in range(rounds):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if succeeds(middle) else (middle, high)
    return high
