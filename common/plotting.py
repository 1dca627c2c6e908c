"""Figures in one style. Every function takes computed data and returns a `Figure`."""

import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import ArrayLike
from PIL import Image

from common.arguments import check_range, check_unmasked
from common.pixels import as_bytes
from common.statistics import Interval

SUMS = 4  # with one sum alone, changes of two numbers could cancel
RESOLUTION = 0.001  # of an axis, less than a pixel
GAP, LINE = 12, 15  # pixels between magnified images, and for a line of their titles
GREY = 0.01  # of an axis; the change from black to white counts as much, so a tenth of it shows

PHOTOGRAPHIC = 2**14  # colours; a diagram has fewer, a grid of photographs about 100,000
# The reset removes the user's own settings.
in_our_style = plt.style.context(Path(__file__).with_name("notebook.mplstyle"), after_reset=True)


class Figure(matplotlib.figure.Figure):
    """A figure in our style whose text describes its content.

    The text holds the number of series and points, `SUMS` sums of all plotted numbers, and a checksum of
    words, colours and markers. The numbers are in fractions of their axis; each has a random weight between 1
    and 2 or -1 and -2. A visible change moves every sum by at least two units of the last place. If all
    numbers change by their last bits, as between processors, a sum moves by less than one unit, whereas a
    hash of rounded numbers could change completely (`common.notebooks.compare.drawn_alike`).
    """

    keeps_pixels = False  # whether the stored picture has the colours of all pixels of its images

    @in_our_style
    def draw(self, renderer: Any) -> None:
        """Draw the figure; some settings take effect only here."""
        super().draw(renderer)

    @in_our_style
    def savefig(self, *args: Any, **options: Any) -> None:
        """Write the figure to a file; see `matplotlib.figure.Figure.savefig`."""
        super().savefig(*args, **options)

    def png(self) -> tuple[bytes, dict[str, int]]:
        """Return the picture that a notebook stores, and the size at which JupyterLab shows it.

        For dense screens, diagrams have twice as many pixels along each side. A picture without photographs
        is reduced to at most 256 colours, which shrinks its file to a third.
        """
        fine = 1 if any(axis.images for axis in self.axes) else 2
        # The first file of a diagram is not kept, so it is compressed fast.
        fast, file = {"compress_level": 1} if fine > 1 else {}, BytesIO()
        self.savefig(file, format="png", dpi=fine * self.dpi, bbox_inches="tight", pil_kwargs=fast)
        picture = Image.open(file)
        opaque = picture.convert("RGB")
        if not self.keeps_pixels and (fine > 1 or opaque.getcolors(PHOTOGRAPHIC)):
            # The octree is the faster method, but leaves 16 of 256 greys.
            kind = Image.Quantize.FASTOCTREE if fine > 1 else Image.Quantize.MEDIANCUT
            file = BytesIO()
            opaque.quantize(256, kind, dither=Image.Dither.NONE).save(file, "png")
        width, height = picture.size
        return file.getvalue(), {"width": width // fine, "height": height // fine}

    def __repr__(self) -> str:
        """Return the text that a notebook stores with the picture."""
        marks = [mark for axis in self.axes if axis.get_visible() for mark in _marks(axis)]
        counts = [
            f"{kind} {len(points)} ({sum(points)} points)"
            for kind in dict.fromkeys(kind for kind, *_ in marks)
            if (points := [len(numbers) for other, _, numbers in marks if other == kind])
        ]
        numbers = np.concatenate([np.zeros(0), *(np.ravel(numbers) for *_, numbers in marks)])
        sums = " ".join(f"{total:+d}" for total in _sums(np.nan_to_num(numbers, nan=-3)))
        looks = repr([looks for _, looks, _ in marks] + [_texts(self, ())])
        return f"Figure: {', '.join(counts)}; drawn {sums}; looks {zlib.crc32(looks.encode()):08x}"


def _sums(numbers: np.ndarray) -> np.ndarray:
    """Return `SUMS` randomly weighted sums of numbers, in units of `RESOLUTION`."""
    # This generator returns the same bits in all versions of NumPy.
    bits = np.random.PCG64(0).random_raw(SUMS * len(numbers)).reshape(SUMS, -1)
    weights = np.where(bits & 1, 1, -1) * (1 + (bits >> 11) / 2**53)
    return np.rint(weights @ numbers / RESOLUTION).astype(int)


def _marks(axis: Axes) -> Iterator[tuple[str, object, np.ndarray]]:
    """Yield kind, looks and numbers, in fractions of the axis, of everything that an axis draws."""
    ends = axis.transScale.transform(np.transpose([axis.get_xlim(), axis.get_ylim()]))
    span = ends[1] - ends[0]
    yield "axes", _words(axis), np.array([[*ends[0] / span, *np.log10(np.abs(span))]])
    to_axis = axis.transAxes.inverted()

    def places(artist: Any, points: ArrayLike) -> np.ndarray:
        return np.clip((artist + to_axis).transform(points), -5, 5)

    for line in axis.lines:
        looks = to_hex(line.get_color()), line.get_linestyle(), str(line.get_marker())
        yield "lines", looks, places(line.get_transform(), line.get_xydata())
    for patch in axis.patches:
        yield "areas", to_hex(patch.get_facecolor()), places(patch.get_transform(), patch.get_path().vertices)
    for many in axis.collections:
        if isinstance(many, PathCollection):
            yield "dots", _colors(many), places(many.get_offset_transform(), many.get_offsets())
        else:
            corners = [places(many.get_transform(), path.vertices) for path in many.get_paths()]
            yield "areas", _colors(many), np.concatenate([np.zeros((0, 2)), *corners])
        if many.get_array() is not None:
            yield "colours", many.cmap.name, _greys(many)
    for image in axis.images:
        left, right, bottom, top = image.get_extent()
        yield "areas", image.get_cmap().name, places(axis.transData, [(left, bottom), (right, top)])
        yield "images", np.asarray(image.get_array()).shape, _greys(image)


def _greys(drawn: Any) -> np.ndarray:
    """Return the values of an image, shape (pixels,), scaled so that black and white differ by `GREY`."""
    found = np.ma.asarray(drawn.get_array())
    values = np.ma.filled(found.astype(float), np.nan) / (255 if found.dtype == np.uint8 else 1)
    scaled = values if values.ndim == 3 else np.ma.filled(drawn.norm(values).astype(float), np.nan)
    return GREY * np.clip(scaled, 0, 1).ravel()


def _colors(many: Any) -> object:
    # Colours that represent numbers are known only after drawing, so the numbers count instead.
    if many.get_array() is not None:
        return None
    return [to_hex(color, keep_alpha=True) for color in (*many.get_facecolor(), *many.get_edgecolor())]


def _words(axis: Axes) -> object:
    """Return the texts and scales of an axis, without the tick numbers that Matplotlib chooses."""
    sides: list[Any] = [(s.get_major_locator(), s.get_major_formatter()) for s in (axis.xaxis, axis.yaxis)]
    ticks = [
        [label(place) for place in locator()]
        for locator, label in sides
        if isinstance(locator, FixedLocator) and isinstance(label, FuncFormatter)
    ]
    titles = [axis.get_title(place) for place in ("left", "center", "right")]
    names = [axis.get_xlabel(), axis.get_ylabel(), axis.get_xscale(), axis.get_yscale()]
    return ticks, titles, names, _texts(axis, [axis.get_legend()])


def _texts(artist: Any, legends: Sequence[Any]) -> list[str]:
    legends = [*legends, *getattr(artist, "legends", [])]
    texts = [*artist.texts, *(text for legend in legends if legend for text in legend.get_texts())]
    return [text.get_text() for text in texts]


@in_our_style
def image_grid(
    images: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    row_labels: Sequence[str] | None = None,
    limits: tuple[float, float] | None = (0, 1),
    size: float = 1.0,
    magnification: int | None = None,
) -> Figure:
    """Show images row by row.

    Parameters
    ----------
    images : array, shape (n, height, width, channels), or list of n arrays of any sizes
        One channel is drawn in grey, three as colours in [0, 1].
    titles : sequence of n str, optional
        Written above the images.
    columns : int, optional
        Images in a row; by default all.
    row_labels : sequence of str, optional
        Written to the left of the rows.
    limits : (float, float) or None
        Values drawn black and white; None uses the extremes of each image.
    size : float
        Inches for each image, which is resampled to fit.
    magnification : int, optional
        Instead of resampling, draw each value as a square of so many pixels of the stored picture, in
        its own colour: for images whose finest details matter.

    Raises
    ------
    ValueError
        No images, arrays of other shapes, NaN or infinity, values up to 255 with the limits 0 and 1, a
        wrong number of titles or labels, or a magnification below 1.
    """
    pictures: list[np.ndarray] = [np.asanyarray(image) for image in images] if np.iterable(images) else []
    columns = _columns(columns, len(pictures))
    _check_pictures(pictures, limits)
    rows = -(-len(pictures) // columns)
    titles = _as_many(titles, len(pictures), "titles", "images")
    row_labels = _as_many(row_labels, rows, "row_labels", "rows")
    low, high = limits or (None, None)
    figure, axes = closed_subplots(rows, columns, size * columns, size * rows * (1.25 if titles else 1))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for i, (axis, image) in enumerate(zip(axes.flat, pictures, strict=False)):
        drawn = np.asarray(image, float) if magnification is None else _as_colors(image, limits)
        axis.imshow(drawn, vmin=low, vmax=high, cmap="gray")
        axis.set_title(titles[i] if titles else "", fontsize=8, loc="center")
    for axis, label in zip(axes[:, 0], row_labels, strict=False):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    if magnification is not None:
        _magnify(figure, axes, pictures, magnification)
    return figure


def _magnify(figure: Figure, axes: np.ndarray, pictures: list[np.ndarray], magnification: int) -> None:
    """Place the axes so that each value of their pictures covers a square of whole pixels."""
    if magnification < 1:
        raise ValueError(f"magnification must be at least 1, not {magnification}.")
    heights, widths = (magnification * max(p.shape[side] for p in pictures) for side in (0, 1))
    lines = max(axis.get_title().count("\n") + bool(axis.get_title()) for axis in axes.flat)
    gap, above = GAP, GAP + LINE * lines
    rows, columns = axes.shape
    total = np.array([columns * (widths + gap), rows * (heights + above)])
    figure.set_layout_engine("none")
    figure.set_size_inches(total / figure.dpi)
    figure.keeps_pixels = True
    for i, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        row, column = divmod(i, columns)
        height, width = (magnification * side for side in picture.shape[:2])
        left, bottom = column * (widths + gap), total[1] - row * (heights + above) - above - height
        axis.set_position((left / total[0], bottom / total[1], width / total[0], height / total[1]))


def _as_colors(picture: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
    """Return a picture as bytes ``(height, width, 3)``: Matplotlib rounds floats down."""
    low, high = (0, 1) if picture.shape[2] == 3 else limits or (picture.min(), picture.max())
    return as_bytes(np.repeat((picture - low) / max(high - low, 1e-9), 3 // picture.shape[2], axis=2))


def _check_pictures(pictures: list[np.ndarray], limits: object) -> None:
    shapes = [picture.shape for picture in pictures]
    if not shapes or any(len(shape) != 3 or shape[2] not in (1, 3) or 0 in shape for shape in shapes):
        found = ", ".join(map(str, dict.fromkeys(shapes))) or "none at all"
        raise ValueError(f"images must be arrays (height, width, 1 or 3), but there are {found}.")
    for picture in pictures:
        if limits == (0, 1) or picture.shape[2] == 3:
            check_range(picture)
        check_range(0.0 * picture)


def _columns(columns: int | None, count: int) -> int:
    if columns is not None and columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}.")
    return columns or max(1, count)


def _as_many(names: Sequence[Any] | None, count: int, what: str, of: str) -> list[Any]:
    """Return names as a list, empty for None; raise ValueError for a wrong number of names."""
    found = [] if names is None else list(names)
    if found and len(found) != count:
        raise ValueError(f"{what} must be as many as the {count} {of}, not {len(found)}.")
    return found


@in_our_style
def curves(
    x: ArrayLike | Mapping[str, ArrayLike],
    bands: Mapping[str, Interval],
    xlabel: str,
    ylabel: str,
    logx: bool = False,
    axis: Axes | None = None,
) -> Figure:
    """Draw one line with its confidence band for each entry and write its name at the end of the line.

    Parameters
    ----------
    x : array, shape (points,), or a dict with one array for each entry of `bands`
        Lines of at most twelve points get markers.
    bands : dict from str to `common.statistics.Interval` of arrays of shape (points,)
    logx : bool
        Whether the horizontal axis is logarithmic; all x must then be positive.
    axis : matplotlib axis, optional
        By default a new figure.

    Raises
    ------
    ValueError
        No lines, arrays of other shapes or lengths, or x that a logarithmic axis cannot show.
    """
    if not bands:
        raise ValueError("There are no lines to draw.")
    if axis is None:
        axis = closed_subplots(1, 1, 6, 3.6)[1][0, 0]
    lines = {}
    for name, band in bands.items():
        points, mean, low, high = _band(_of(x, name), band, name)
        if logx and np.min(points) <= 0:
            raise ValueError(f"A logarithmic axis cannot show x of 0 or less, as {name} has; set logx=False.")
        (line,) = axis.plot(points, mean, marker="o" if len(points) <= 12 else "", markersize=3.5)
        axis.fill_between(points, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        lines[name] = line
    _label_line_ends(axis, lines, bands)
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if logx else "linear")
    figure: Any = axis.figure
    return figure


def _of(x: Any, name: str) -> Any:
    """Return ``x[name]`` of a dict, and `x` itself otherwise."""
    if isinstance(x, Mapping) and name not in x:
        raise ValueError(f"x has no entry {name!r}; it has {', '.join(map(str, x))}.")
    return x[name] if isinstance(x, Mapping) else x


def _band(x: ArrayLike, band: Interval, name: str) -> list[np.ndarray]:
    if not isinstance(band, Interval):
        raise ValueError(f"{name} must be an Interval, as of mean_interval, not {type(band).__name__}.")
    arrays = [as_numbers(x, 1, "x"), *(as_numbers(values, 1, "a band") for values in band)]
    if len({len(values) for values in arrays}) > 1:
        raise ValueError(f"{name} has {len(arrays[1])} points, but x has {len(arrays[0])}.")
    return arrays


@in_our_style
def panels(
    x: ArrayLike | Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Interval]],
    xlabel: str = "epoch",
    ylabel: str | None = None,
    logx: bool = False,
    columns: int | None = None,
) -> Figure:
    """Draw several groups of curves side by side, such as the loss and the accuracy of a training.

    Parameters
    ----------
    x : array, shape (points,), or a dict from group to the `x` of `curves`
    groups : dict from str to the `bands` of `curves`
        The name of a group labels its vertical axis; with a common `ylabel` it is the title.
    columns : int, optional
        Panels in a row; by default all.

    Raises
    ------
    ValueError
        No groups, or the errors of `curves`.
    """
    if not groups:
        raise ValueError("There is nothing to draw.")
    columns = _columns(columns, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = closed_subplots(rows, columns, 5 * columns, 3.4 * rows)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (name, bands) in zip(axes.flat, groups.items(), strict=False):
        curves(_of(x, name), bands, xlabel, ylabel or name, logx, axis)
        axis.set_title(name if ylabel else "")
    return figure


@in_our_style
def dots(
    samples: Mapping[str, ArrayLike],
    intervals: Mapping[str, Interval],
    xlabel: str,
    kinds: Sequence[Hashable] | None = None,
) -> Figure:
    """Draw one row for each entry: every run as a dot, the mean as a bar, the interval as a line.

    Parameters
    ----------
    samples : dict from str to array, shape (n,)
        Finite, because a missing dot would still count in n.
    intervals : dict from the same names to `common.statistics.Interval` of floats
    kinds : sequence, optional
        One value for each row; rows with equal values have one colour. By default all rows have one colour.

    Raises
    ------
    ValueError
        No entries, different names, arrays of other shapes, NaN or infinity, intervals of arrays, or a wrong
        number of kinds.
    """
    check_names(samples, intervals)
    figure, axes = closed_subplots(1, 1, 7, 0.55 * len(samples) + 0.9)
    axis, colors = axes[0, 0], plt.rcParams["axes.prop_cycle"].by_key()["color"]
    kinds = _as_many(kinds, len(samples), "kinds", "rows") or [None] * len(samples)
    for row, (name, values) in enumerate(samples.items()):
        values, (mean, *limits) = as_numbers(values, 1, "samples"), as_floats(intervals[name])
        if not np.isfinite(values).all():
            raise ValueError(f"The samples of {name} must be finite, but they hold NaN or infinity.")
        color = colors[list(dict.fromkeys(kinds)).index(kinds[row]) % len(colors)]
        axis.plot(limits, [row, row], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        axis.plot(values, np.full(len(values), row), "o", color=color, markersize=4, markeredgewidth=0)
        axis.plot([mean], [row], "|", color="black", markersize=14)
    axis.set_yticks(range(len(samples)), [f"{name}  (n = {np.size(v)})" for name, v in samples.items()])
    axis.set(xlabel=xlabel, ylim=(len(samples) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    return figure


@in_our_style
def heat_map(
    values: ArrayLike,
    notes: ArrayLike,
    row_names: Sequence[object],
    column_names: Sequence[object],
    row_label: str,
    column_label: str,
    value_label: str,
    center: float | None = None,
) -> Figure:
    """Draw a table of numbers as colours, each with its number and a note.

    Parameters
    ----------
    values : array, shape (rows, columns)
    notes : array of str, shape (rows, columns)
        Written below each value, such as its n or its interval.
    center : float, optional
        This value is white; larger values are purple and smaller ones orange.

    Raises
    ------
    ValueError
        Arrays and names of different sizes.
    """
    values, notes = as_numbers(values, 2, "values"), np.asarray(notes)
    rows, columns = values.shape
    if notes.shape != values.shape or (rows, columns) != (len(row_names), len(column_names)):
        raise ValueError(f"Values {values.shape} need as many notes, names of rows and names of columns.")
    longest = max(len(str(name)) for name in row_names)
    figure, axes = closed_subplots(1, 1, 0.95 * columns + 0.09 * longest + 2, 0.6 * rows + 1.3)
    axis = axes[0, 0]
    look: dict[str, Any] = {"cmap": "viridis"}
    if center is not None:
        spread = np.nanmax(np.abs(values - center)) or 1
        look = {"cmap": "PuOr", "vmin": center - spread, "vmax": center + spread}
    drawn = axis.imshow(values, aspect="auto", **look)
    for (row, column), value in np.ndenumerate(values):
        shade = np.mean(drawn.cmap(drawn.norm(value))[:3])
        axis.text(column, row, f"{value:.3g}\n{notes[row, column]}", ha="center", va="center",
                  fontsize=8, color="white" if shade < 0.5 else "black")  # fmt: skip
    axis.set_xticks(range(columns), [fill(str(name), 13) for name in column_names])
    axis.set_yticks(range(rows), list(map(str, row_names)))
    axis.set(xlabel=column_label, ylabel=row_label)
    axis.grid(visible=False)
    figure.colorbar(drawn, label=value_label)
    return figure


def as_numbers(values: ArrayLike, rank: int, name: str) -> np.ndarray:
    """Return an array of floats; raise ValueError unless it has `rank` axes and is not empty."""
    check_unmasked(values, name)
    values = np.asarray(values, float)
    if values.ndim != rank or not values.size:
        raise ValueError(f"{name} must have {rank} axes and not be empty, but the shape is {values.shape}.")
    return values


def as_floats(interval: Interval) -> list[float]:
    """Return mean, low and high; raise ValueError if they are arrays."""
    return [float(as_numbers(value, 0, "an interval")) for value in interval]


def check_names(ones: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Raise ValueError unless two dicts have the same names and at least one."""
    if not ones or set(ones) != set(others):
        raise ValueError(
            f"{', '.join(ones) or 'Nothing'} cannot be drawn with {', '.join(others) or 'nothing'}."
        )


def closed_subplots(rows: int, columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """Return a figure of `width` by `height` inches and its axes, an array (rows, columns)."""
    figure: Any = plt.figure(figsize=(width, height), FigureClass=Figure)
    # A notebook shows a closed figure only once, as the value of its cell.
    plt.close(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _label_line_ends(axis: Axes, lines: Mapping[str, Any], bands: Mapping[str, Interval]) -> None:
    """Write the name of each line at its last finite point, one above the other."""
    shown = {name: line for name, line in lines.items() if np.isfinite(line.get_ydata()).any()}
    ends = {name: line.get_xydata()[np.isfinite(line.get_ydata())][-1] for name, line in shown.items()}
    limits = np.concatenate([np.asarray(values, float) for band in bands.values() for values in band])
    gap = 0.07 * (np.nanmax(limits) - np.nanmin(limits) or 1) if shown else 0
    previous = -np.inf
    for name in sorted(ends, key=lambda name: ends[name][1]):
        previous = max(ends[name][1], previous + gap)
        axis.annotate(name, (ends[name][0], previous), (4, 0), textcoords="offset points", va="center",
                      color=shown[name].get_color(), fontsize=9, annotation_clip=False)  # fmt: skip
