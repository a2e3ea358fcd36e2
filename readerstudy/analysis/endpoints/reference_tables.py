"""Measures against the reference standard as tables: over all readers, per reader, counts."""

from __future__ import annotations

import numpy as np

from readerstudy.analysis.document import Axis, Cell, Column, Row, Table, count, undefined
from readerstudy.analysis.endpoints.judged import BY_ORIGIN, Judged
from readerstudy.analysis.endpoints.metrics import (
    Measured,
    Slice,
    confusions,
    measured,
    metric_words,
    metrics_of,
)

METHOD = (
    "Shares: Wilson interval, at the effective sample size where reads share a {unit} (Rao & Scott "
    "1992); F1, MCC and κ: percentile limits, {draws:,} draws of {unit}s with all their reads, "
    "seed {seed}"
)


def everything(found: Judged) -> Slice:
    """Return all reads."""
    return Slice("all", np.ones(len(found), dtype=bool), _behind(found, None, None))


def _behind(found: Judged, reader: str | None, group: int | None) -> dict[str, str]:
    behind = {"question": found.question.code}
    if reader:
        behind["reader"] = reader
    if group is not None:
        behind["origin" if found.by == BY_ORIGIN else "arm"] = found.groups[group]
    return behind


def accuracy_alone(found: Judged) -> Table:
    """Return right answers per reader where there is one version only."""
    slices = [
        Slice(reader, found.reader == number, _behind(found, reader, None))
        for number, reader in enumerate(found.readers)
    ]
    made = measured(found, [*slices, everything(found)])
    rows = [
        Row({"reader": one.code, "reads": count(int(one.keep.sum()), **one.behind),
             "accuracy": made.number(place, "accuracy")})
        for place, one in enumerate(slices)
    ]  # fmt: skip
    last: dict[str, Cell] = {
        "reader": "All readers",
        "reads": count(len(found)),
        "accuracy": made.number(len(slices), "accuracy"),
    }
    return Table(
        code="accuracy",
        title="Right answers, per reader",
        columns=(
            Column("reader", "Reader", "text"),
            Column("reads", "Reads"),
            Column("accuracy", "Right, %", "estimate"),
            Column("plot", "Right, %", "plot", source="accuracy"),
        ),
        rows=(*rows, *map(_silent_alone, found.silent), Row(last, strong=True)),
        method=_method(found),
        n=found.n_words(),
        axis=Axis(0.0, 1.0),
    )


def _silent_alone(reader: str) -> Row:
    reason = "this reader gave no answer that counts here"
    return Row({"reader": reader, "reads": count(0), "accuracy": undefined(reason, "percent")})


def _method(found: Judged) -> str:
    entry = found.entry
    unit = {"subject": "patient", "reader": "reader"}.get(entry.unit, "case")
    return METHOD.format(unit=unit, draws=entry.draws, seed=entry.seed)


def metric_tables(found: Judged) -> list[Table]:
    """Return all measures over all readers, then per reader and version."""
    slices = [everything(found)]
    for group in range(len(found.groups)):
        slices.append(Slice(found.groups[group], found.group == group, _behind(found, None, group)))
    start = len(slices)
    versions: list[int | None] = [None]
    if found.is_compared:
        versions = [*range(len(found.groups))]
    places: dict[tuple[int, int], int] = {}
    for number, reader in enumerate(found.readers):
        for column, version in enumerate(versions):
            keep = found.reader == number
            keep = keep if version is None else keep & (found.group == version)
            places[number, column] = len(slices)
            slices.append(Slice(reader, keep, _behind(found, reader, version)))
    made = measured(found, slices)
    tables = [_overall(found, made)]
    if len(slices) > start:
        tables.append(_by_reader(found, made, places, len(versions)))
    return tables


def _overall(found: Judged, made: Measured) -> Table:
    rows = []
    for metric in metrics_of(found):
        cells: dict[str, Cell] = {
            "metric": metric_words(found, metric),
            "all": made.number(0, metric),
        }
        for group in range(len(found.groups)):
            cells[f"group_{group}"] = made.number(group + 1, metric)
            if group:
                cells[f"difference_{group}"] = made.difference(1, group + 1, metric)
        rows.append(Row(cells))
    columns = [Column("metric", "Measure", "text"), Column("all", "All reads", "estimate")]
    for group, name in enumerate(found.names):
        columns.append(Column(f"group_{group}", name, "estimate"))
        if group:
            columns.append(
                Column(f"difference_{group}", f"{name} less {found.names[0]}", "estimate")
            )
    return Table(
        code="metrics",
        title="Measures over all readers",
        columns=tuple(columns),
        rows=tuple(rows),
        method=f"{_method(found)}; differences of shares: Zou & Donner 2008. Readers pooled",
        n=found.n_words(),
        notes=_positive_note(found),
    )


def _positive_note(found: Judged) -> tuple[str, ...]:
    if not found.is_binary:
        return ()
    return (f"Positive: {found.labels[found.positive]}.",)


def _by_reader(
    found: Judged, made: Measured, places: dict[tuple[int, int], int], versions: int
) -> Table:
    metrics = metrics_of(found)
    names = found.names if found.is_compared else ("",)
    rows = []
    for number, reader in enumerate(found.readers):
        for version in range(versions):
            place = places[number, version]
            one = made.slices[place]
            cells: dict[str, Cell] = {
                "reader": reader,
                "version": names[version],
                "reads": count(int(one.keep.sum()), **one.behind),
            }
            rows.append(Row(cells | {m: made.number(place, m) for m in metrics}))
    version_column = [Column("version", "Version", "text")] if found.is_compared else []
    return Table(
        code="metrics_by_reader",
        title="Measures per reader",
        columns=(
            Column("reader", "Reader", "text"),
            *version_column,
            Column("reads", "Reads"),
            *(Column(m, metric_words(found, m), "estimate") for m in metrics),
        ),
        rows=tuple(rows),
        method=_method(found),
        n=found.n_words(),
        notes=_positive_note(found),
    )


def confusion_table(found: Judged) -> Table:
    """Return how often each level was given where each was right, per version."""
    slices = [everything(found)]
    if found.is_compared:
        slices = [
            Slice(code, found.group == place, _behind(found, None, place))
            for place, code in enumerate(found.groups)
        ]
    tables = confusions(found, slices)
    unusable = bool((found.given < 0).any())
    columns = [
        Column(f"given_{n}", label, group="Answered") for n, label in enumerate(found.labels)
    ]
    if unusable:
        columns.append(Column(f"given_{len(found.levels)}", "Not evaluable", group="Answered"))
    rows = []
    for place, one in enumerate(slices):
        for right, label in enumerate(found.labels):
            cells: dict[str, Cell] = {
                "version": found.names[place] if found.is_compared else "All",
                "right": label,
            }
            for given in range(len(columns)):
                known = given < len(found.levels)
                behind = {**one.behind, "answer": found.levels[given]} if known else one.behind
                cells[f"given_{given}"] = count(int(tables[place, right, given]), **behind)
            rows.append(Row(cells))
    return Table(
        code="confusion",
        title="Answers against the reference standard",
        columns=(Column("version", "Version", "text"), Column("right", "Right", "text"), *columns),
        rows=tuple(rows),
        method="Counts of reads, all readers",
        n=found.n_words(),
        width="half",
    )
