"""What several trainings allow to say: intervals over trainings, and the verdicts that follow from them.

All methods are measured on the same digits, so an interval says how much other trainings would differ on
these digits. The bootstrap of `analysis` covers too rarely with three trainings (76 to 87 % instead of 95 %);
here each training is one number and the interval is Student's. One training has no interval.
"""

import warnings

import numpy as np
import pandas as pd

from common.statistics import Interval, check_confidence, difference_interval, mean_interval, ratio_interval

SHARES = (0.05, 0.10, 0.15)  # behind real digits; fixed before the measurement, and all three are reported
MARGIN = 0.10  # two errors count as equal if their ratio is surely within it
OWN_RESIDUAL, DOUBLED_GAIN = 0.05, 0.02  # of the error: what a search may leave


def over_trainings(values, confidence=0.95):
    """Return the mean of one number a training and its Student interval; NaN as limits of one training.

    Parameters
    ----------
    values : array, shape (trainings,)
    confidence : float
        In (0, 1).

    Returns
    -------
    common.statistics.Interval of floats
    """
    values = np.asarray(values, float)
    if len(values) == 1:
        check_confidence(confidence)
        return Interval(float(values[0]), np.nan, np.nan)
    return Interval(*map(float, mean_interval(values, confidence)))


def log_ratios(errors, real, from_start=True):
    """Return the logarithm of a generator's error over that of as many real digits, of each training.

    Parameters
    ----------
    errors : array, shape (trainings, digits, sizes)
        `worth.best_of` of one or more trainings.
    real : array, shape (digits, sizes)
        `worth.best_of` of real digits, at the same sizes.
    from_start : bool
        Whether the logarithm at the first size is taken off. Blur lowers the error by nearly the same factor
        at every size (digits blurred by 0.4 pixels have 0.94 of the error), so it hides missing digits in the
        raw ratio, but not in how the ratio grows.

    Returns
    -------
    array, shape (trainings, sizes)

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    errors, real = np.asarray(errors, float), np.asarray(real, float)
    if errors.ndim != 3 or errors.shape[1:] != real.shape:
        raise ValueError(
            "Errors (trainings, digits, sizes) and those of real digits (digits, sizes) are needed, "
            f"not of shape {errors.shape} and {real.shape}."
        )
    found = np.log(errors.mean(axis=1) / real.mean(axis=0))
    return found - found[:, :1] if from_start else found


def bits_behind(errors, real, bits, share, from_start=True):
    """Return the bits at which each training falls behind real digits by a share.

    Parameters
    ----------
    errors, real, from_start
        As in `log_ratios`.
    bits : increasing sequence of float, shape (sizes,)
        log2 N. Between two of them the logarithm of the ratio is a straight line.
    share : float
        Above 0.

    Returns
    -------
    array, shape (trainings,)
        In the range of `bits`, whose last number stands for "at no size that was measured".
    """
    rising = np.maximum.accumulate(log_ratios(errors, real, from_start), axis=1)
    return np.array([np.interp(np.log1p(share), row, bits) for row in rising])


def pace(errors, real, bits):
    """Return how fast each training falls behind real digits: the slope of the log ratio over the bits.

    It needs no threshold, and blur does not change it. For small numbers it is a share a bit.

    Parameters
    ----------
    errors, real, bits
        As in `bits_behind`.

    Returns
    -------
    array, shape (trainings,)
        Of the straight line of least squares.
    """
    return np.polyfit(bits, log_ratios(errors, real).T, 1)[0]


def worth_in_bits(errors, real, bits):
    """Return at how many bits trainings fall behind real digits by each of `SHARES`, and their pace.

    Parameters
    ----------
    errors, real, bits
        As in `bits_behind`.

    Returns
    -------
    pandas.DataFrame
        A row for each share, from the start ("0.05") and raw ("0.05, raw"), and one for the pace; columns
        mean, low and high of `over_trainings`, bits within the range that was measured.
    """
    rows = {}
    for share in SHARES:
        for suffix, from_start in {"": True, ", raw": False}.items():
            found = over_trainings(bits_behind(errors, real, bits, share, from_start))
            rows[f"{share:.2f}{suffix}"] = Interval(*np.clip(found, bits[0], bits[-1]))
    rows["pace"] = over_trainings(pace(errors, real, bits))
    return pd.DataFrame.from_dict(rows, orient="index", columns=Interval._fields)


def worth_more(ones, others, real, bits):
    """Return whether trainings fall surely later behind than others, whichever of `SHARES` decides.

    Parameters
    ----------
    ones, others : array, shape (trainings, digits, sizes)
        At least two trainings of each.
    real, bits
        As in `bits_behind`.

    Returns
    -------
    bool
        Whether all Welch intervals of the difference, from the start, lie above 0. Where no training of
        either falls behind, nothing is sure.
    """
    pairs = ([bits_behind(errors, real, bits, share) for errors in (ones, others)] for share in SHARES)
    return all(_surely_more(*pair) for pair in pairs)


def _surely_more(ones, others):
    """Return whether the Welch interval of the difference lies above 0; False if it has no limits."""
    with warnings.catch_warnings():
        # Trainings that all reach the end of the range are equal, of which SciPy warns.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        return bool(difference_interval(ones, others).low > 0)


def error_ratio(ones, others):
    """Return the ratio of two errors of the same digits and its interval over the trainings.

    Of a generator over an autoencoder it is the price of realism, of mirrored digits over digits it says
    whether a generator knows digits.

    Parameters
    ----------
    ones, others : array, shape (trainings, digits)
        Positive; the trainings may differ in number.

    Returns
    -------
    common.statistics.Interval of floats
        Of the geometric means over the digits, by `common.statistics.ratio_interval`; with one training of
        either the limits are NaN.

    Raises
    ------
    ValueError
        Other shapes.
    """
    arrays = [np.asarray(x, float) for x in (ones, others)]
    if any(x.ndim != 2 for x in arrays):
        raise ValueError(f"Errors (trainings, digits) are needed, not of shape {[x.shape for x in arrays]}.")
    means = [np.exp(np.log(x).mean(axis=1)) for x in arrays]
    if min(map(len, means)) == 1:
        ratio = np.exp(np.log(means[0]).mean() - np.log(means[1]).mean())
        return Interval(float(ratio), np.nan, np.nan)
    return ratio_interval(*means)


def verdict(ratio, margin=MARGIN):
    """Return what an interval of a ratio allows to say.

    Parameters
    ----------
    ratio : common.statistics.Interval of floats
        `error_ratio`.
    margin : float

    Returns
    -------
    "equal", "larger", "smaller" or "undecided"
        Equal if the whole interval is within 1 / (1 + margin) to 1 + margin; larger or smaller if it lies on
        one side of 1.

    Examples
    --------
    >>> [verdict(Interval(1.05, low, high)) for low, high in ((1.01, 1.09), (1.01, 1.2), (0.9, 1.2))]
    ['equal', 'larger', 'undecided']
    >>> verdict(Interval(1.0, np.nan, np.nan))
    'undecided'
    """
    if ratio.low >= 1 / (1 + margin) and ratio.high <= 1 + margin:
        return "equal"
    return "larger" if ratio.low > 1 else "smaller" if ratio.high < 1 else "undecided"


def check_search(errors, own, full, doubled):
    """Raise ValueError if a search for the nearest image finds too little.

    Parameters
    ----------
    errors : array, shape (digits,)
        Of the digits, by the search.
    own : array, shape (samples,)
        Of the generator's own samples, whose true error is 0.
    full, doubled : array, shape (some digits,)
        Of the same digits, by the search and by one of twice the searches and steps.

    Raises
    ------
    ValueError
        Own samples leave 5 % of the digits' error or more, or the doubled search lowers it by 2 % or more.
    """
    residual, gain = np.mean(own) / np.mean(errors), 1 - np.mean(doubled) / np.mean(full)
    if residual >= OWN_RESIDUAL or gain >= DOUBLED_GAIN:
        raise ValueError(
            f"The search is too short: own samples leave {residual:.1%} of the digits' error (allowed: below "
            f"{OWN_RESIDUAL:.0%}), and twice the search lowers it by {gain:.1%} (allowed: below "
            f"{DOUBLED_GAIN:.0%})."
        )


def over_nearest_digit(coded, latent_size, real, bits):
    """Return the error of codes of whole bits over that of the nearest of as many real digits.

    Parameters
    ----------
    coded : array, shape (trainings, n)
        Mean errors over the digits of latent numbers of 1, 2, ..., n bits (`projection.coded_errors`).
    latent_size : int
    real, bits
        As in `bits_behind`.

    Returns
    -------
    pandas.DataFrame
        Indexed by the bits of a whole code, at most the last of `bits` and at least the first, since there
        are no more real digits; columns mean, low and high of the ratio. It is empty where one bit a number
        is too many: then nothing is claimed.
    """
    line, rows = np.log(np.mean(real, axis=0)), {}
    for each, errors in enumerate(np.transpose(coded), start=1):
        if bits[0] <= each * latent_size <= bits[-1]:
            logs = np.log(errors) - np.interp(each * latent_size, bits, line)
            rows[each * latent_size] = Interval(*np.exp(over_trainings(logs)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=Interval._fields)
