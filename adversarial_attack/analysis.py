"""What the tables of this study's experiments say.

The unit is the cell: a photograph, a network and a filter behind which the network recognises the clean
photograph. Cells of one photograph are not independent, so intervals and tests draw photographs.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from adversarial_attack.experiments import JUDGES
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.judges import ATTACKED, NETWORKS
from common.names import look_up
from common.statistics import grouped, mean_interval, share_interval

RESAMPLES = 4_000  # of the bootstrap
FLIPS = 9_999  # of the permutation test; the smallest p-value is 1 / 10,000, which survives Holm's correction
CONFIGURATION = [
    "dataset", "split", "photograph", "method", "attacked", "without", "tier", "gradients", "budget", "seed",
]  # fmt: skip
# The measures of `held_out.HeldOut`; the first number is of pixels a degree
ERRORS = {
    f"{distance}_{kind}": f"FLIP at {degree}, {what}"
    for distance, degree in {"flip": 67, "near": 30}.items()
    for kind, what in {"mean": "mean", "p99": "99th percentile", "window": "worst window"}.items()
} | {"ssimulacra2": "SSIMULACRA2"}
PHOTOGRAPH = ["split", "photograph"]
CELL = [*PHOTOGRAPH, "network", "filter"]
UNBOUNDED = "16/255"  # the tier without a limit on visibility
DEPTHWISE = [name for name in NETWORKS if name != "SqueezeNet"]


def cells(table):
    """Return one row for each record, filter and network of a table of `experiments.fooling`.

    A change more visible than the photograph's JPEG 90 fools nobody here, unless its tier bounds the largest
    change of a value only: without that rule a method could succeed by being seen.

    Returns
    -------
    pandas.DataFrame
        The columns of `CONFIGURATION`, then filter, network, right (the network recognises the clean
        photograph behind the filter) and wrong (it no longer recognises it when attacked).

    Raises
    ------
    ValueError
        A record with another number of decisions than filters times networks.
    """
    per_record = len(FILTER_SET) * len(NETWORKS)
    if any(len(decisions) != per_record for name in ("right", "wrong") for decisions in table[name]):
        raise ValueError(f"Every record needs {per_record} decisions: of each filter and each network.")
    rows = table[CONFIGURATION].iloc[np.repeat(np.arange(len(table)), per_record)].reset_index(drop=True)
    visible = (table["v"].round(3) > 1) & (table["tier"] != UNBOUNDED)
    right, wrong = (
        np.array(table[name].to_list(), bool).reshape(-1, per_record) for name in ("right", "wrong")
    )
    return rows.assign(
        filter=np.tile(np.repeat(list(FILTER_SET), len(NETWORKS)), len(table)),
        network=np.tile(list(NETWORKS), len(table) * len(FILTER_SET)),
        right=right.ravel(),
        wrong=(wrong & ~visible.to_numpy()[:, np.newaxis]).ravel(),
    )


def fooled(cells, by=()):
    """Return the share of recognised cells that are fooled, in percent, with a 95 % interval.

    The cells of all photographs are pooled. The interval is the percentile bootstrap over photographs,
    because cells of one photograph succeed and fail together.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `cells`.
    by : str or sequence of str
        Columns that distinguish the groups.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups in their order ("all" without any): mean, low, high, n (photographs with a
        recognised cell) and cells (how many are recognised). A group without a recognised cell has n = 0 and
        NaN; one photograph has no interval.
    """
    return _by_group(cells, by, lambda rows: _share(by_photograph(rows)))


def lead(cells, control, by=()):
    """Return by how many points more of the same recognised cells are fooled than under a control.

    Parameters
    ----------
    cells, control : pandas.DataFrame
        From `cells`; each of one condition, or of several that `by` distinguishes. A control of a single
        condition is compared with every group. Photographs and cells that only one of both has do not count.
    by : str or sequence of str
        Columns that distinguish the groups.

    Returns
    -------
    pandas.DataFrame
        As of `fooled`, and p: of the two-sided permutation test that exchanges the two conditions of whole
        photographs.

    Raises
    ------
    ValueError
        Several conditions that `by` does not distinguish, or no photograph in common.
    """
    both = _paired(cells, control, by)
    return _by_group(both, by, lambda rows: _difference(by_photograph(rows)))


def net(cells, noise, by=()):
    """Return the `lead` over noise of the same tier.

    Raises
    ------
    ValueError
        As `lead`, and a tier at which there is no noise.
    """
    missing = set(cells["tier"]) - set(noise["tier"])
    if missing:
        raise ValueError(f"There is no noise at the tier {', '.join(sorted(missing))}.")
    both = _paired(cells, noise, by, same=["tier"])
    return _by_group(both, by, lambda rows: _difference(by_photograph(rows)))


def _paired(cells, control, by, same=()):
    """Return the cells with the control's answer beside theirs.

    Returns
    -------
    pandas.DataFrame
        As `cells`, with right (recognised in both conditions), wrong (of these, fooled) and control (of
        these, fooled under the control); a cell that the control lacks is not right.
    """
    on, names = [*CELL, *same], [name for name in _names(by) if name not in CELL]
    _check_single(cells, [*CELL, *names])
    if control.duplicated(on).any():
        on = list(dict.fromkeys([*on, *(name for name in names if name in control)]))
    _check_single(control, on)
    answers = control[[*on, "right", "wrong"]].rename(columns={"right": "eligible", "wrong": "control"})
    both = cells.merge(answers, "left", on)
    if both["eligible"].isna().all():
        raise ValueError("The two conditions have no photograph in common.")
    right = both["right"] & both["eligible"].eq(True)
    return both.assign(right=right, wrong=both["wrong"] & right, control=both["control"].eq(True) & right)


def _check_single(cells, keys):
    if cells.duplicated(keys).any():
        raise ValueError("Several conditions cannot count as one; name what sets them apart in by.")


def by_photograph(cells):
    """Return for each photograph how many cells are right, and how many of them wrong, and control if there.

    A cell that is not right is not counted as wrong either. Photographs without a right cell are left out.
    """
    columns = [name for name in ("right", "wrong", "control") if name in cells]
    recognised = cells[cells["right"]]
    return grouped(recognised, PHOTOGRAPH)[columns].sum()


def joint(cells, by=()):
    """Return the share of photographs, recognised in all their cells, that are fooled in all of them.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `cells`, only of the networks and filters of the set in question.
    by : str or sequence of str
        Columns that distinguish the groups.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups: mean, low, high in percent (Wilson's interval) and n, the photographs
        recognised in all cells. Without any, n is 0 and the rest NaN.

    Raises
    ------
    ValueError
        Several conditions that `by` does not distinguish.
    """
    _check_single(cells, list(dict.fromkeys([*CELL, *_names(by)])))

    def share(rows):
        everywhere = grouped(rows, PHOTOGRAPH)[["right", "wrong"]].all()
        hits = everywhere.loc[everywhere["right"], "wrong"].to_numpy()
        limits = np.array(share_interval(hits)) * 100 if len(hits) else [np.nan] * 3
        return dict(zip(("mean", "low", "high"), limits, strict=True)) | {"n": len(hits)}

    return _by_group(cells, by, share)


def relative_errors(table, reference):
    """Return the errors of `held_out.HeldOut` of each change, divided by those of its photograph's JPEG.

    The largest of a row is the visibility v of the change.

    Parameters
    ----------
    table, reference : pandas.DataFrame
        Of `experiments.fooling` or `reference`: the changes, and the JPEG of the same photographs or more.

    Returns
    -------
    pandas.DataFrame
        Indexed as `table`; columns named by `ERRORS`.

    Raises
    ------
    ValueError
        A photograph without a reference, or with several.
    """
    units = reference.set_index("photograph")
    if not units.index.is_unique or not set(table["photograph"]) <= set(units.index):
        raise ValueError("Each photograph needs one reference.")
    units = units.loc[table["photograph"]]
    errors, unit = ({name: _error(x[field]) for field, name in ERRORS.items()} for x in (table, units))
    return pd.DataFrame({name: errors[name] / unit[name] for name in errors}, table.index)


def _error(measured):
    values = measured.to_numpy(float)
    return 100 - values if measured.name == "ssimulacra2" else values


def holm(p):
    """Return p-values corrected for their number (Holm 1979), in their order.

    Parameters
    ----------
    p : array or pandas.Series, shape (m,)
        A Series keeps its index.

    Raises
    ------
    ValueError
        A p-value outside [0, 1], or NaN.
    """
    values = np.asarray(p, float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1 in one row, unlike {values.tolist()}.")
    order = np.argsort(values)
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1)
    return pd.Series(corrected, p.index) if isinstance(p, pd.Series) else corrected


def relation(attacked, network):
    """Return whether a network was "attacked", is "related" to one that was, or was "never attacked".

    Related networks have depthwise convolutions like one that was attacked; another training of the same
    architecture is one of them.

    Parameters
    ----------
    attacked : key of `judges.ATTACKED`
    network : one of `judges.NETWORKS`
    """
    gave_gradients = look_up("attacked", attacked, ATTACKED)
    if network in gave_gradients:
        return "attacked"
    same_group = network in DEPTHWISE and any(name in DEPTHWISE for name in gave_gradients)
    return "related" if same_group else "never attacked"


def by_judge(table):
    """Return a table of `experiments.transfer` with a row for each judge instead of lists.

    Returns
    -------
    pandas.DataFrame
        With the columns target and target_seed, the judge; fooled and hit in percent of the images that the
        judge recognises; and relation: whether the judge was "attacked itself", is "another seed of it" or
        "another architecture".
    """
    names, seeds = map(list, zip(*JUDGES, strict=True))
    lists = {"target": [names] * len(table), "target_seed": [seeds] * len(table)}
    shares = ["right", "fooled", "hit"]
    rows = table.assign(**lists).explode([*lists, *shares], ignore_index=True)
    rows = rows.astype(dict.fromkeys(shares, float))
    source, target = rows["source"], rows["target"]
    among = (source == target) | (source.str.startswith("all but") & (source != "all but " + target))
    itself = among & (rows["source_seed"] == rows["target_seed"])
    kinds = np.select([itself, among], ["attacked itself", "another seed of it"], "another architecture")
    percent = {name: 100 * rows[name] / rows["right"] for name in ("fooled", "hit")}
    return rows.assign(relation=kinds, **percent)


def net_of_noise(rows, noise):
    """Return rows of `by_judge` with the column net: fooled less what white noise fools of the same judge.

    Parameters
    ----------
    rows, noise : pandas.DataFrame
        From `by_judge`, in points.

    Raises
    ------
    ValueError
        A judge without noise.
    """
    judge = ["dataset", "target", "target_seed"]
    by_noise = noise.set_index(judge)["fooled"]
    found = by_noise.reindex(pd.MultiIndex.from_frame(rows[judge])).to_numpy()
    if np.isnan(found).any():
        raise ValueError("There is no white noise for some of the judges.")
    return rows.assign(net=rows["fooled"] - found)


def of_architectures(rows, what="net"):
    """Return one number for each attacked architecture and relation, averaged over judges and seeds.

    Networks of one architecture answer alike, so the attacked architectures count, not their seeds.

    Returns
    -------
    pandas.Series
        Indexed by dataset, relation and source.
    """
    judge = ["dataset", "relation", "source", "target", "source_seed", "target_seed"]
    of_judges = grouped(rows, judge[:-2])[what].mean()  # seeds first
    return grouped(of_judges, judge[:3]).mean()


def by_relation(rows, what="net"):
    """Return how often judges are fooled by their relation to the architecture attacked.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `net_of_noise`.
    what : "net", "fooled" or "hit"

    Returns
    -------
    pandas.DataFrame
        Indexed by dataset and relation: n (architectures), mean, low, high, in points or percent.
    """
    groups = grouped(of_architectures(rows, what), ["dataset", "relation"])
    found = groups.apply(lambda values: (len(values), *mean_interval(values)))
    return pd.DataFrame(found.to_list(), found.index, ["n", "mean", "low", "high"])


def lead_of_twins(rows, what="net"):
    """Return how much more often another seed of the attacked network is fooled than other architectures.

    Returns
    -------
    dict from dataset to common.statistics.Interval
        In points, over the attacked architectures.
    """
    shares = of_architectures(rows, what).unstack("relation")
    leads = shares["another seed of it"] - shares["another architecture"]
    return {dataset: mean_interval(values) for dataset, values in grouped(leads, "dataset")}


def _names(by):
    return [by] if isinstance(by, str) else list(by)


def _by_group(rows, by, numbers):
    """Return a table of what `numbers` makes of each group of rows."""
    names = _names(by)
    if not names:
        return pd.DataFrame([numbers(rows)], ["all"])
    found = {key: numbers(group) for key, group in grouped(rows, names)}
    keys = [key if len(names) > 1 else key[0] for key in found]
    index = pd.MultiIndex.from_tuples(keys, names=names) if len(names) > 1 else pd.Index(keys, name=names[0])
    return pd.DataFrame(list(found.values()), index)


def _share(counts):
    found = _ratio(counts["wrong"].to_numpy(), counts["right"].to_numpy())
    if len(counts) > 1 and (found["mean"] in (0, 100) or (counts["right"] == 1).all()):
        # Resamples of photographs that were all fooled, or none, say nothing about other photographs.
        _, low, high = share_interval(counts["wrong"] == counts["right"])
        found |= {"low": 100 * low, "high": 100 * high}
    return found


def _one_cell_each(counts):
    """Return whether several photographs have one cell each, so that Wilson's interval holds."""
    return len(counts) > 1 and (counts["right"] == 1).all()


def _difference(counts):
    """Return the difference in points, its interval and the p-value of the sign-flip test."""
    differences = (counts["wrong"] - counts["control"]).to_numpy()
    found = _ratio(differences, counts["right"].to_numpy()) | {"p": _sign_flips(differences)}
    if _one_cell_each(counts):
        one, other = (share_interval(counts[name] == 1) for name in ("wrong", "control"))
        found["low"] = found["mean"] - 100 * np.hypot(one.mean - one.low, other.high - other.mean)
        found["high"] = found["mean"] + 100 * np.hypot(one.high - one.mean, other.mean - other.low)
    return found


def _ratio(hits, trials):
    """Return 100 times the ratio of two sums over photographs with the limits of its bootstrap."""
    found = {"mean": np.nan, "low": np.nan, "high": np.nan, "n": len(trials), "cells": int(trials.sum())}
    if len(trials):
        found["mean"] = 100 * hits.sum() / trials.sum()
    if len(trials) > 1:
        drawn = _resamples(len(trials)) @ np.column_stack([hits, trials]).astype(np.float32)
        found["low"], found["high"] = 100 * np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return found


def _sign_flips(differences):
    """Return the p-value of the test that flips the signs of whole photographs' differences."""
    if not len(differences):
        return np.nan
    # Sums of small integers are exact in float32, so ties are counted as ties.
    sums = np.abs(_signs(len(differences)) @ differences.astype(np.float32))
    return float((1 + (sums >= abs(differences.sum())).sum()) / (1 + FLIPS))


@lru_cache(maxsize=32)
def _resamples(count, seed=0):
    """Return how often each of `count` photographs is drawn in each resample, (RESAMPLES, count)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float32)


@lru_cache(maxsize=32)
def _signs(count, seed=1):
    return np.random.default_rng(seed).choice(np.float32([-1, 1]), (FLIPS, count))
