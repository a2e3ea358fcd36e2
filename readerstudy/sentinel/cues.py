"""Cues by family, from what the robot recorded: one row of numbers for each case. Pure.

What is image content (noise, extent of the head) is kept apart: it differs between honest images
and is told for information. Everything else must not tell one class from the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from readerstudy.sentinel import pixels
from readerstudy.sentinel.recorded import Exchange, ImageSeen, Presentation, Turn
from readerstudy.sentinel.texts import columns_of

Columns = NDArray[np.float64]
ADDRESS, HEADER, LENGTH, SHAPE, FIELDS = "address", "header", "length", "shape", "fields"
ORDER, TIME, COMB, BACKGROUND, SLICES = "order", "time", "comb", "background", "slices"
NOISE, EXTENT = "noise", "extent"
FAMILIES = (ADDRESS, HEADER, LENGTH, SHAPE, FIELDS, ORDER, TIME, COMB, BACKGROUND, SLICES)
CONTENT = (NOISE, EXTENT)
# What the protocol of the wire makes the same for every case; elsewhere chance may vary.
MUST_BE_SAME = frozenset({HEADER, LENGTH, SHAPE, FIELDS})

# Headers whose value is of the moment, of the length, or of the connection.
OF_THE_MOMENT = frozenset({"date", "content-length", "connection", "server", "keep-alive"})
# Parts of the state that count, tell the time or give addresses; judged elsewhere or by nobody.
COUNTED = (
    *("server_time", "progress.", "undo", "last_receipt", "upcoming", "withdrawn", "waiting"),
    "practice",
    *("reading.token", "reading.images.", "reading.position", "reading.number", "reading.draft"),
    *("receipt.id", "receipt.received_at", "receipt.position"),
)
MOST_FOR_A_LINE = 400  # exchanges; the slopes of all pairs are taken


@dataclass(frozen=True)
class Cue:
    """One thing that could tell.

    Attributes
    ----------
    family : str
    what : str
        Where it is, in words.
    values : ndarray of float, shape (n, k)
        One row for each case.
    """

    family: str
    what: str
    values: Columns

    @property
    def is_content(self) -> bool:
        return self.family in CONTENT


def cases_of(walk: Iterable[Presentation]) -> list[str]:
    """Return the cases that were shown, sorted."""
    return sorted({image.case for shown in walk for image in shown.images})


def cues_of(walk: Sequence[Presentation], turns: Sequence[Turn]) -> list[Cue]:
    """Return every cue of a walk.

    Parameters
    ----------
    walk : sequence of Presentation
        What the robot was shown.
    turns : sequence of Turn
        The stored order of the readers of the study.

    Returns
    -------
    list of Cue
        Rows in the order of `cases_of`.
    """
    cases = cases_of(walk)
    return [
        *_addresses(walk, cases),
        *_headers(walk, cases),
        *_lengths(walk, cases),
        *_shapes(walk, cases),
        *_fields(walk, cases),
        *_orders(walk, turns, cases),
        *_times(walk, cases),
        *_pictures(walk, cases),
    ]


def _texts(family: str, what: str, said: Mapping[str, list[Any]], cases: list[str]) -> Cue:
    return Cue(family, what, columns_of([said.get(case) or [None] for case in cases]))


def _means(family: str, what: str, told: Mapping[str, list[Any]], cases: list[str]) -> Cue:
    """Return a cue of numbers: the mean over what was told of a case, zeros where nothing was."""
    width = max((np.size(one) for rows in told.values() for one in rows), default=1)
    empty = [np.zeros(width)]
    rows = [np.mean([np.ravel(r) for r in told.get(case) or empty], axis=0) for case in cases]
    return Cue(family, what, np.asarray(rows, dtype=np.float64))


def _seen(walk: Iterable[Presentation]) -> Iterator[tuple[Presentation, ImageSeen]]:
    for shown in walk:
        for image in shown.images:
            yield shown, image


def _addresses(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    items, images = defaultdict(list), defaultdict(list)
    for shown, image in _seen(walk):
        items[image.case].append(shown.token)
        images[image.case].append(image.token)
    yield _texts(ADDRESS, "address of the case", items, cases)
    yield _texts(ADDRESS, "address of the image", images, cases)


def _exchanges(walk: Iterable[Presentation]) -> Iterator[tuple[str, Exchange]]:
    """Yield each exchange with the case it concerns."""
    for shown, image in _seen(walk):
        for exchange in (*shown.exchanges, *image.exchanges):
            yield image.case, exchange


def _headers(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    """One cue for each header of each kind of answer: what it said, and the status."""
    said: dict[tuple[str, str], dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for case, exchange in _exchanges(walk):
        said[exchange.kind, "status"][case][str(exchange.status)] = None
        for name, value in _lasting(exchange):
            said[exchange.kind, name][case][value] = None
    for (kind, name), by_case in sorted(said.items()):
        values = {case: sorted(texts) for case, texts in by_case.items()}
        yield _texts(HEADER, f"{name} of {kind}", values, cases)


def _lasting(exchange: Exchange) -> Iterator[tuple[str, str]]:
    for name, value in exchange.headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            yield "Set-Cookie", value.split("=")[0]
        elif lowered not in OF_THE_MOMENT:
            yield name, value


def _lengths(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    """Bytes on the wire: of each image by encoding, and of refusals."""
    parts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    refused: dict[str, list[float]] = defaultdict(list)
    for _, image in _seen(walk):
        for exchange in image.exchanges:
            if exchange.kind == "image":
                slot, encoding, chunk = exchange.about.rsplit(" ", 2)
                parts[f"{slot}, {encoding}"][image.case][chunk] = exchange.length
    for case, exchange in _exchanges(walk):
        if exchange.kind == "refused":
            refused[case].append(float(exchange.length))
    for what, by_case in sorted(parts.items()):
        chunks = sorted({chunk for lengths in by_case.values() for chunk in lengths})
        rows = {case: [_summed(lengths, chunks)] for case, lengths in by_case.items()}
        yield _means(LENGTH, f"bytes sent, {what}", rows, cases)
    yield _means(LENGTH, "bytes of refusals", refused, cases)


def _summed(by_chunk: Mapping[str, int], chunks: Sequence[str]) -> list[float]:
    """Return the sum of the lengths and the single ones at both ends of the order of fetching."""
    lengths = [float(by_chunk.get(chunk, 0)) for chunk in chunks]
    return [sum(lengths), lengths[0], lengths[-1]]


def _shapes(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    sizes: dict[str, list[float]] = defaultdict(list)
    frames: dict[str, list[str]] = defaultdict(list)
    ranges: dict[str, list[float]] = defaultdict(list)
    for _, image in _seen(walk):
        sizes[image.case].append(float(sum(image.decoded.values())))
        frames[image.case].append(" ".join(f"{k} {v}" for k, v in sorted(image.frames.items())))
        ranges[image.case].append(image.facts.get("out_of_range", -1.0))
    yield _means(SHAPE, "bytes after decoding", sizes, cases)
    yield _texts(SHAPE, "head of the container", frames, cases)
    yield _means(SHAPE, "share of values out of range", ranges, cases)


def _fields(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    """One cue for each field that is not the same for all, one for those that are."""
    said: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for shown in walk:
        for path, value in shown.fields.items():
            if not path.startswith(COUNTED):
                for case in {image.case for image in shown.images}:
                    said[path][case].append(value)
    for path, by_case in sorted(said.items()):
        cue = _texts(FIELDS, path, {case: _once(values) for case, values in by_case.items()}, cases)
        if np.ptp(cue.values, axis=0).any():
            yield cue
    yield Cue(FIELDS, "names, types and values of fields", np.zeros((len(cases), 1)))


def _once(values: list[Any]) -> list[Any]:
    return sorted(set(values), key=str)


def _orders(walk: Sequence[Presentation], turns: Sequence[Turn], cases: list[str]) -> Iterator[Cue]:
    """When each reader is shown a case, and when the robot was; and on which side."""
    served: dict[str, list[float]] = defaultdict(list)
    for shown, image in _seen(walk):
        served[image.case].append(shown.served / len(walk))
    yield _means(ORDER, "as served", served, cases)
    by_reader: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    together, sides = defaultdict(list), defaultdict(list)
    for turn in turns:
        by_reader[turn.reader][turn.case].append(turn.share)
        together[turn.case].append(turn.share)
        sides[turn.case].append(float(turn.place))
    if set(together) >= set(cases):
        yield _means(ORDER, "of all readers", together, cases)
        yield _means(ORDER, "side of all readers", sides, cases)
    for reader, shares in sorted(by_reader.items()):
        if set(shares) >= set(cases):
            yield _means(ORDER, f"of {reader}", shares, cases)


def _times(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    """Milliseconds above or below the drift of the walk, the median for each case."""
    alike: dict[tuple[str, str], list[tuple[int, str, float]]] = defaultdict(list)
    for case, exchange in _exchanges(walk):
        row = (exchange.number, case, 1000 * exchange.seconds)
        alike[exchange.kind, exchange.about].append(row)
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (kind, _), rows in alike.items():
        rows.sort()
        drift = _drift([number for number, *_ in rows], [ms for *_, ms in rows])
        what = "images" if kind == "image" else "all but images"
        for (_, case, ms), usual in zip(rows, drift, strict=True):
            found[what][case].append(ms - usual)
    for what, by_case in sorted(found.items()):
        medians = {case: [float(np.median(values))] for case, values in by_case.items()}
        yield _means(TIME, f"time to answer, {what}", medians, cases)


def _drift(numbers: Sequence[int], values: Sequence[float]) -> NDArray[np.float64]:
    """Return the line through the walk that half of all exchanges lie above (Theil and Sen).

    A line, not the neighbours: the neighbours of a case are few and may all be of its class.
    """
    at, ms = np.asarray(numbers, dtype=np.float64), np.asarray(values, dtype=np.float64)
    step = -(-len(at) // MOST_FOR_A_LINE)
    slope = stats.theilslopes(ms[::step], at[::step]).slope if len(set(numbers)) > 1 else 0.0
    return slope * at + np.median(ms - slope * at)


def _pictures(walk: Sequence[Presentation], cases: list[str]) -> Iterator[Cue]:
    """Facts of the decoded levels, by slot."""
    slots = sorted({image.slot for _, image in _seen(walk)})
    groups = {COMB: pixels.COMB, BACKGROUND: pixels.BACKGROUND, SLICES: pixels.SLICES}
    for slot in slots:
        for family, names in {**groups, **pixels.CONTENT}.items():
            rows: dict[str, list[Any]] = defaultdict(list)
            for _, image in _seen(walk):
                if image.slot == slot:
                    rows[image.case].append([image.facts.get(name, 0.0) for name in names])
            yield _means(family, slot, rows, cases)
