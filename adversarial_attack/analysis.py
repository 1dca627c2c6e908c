"""What the tables of this study's experiments say."""

import numpy as np
import pandas as pd

from adversarial_attack.experiments import JUDGES
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.visibility import Visibility, excess
from common.names import look_up
from common.pretrained import OFFLINE
from common.statistics import grouped, mcnemar, mean_interval, share_interval, summarise

KINDS = {"found": "as found", "l2": "equal L2", "strict": "within the strict tier"}


def answers(table, kind="found", what="said_label"):
    """Return the answers in a table of `experiments.fooling`, bools ``(images, filters, classifiers)``.

    Parameters
    ----------
    table : pandas.DataFrame
        One attack, one row an image.
    kind : key of `KINDS`
    what : "said_label", "as_before" or "said_target"
    """
    rows = table.sort_values("image")[f"{kind}_{what}"]
    return np.stack(rows.to_list()).reshape(len(rows), len(FILTER_SET), len(OFFLINE))


def joint(table, clean, filters, kind="found", judges=OFFLINE, eligible="any"):
    """Return for every eligible image whether no judge says its label behind any of the filters.

    Parameters
    ----------
    table, clean : pandas.DataFrame
        Of one attack, and of the attack "clean".
    filters : list of keys of `filter_set.FILTER_SET`
    kind : key of `KINDS`
    judges : tuple of names of classifiers
    eligible : "any" or "all"
        Images that, clean, at least one judge recognises behind at least one of the filters; or that all
        judges recognise behind no filter.

    Returns
    -------
    pandas.Series of bool
        Indexed by image.
    """
    rows, columns = (
        [list(FILTER_SET).index(name) for name in filters],
        [OFFLINE.index(name) for name in judges],
    )
    before, after = (x[:, rows][:, :, columns] for x in (answers(clean), answers(table, kind)))
    unfiltered = answers(clean)[:, list(FILTER_SET).index("none")][:, columns]
    chosen = look_up("eligible", eligible, {"any": before.any(axis=(1, 2)), "all": unfiltered.all(axis=1)})
    images = np.sort(table["image"])
    return pd.Series(~after.any(axis=(1, 2))[chosen], index=images[chosen])


def success_table(attacks, clean, sets, kind="found", eligible="any"):
    """Return share, Wilson interval and n of the `joint` success of attacks over sets of filters.

    Parameters
    ----------
    attacks : dict from str to table of one attack
    sets : dict from str to list of filters
    kind, eligible
        As in `joint`.

    Returns
    -------
    pandas.DataFrame of str
        One row an attack, one column a set: "89 % [69, 97] of 19".
    """
    columns = {
        column: [as_text(joint(rows, clean, filters, kind, eligible=eligible)) for rows in attacks.values()]
        for column, filters in sets.items()
    }
    return pd.DataFrame(columns, index=list(attacks))


def as_text(hits):
    """Return a share of hits in percent with its Wilson interval and n."""
    share = share_interval(hits)
    return f"{100 * share.mean:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}] of {len(hits)}"


def of_all_answers(table, clean, kind="found", what="said_label"):
    """Return for every image the share of its answers, right when clean, that the attack changed.

    Parameters
    ----------
    what : "said_label" or "as_before"
        Of the answers that were the label: the share that are no more; of all answers: the share that are
        not what they were for the clean image behind the same filter.

    Returns
    -------
    numpy.ndarray, shape (images,)
        NaN for an image that was never recognised.
    """
    counted = answers(clean) if what == "said_label" else np.ones_like(answers(clean))
    changed = counted & ~answers(table, kind, what)
    with np.errstate(invalid="ignore"):
        return changed.sum(axis=(1, 2)) / counted.sum(axis=(1, 2))


def visibilities(table, kind="found"):
    """Return the visibility of every image's change: measures, sizes, and `visibility.excess` (strict tier).

    Returns
    -------
    pandas.DataFrame
        Columns mean, p95, ssim, blurred, linf, l2, low and excess; one row an image.
    """
    names = [*Visibility._fields, "linf", "l2", "low"]
    found = table.sort_values("image").set_index("image")[[f"{kind}_{name}" for name in names]]
    found.columns = names
    seen = found[list(Visibility._fields)].itertuples(index=False)
    return found.assign(excess=[excess(Visibility(*row), "strict") for row in seen])


def paired(one, other, clean, filters, kind="found"):
    """Return McNemar's exact p-value that two attacks succeed equally often, and both counts."""
    first, second = (joint(table, clean, filters, kind) for table in (one, other))
    return {
        "first": int(first.sum()), "second": int(second.sum()), "n": len(first),
        "p": mcnemar(first.to_numpy(), second.to_numpy()),
    }  # fmt: skip


def by_judge(table):
    """Return a table of `experiments.transfer` with a row for each judge instead of lists.

    Returns
    -------
    pandas.DataFrame
        With the columns target and target_seed, the judge, and relation: whether it was "attacked itself", is
        "another seed of it" or "another architecture".
    """
    names, seeds = map(list, zip(*JUDGES, strict=True))
    lists = {"target": [names] * len(table), "target_seed": [seeds] * len(table)}
    shares = ["right", "fooled", "hit"]
    rows = table.assign(**lists).explode([*lists, *shares], ignore_index=True)
    source, target = rows["source"], rows["target"]
    among = (source == target) | (source.str.startswith("all but") & (source != "all but " + target))
    itself = among & (rows["source_seed"] == rows["target_seed"])
    relation = np.select([itself, among], ["attacked itself", "another seed of it"], "another architecture")
    return rows.astype(dict.fromkeys(shares, float)).assign(relation=relation)


def by_relation(rows, what="fooled"):
    """Return how often judges are fooled, by their relation to the networks attacked.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `by_judge`.
    what : "fooled" or "hit"

    Returns
    -------
    pandas.DataFrame
        Indexed by dataset and relation, with columns n, mean, low, high: in percent of the images that the
        judge recognises, each attack averaged over its judges, mean and interval of n attacks.
    """
    return summarise(_of_attacks(rows, what).reset_index(), ["dataset", "relation"], "share", scale=100)


def lead_of_twins(rows):
    """Return how much more often another seed of the attacked network is fooled than other architectures are.

    Returns
    -------
    dict from dataset to common.statistics.Interval
        In percentage points, over the attacks.
    """
    shares = 100 * _of_attacks(rows, "fooled")["share"].unstack("relation")
    lead = shares["another seed of it"] - shares["another architecture"]
    groups = grouped(lead, "dataset")
    return {dataset: mean_interval(of_attacks) for dataset, of_attacks in groups}


def _of_attacks(rows, what):
    """Return the share of each attack, averaged over the judges of a relation."""
    shares = rows.assign(share=rows[what] / rows["right"])
    attack = ["dataset", "source", "source_seed", "relation"]
    return grouped(shares, attack)[["share"]].mean()
