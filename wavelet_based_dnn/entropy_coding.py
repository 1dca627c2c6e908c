"""An entropy coder for many short sequences of integers, each of which can be decoded alone.

A value is split into a category, the number of bits of its magnitude as in JPEG, and the bits that follow.
Both are coded by range asymmetric numeral systems (rANS; Duda 2013, "Asymmetric numeral systems"). The
frequencies of the categories are fixed and travel as a table. NumPy codes all sequences side by side. Each
ends up as bytes of its own, three of which are the coder's state. Raw deflate takes about twice as many bytes
for short sequences that are mostly zero.
"""

import numpy as np

PRECISION = 12  # bits of a frequency
LOWEST = 1 << 16  # of the coder's state between two symbols
CHUNK = 8  # bits that follow a category are coded so many at once
STATE_BYTES = 3
OCTAVE = 8  # a table's steps of probability


def encode(values, frequencies):
    """Return the bytes of each sequence.

    Parameters
    ----------
    values : int array, shape (m, length)
        Magnitudes below ``2**50``.
    frequencies : int array, shape (m, categories)
        Of each sequence, from `read_table`.

    Returns
    -------
    list of bytes

    Raises
    ------
    ValueError
        A category occurs whose frequency is 0.
    """
    folded = np.where(values >= 0, 2 * values, -2 * values - 1) + 1
    categories = _bit_lengths(folded) - 1
    used = np.take_along_axis(frequencies, np.minimum(categories, frequencies.shape[1] - 1), 1)
    if (categories >= frequencies.shape[1]).any() or not used.all():
        raise ValueError("A value lies outside the categories of its table; make the table of these values.")
    starts = np.take_along_axis(np.cumsum(frequencies, 1) - frequencies, categories, 1)
    rest = folded - (1 << categories)
    writer = _Writer(len(values))
    for i in reversed(range(values.shape[1])):
        for low in reversed(range(0, categories[:, i].max(), CHUNK)):
            width = np.clip(categories[:, i] - low, 0, CHUNK)
            shift = PRECISION - width
            writer.push(((rest[:, i] >> low) & ((1 << width) - 1)) << shift, 1 << shift)
        writer.push(starts[:, i], used[:, i])
    return writer.finished()


def decode(codes, frequencies, length):
    """Return the sequences, int array (m, length), from the bytes of each; the inverse of `encode`."""
    if not codes:
        return np.empty((0, length), "int64")
    reader = _Reader(codes)
    ends = np.cumsum(frequencies, 1)
    lanes = np.arange(len(codes))
    values = np.empty((len(codes), length), "int64")
    for i in range(length):
        category = (ends <= reader.slots()[:, None]).sum(1)
        reader.advance(ends[lanes, category] - frequencies[lanes, category], frequencies[lanes, category])
        rest = np.zeros(len(codes), "int64")
        for low in range(0, category.max(), CHUNK):
            shift = PRECISION - np.clip(category - low, 0, CHUNK)
            chunk = reader.slots() >> shift
            reader.advance(chunk << shift, 1 << shift)
            rest |= chunk << low
        values[:, i] = (1 << category) + rest - 1
    return np.where(values % 2, -(values + 1) // 2, values // 2)


def make_table(values):
    """Return a table of how frequent the categories of values are, as bytes.

    The first byte is the number of categories; then each has one, eight times minus the binary logarithm of
    its share. 255 stands for a category that does not occur.
    """
    counts = np.bincount(_bit_lengths(np.where(values >= 0, 2 * values, -2 * values - 1).ravel() + 1) - 1)
    with np.errstate(divide="ignore"):
        steps = np.round(-OCTAVE * np.log2(counts / counts.sum()))
    return bytes([len(counts), *np.where(counts, np.minimum(steps, 254), 255).astype(int).tolist()])


def read_table(table, categories=None):
    """Return the frequencies of a table, int array (categories,), with the sum ``2**PRECISION``."""
    steps = np.array([*table[1:]])
    shares = np.where(steps < 255, 2.0 ** (-steps / OCTAVE), 0)
    present = shares > 0
    spare = (1 << PRECISION) - present.sum()
    frequencies = present + np.floor(shares / shares.sum() * spare).astype(int)
    frequencies[frequencies.argmax()] += (1 << PRECISION) - frequencies.sum()
    return np.pad(frequencies, (0, (categories or len(steps)) - len(steps)))


def _bit_lengths(values):
    return np.frexp(values.astype("float64"))[1]


class _Writer:
    """The states of all sequences and the bytes they have left behind, the last one first."""

    def __init__(self, count):
        self.states = np.full(count, LOWEST, "int64")
        self.used = np.zeros(count, "int64")
        self.bytes = np.zeros((count, 64), "uint8")

    def push(self, start, frequency):
        while (full := np.flatnonzero(self.states >= frequency * (LOWEST << 8 >> PRECISION))).size:
            self.emit(full)
        self.states = (self.states // frequency << PRECISION) + self.states % frequency + start

    def emit(self, lanes):
        if self.used.max() == self.bytes.shape[1]:
            self.bytes = np.pad(self.bytes, ((0, 0), (0, self.bytes.shape[1])))
        self.bytes[lanes, self.used[lanes]] = self.states[lanes] & 255
        self.states[lanes] >>= 8
        self.used[lanes] += 1

    def finished(self):
        for _ in range(STATE_BYTES):
            self.emit(np.arange(len(self.states)))
        pairs = zip(self.bytes, self.used, strict=True)
        return [row[:used][::-1].tobytes() for row, used in pairs]


class _Reader:
    """The states of all sequences and where each one stands in its bytes."""

    def __init__(self, codes):
        width = max(map(len, codes))
        self.bytes = np.array([np.frombuffer(code.ljust(width, b"\0"), "uint8") for code in codes])
        self.at = np.zeros(len(codes), "int64")
        self.states = np.zeros(len(codes), "int64")
        for _ in range(STATE_BYTES):
            self.take(np.arange(len(codes)))

    def take(self, lanes):
        self.states[lanes] = self.states[lanes] << 8 | self.bytes[lanes, self.at[lanes]]
        self.at[lanes] += 1

    def slots(self):
        return self.states & ((1 << PRECISION) - 1)

    def advance(self, start, frequency):
        self.states = frequency * (self.states >> PRECISION) + self.slots() - start
        while (low := np.flatnonzero(self.states < LOWEST)).size:
            self.take(low)
