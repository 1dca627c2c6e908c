"""The filters behind which every attack of this study is judged, and the mix from which attacks draw.

An attack is not told the strengths of the judged filters: `low_passes` draws random ones from a range around
them. Only the median is drawn as it is judged. Ten consecutive steps take

- no filter once, or every other time a very light blur (sigma 0.2 to 0.4 pixels);
- three Gaussian blurs, one from each third of the range of sigma from 0.3 to 2.3 pixels, and one resampling
  to a share of 0.4 to 0.7 of the size and back;
- two JPEG compressions of quality 40 to 95 and one WebP compression of quality 50 to 95;
- two smoothing filters. The median, the bilateral filter and total variation take turns; the last two have
  between half and twice the judged strength.

If a kind is left out, no step draws any filter of it, nor the very light blur if that kind is the blurs.
The steps of the kind are shared equally among the other two kinds and no filter.
"""

from functools import partial

from adversarial_attack.filters import (
    IDENTITY,
    bilateral,
    down_and_up,
    gaussian_blur,
    jpeg,
    median,
    non_local_means,
    total_variation,
    webp,
)

FILTER_SET = {
    "none": lambda height, width: IDENTITY,
    "blur 1": lambda height, width: gaussian_blur(height, width, 1.0),
    "blur 2": lambda height, width: gaussian_blur(height, width, 2.0),
    "half size": lambda height, width: down_and_up(height, width, 0.5),
    "JPEG 75": lambda height, width: jpeg(75),
    "JPEG 50": lambda height, width: jpeg(50),
    "WebP 75": lambda height, width: webp(75),
    "median 3": lambda height, width: median(3),
    "bilateral": lambda height, width: bilateral(0.1, 2.0),
    "total variation": lambda height, width: total_variation(0.05),
    "non-local means": lambda height, width: non_local_means(0.04),
}
KINDS = {
    "blur": ("blur 1", "blur 2", "half size"),
    "compression": ("JPEG 75", "JPEG 50", "WebP 75"),
    "smoothing": ("median 3", "bilateral", "total variation"),
}
LEFT_OUT = ("non-local means",)  # never drawn by any attack
MIX = ("none", *(name for kind in KINDS.values() for name in kind))

# The kinds alternate so that momentum averages over all of them within a few steps.
CYCLE = (
    "none", "blur", "compression", "blur", "smoothing",
    "blur", "compression", "blur", "compression", "smoothing",
)  # fmt: skip


def low_passes(without="nothing"):
    """Return a function that draws the filter of a step of an attack, as the module's description says.

    Parameters
    ----------
    without : "nothing" or a key of `KINDS`
        The kind that is never drawn.

    Returns
    -------
    callable
        ``draw((height, width), step, rng)`` returns a filter. Steps count from 0, and the filter depends on
        these arguments alone.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if without not in ("nothing", *KINDS):
        raise ValueError(f"without must be one of {['nothing', *KINDS]}, not {without!r}.")
    return partial(_drawn, without)


def _drawn(without, shape, step, rng):
    kind = CYCLE[step % len(CYCLE)]
    turn = _turn(kind, step)
    if kind == without:
        others = ["none", *(other for other in KINDS if other != without)]
        kind, turn = others[turn % len(others)], turn // len(others)
    if kind == "none":
        return _nothing(shape, turn, rng, blurred=without != "blur")
    return {"blur": _blur, "compression": _compression, "smoothing": _smoothing}[kind](shape, turn, rng)


def _turn(kind, step):
    """Return how many steps before this one were of the kind."""
    cycles, place = divmod(step, len(CYCLE))
    return cycles * CYCLE.count(kind) + CYCLE[:place].count(kind)


def _nothing(shape, turn, rng, blurred):
    return gaussian_blur(*shape, float(rng.uniform(0.2, 0.4))) if blurred and turn % 2 else IDENTITY


def _blur(shape, turn, rng):
    third = turn % 4
    if third == 3:
        return down_and_up(*shape, float(rng.uniform(0.4, 0.7)))
    return gaussian_blur(*shape, float(0.3 + 2 / 3 * (third + rng.random())))


def _compression(shape, turn, rng):
    if turn % 3 == 2:
        return webp(int(rng.integers(50, 96)))
    return jpeg(int(rng.integers(40, 96)))


def _smoothing(shape, turn, rng):
    factor = float(2 ** rng.uniform(-1, 1))
    return (median(3), bilateral(0.1 * factor, 2.0), total_variation(0.05 * factor))[turn % 3]
