"""Who read what: readers, reads and what is missing; order, washout and slices seen."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    Block,
    Cell,
    Column,
    Number,
    Row,
    Section,
    Table,
    count,
    undefined,
)
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import Dataset, Read, ReaderFacts

DAY = 86_400.0


def described_reads(data: Dataset) -> list[Section]:
    """Return the section of readers and reads."""
    blocks: list[Block] = [_readers(data)]
    blocks += [table for table in (_order(data), _washout(data), _slices(data)) if table]
    late = (
        f"Late answers {data.late:,}, duplicates {data.duplicates:,}, reads of withdrawn cases "
        f"{data.withdrawn:,}; none of them is analysed."
    )
    read = len(data.reads)
    lead = (
        f"{many(len(data.readers), 'reader')} gave {many(read, 'answer')} to "
        f"{many(read + data.missing, 'planned read')}; {data.missing:,} missing.",
        late,
    )
    return [
        Section(
            "described_reads", "Readers and reads", DESCRIPTIVE, lead=lead, blocks=tuple(blocks)
        )
    ]


def _readers(data: Dataset) -> Table:
    rows = [_reader(data, facts) for facts in data.readers]
    if len(rows) > 1:
        rows.append(_all(rows))
    return Table(
        code="readers",
        title="Readers",
        columns=(
            Column("reader", "Reader", "text"),
            Column("years", "Experience, years"),
            Column("subspecialty", "Subspecialty", "text"),
            Column("planned", "Reads planned"),
            Column("first", "Read"),
            Column("repeats", "Hidden repeats read"),
            Column("missing", "Missing"),
            Column("corrections", "Answers corrected"),
            Column("remark", "Remark", "text"),
        ),
        rows=tuple(rows),
        method="Counts. Hidden repeats are planned reads; they take no part in other endpoints.",
        n=many(len(data.reads), "read"),
    )


def _reader(data: Dataset, facts: ReaderFacts) -> Row:
    reads = data.of(facts.code)
    repeats = sum(read.repeat > 0 for read in reads)
    years = undefined("not stated", "count") if facts.years is None else count(facts.years)
    cells: dict[str, Cell] = {
        "reader": facts.code,
        "years": years,
        "subspecialty": facts.subspecialty or "not stated",
        "planned": count(facts.planned),
        "first": count(len(reads) - repeats, reader=facts.code),
        "repeats": count(repeats),
        "missing": count(max(facts.planned - len(reads), 0)),
        "corrections": count(sum(max(read.corrections, 0) for read in reads)),
        "remark": _remark(facts),
    }
    return Row(cells)


def _remark(facts: ReaderFacts) -> str:
    told = ["withdrawn, answers kept"] if facts.withdrawn else []
    told += [f"took over the cases of {facts.replaces}"] if facts.replaces else []
    return "; ".join(told)


def _all(rows: Sequence[Row]) -> Row:
    summed = ("planned", "first", "repeats", "missing", "corrections")
    cells: dict[str, Cell] = {
        "reader": "All readers",
        "years": "",
        "subspecialty": "",
        "remark": "",
    }
    for name in summed:
        found = [cell for row in rows if isinstance(cell := row.cells[name], Number)]
        cells[name] = count(int(sum(cell.value for cell in found)))
    return Row(cells, strong=True)


def _order(data: Dataset) -> Table | None:
    """Return how often each arm was read in each period; None without arms or periods."""
    arms = data.protocol.arm_codes
    counts = Counter((read.arm, read.period) for read in data.first_reads)
    periods = sorted({period for _, period in counts})
    if len(arms) < 2 or len(periods) < 2:
        return None
    readers = Counter(
        (arm, period)
        for arm, period, _ in {(read.arm, read.period, read.reader) for read in data.first_reads}
    )
    rows = []
    for arm in arms:
        cells: dict[str, Cell] = {"arm": data.protocol.arm_name(arm)}
        for period in periods:
            cells[f"reads_{period}"] = count(counts[arm, period], arm=arm, period=str(period))
            cells[f"readers_{period}"] = count(readers[arm, period])
        rows.append(Row(cells))
    columns = [Column("arm", "Arm", "text")]
    for period in periods:
        columns.append(Column(f"reads_{period}", "Reads", group=f"Period {period}"))
        columns.append(Column(f"readers_{period}", "Readers", group=f"Period {period}"))
    return Table(
        code="order",
        title="Arms in each period",
        columns=tuple(columns),
        rows=tuple(rows),
        method="Counts. The order is balanced where an arm has as many reads in each period.",
        n=many(len(data.first_reads), "read"),
        width="half",
    )


def _washout(data: Dataset) -> Table | None:
    """Return the days between the periods of each reader; None without a second period."""
    planned = data.protocol.design.washout_days
    rows = [Row(cells) for cells in _breaks(data, planned)]
    if not rows:
        return None
    kept = sum(row.cells["kept"] == "yes" for row in rows)
    told = f" The protocol asks for {planned} days." if planned else ""
    return Table(
        code="washout",
        title="Washout between the periods",
        columns=(
            Column("reader", "Reader", "text"),
            Column("periods", "Periods", "text"),
            Column("days", "Days between"),
            Column("kept", "Kept", "text"),
        ),
        rows=tuple(rows),
        method=f"Last answer of a period to the first of the next.{told}",
        n=f"kept in {kept} of {len(rows)}",
        width="half",
    )


def _breaks(data: Dataset, planned: int) -> Iterator[dict[str, Cell]]:
    for reader in data.reader_codes:
        by_period: dict[int, list[datetime]] = {}
        for read in data.of(reader):
            if isinstance(read.received_at, datetime):
                by_period.setdefault(read.period, []).append(read.received_at)
        periods = sorted(by_period)
        for before, after in pairwise(periods):
            days = (min(by_period[after]) - max(by_period[before])).total_seconds() / DAY
            yield {
                "reader": reader,
                "periods": f"{before} to {after}",
                "days": Number(days, "number"),
                "kept": "yes" if days >= planned else "no",
            }


def _slices(data: Dataset) -> Table | None:
    """Return how many slices of each series were on screen; None where no page said it."""
    seen: dict[tuple[str, str], list[int]] = {}
    for read in data.first_reads:
        for series, number in _seen(read):
            seen.setdefault((read.reader, series), []).append(number)
    if not seen:
        return None
    rows = []
    for reader in data.reader_codes:
        for series in sorted({name for code, name in seen if code == reader}):
            numbers = sorted(seen[reader, series])
            cells: dict[str, Cell] = {
                "reader": reader,
                "series": series,
                "reads": count(len(numbers)),
                **spread_cells([float(one) for one in numbers], "number"),
            }
            rows.append(Row(cells))
    return Table(
        code="slices",
        title="Slices viewed",
        columns=(
            Column("reader", "Reader", "text"),
            Column("series", "Series", "text"),
            Column("reads", "Reads"),
            Column("median", "Median slices"),
            Column("low", "Lower quartile"),
            Column("high", "Upper quartile"),
        ),
        rows=tuple(rows),
        method="Different slices on screen until the answer was saved, as the page recorded them.",
        n=many(sum(len(numbers) for numbers in seen.values()), "series shown", "series shown"),
        width="half",
    )


def _seen(read: Read) -> Iterator[tuple[str, int]]:
    for series, pane in sorted(read.viewer.items()):
        ranges = pane.get("slices_seen") if isinstance(pane, dict) else None
        pairs = [one for one in ranges if _is_range(one)] if isinstance(ranges, list) else []
        if pairs:
            yield str(series), sum(end - first for first, end in pairs)


def _is_range(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, int) for n in pair)


def spread_cells(values: Sequence[float], form: str) -> dict[str, Cell]:
    """Return median and quartiles as cells (type 7 of Hyndman & Fan, as in R)."""
    if not values:
        return dict.fromkeys(("median", "low", "high"), undefined("none recorded", form))
    median = Number(statistics.median(values), form)
    if len(values) < 2:
        one = undefined("only one value", form)
        return {"median": median, "low": one, "high": one}
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": Number(low, form), "high": Number(high, form)}
