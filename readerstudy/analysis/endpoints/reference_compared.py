"""Two versions compared by right answers: per reader, over all of them, and within the margin."""

from __future__ import annotations

import math
from collections.abc import Sequence

from readerstudy.analysis.document import (
    Axis,
    Block,
    Cell,
    Column,
    Number,
    Row,
    Table,
    Test,
    undefined,
)
from readerstudy.analysis.endpoints.judged import Judged
from readerstudy.analysis.endpoints.versions import (
    PUBLISHED,
    ReaderView,
    View,
    compared_views,
    reader_views,
)
from readerstudy.analysis.endpoints.words import fixed, interval, p_value, percent

READER_TESTS = {"two_proportions", "mcnemar"}


class Comparison:
    """Two versions compared: per reader, over all of them, and within the margin."""

    def __init__(self, found: Judged, pair: tuple[int, int]) -> None:
        self.found, self.pair, self.entry = found, pair, found.entry
        self.names = (found.names[pair[0]], found.names[pair[1]])
        self.suffix = f"_{found.groups[pair[1]]}" if len(found.groups) > 2 else ""
        self.views = compared_views(found, pair)
        self.main = self.views[0]
        self.readers = [] if found.entry.consensus else list(reader_views(found, pair))

    def blocks(self) -> list[Block]:
        """Return the tables of the comparison."""
        return [self._accuracy(), self._views()]

    def _accuracy(self) -> Table:
        rows = [self._reader_row(one) for one in self.readers]
        rows += [_silent_row(reader) for reader in self.found.silent]
        rows.append(_row("All readers", self.main, _p(self.main), strong=True))
        tests = list(dict.fromkeys(one.test for one in self.readers if not one.view.reason))
        kinds = "; ".join(tests)
        margin = self.entry.margin
        return Table(
            code=f"accuracy{self.suffix}",
            title=f"Right answers: {self.names[0]} and {self.names[1]}",
            columns=(
                Column("reader", "Reader", "text"),
                Column("first", self.names[0], "estimate"),
                Column("second", self.names[1], "estimate"),
                Column("plot", "Difference, points", "plot", source="difference"),
                Column("difference", "Difference, second less first", "estimate"),
                Column("p", "p"),
            ),
            rows=tuple(rows),
            method=f"All readers: {self.main.method or self.main.reason}. "
            f"Readers: {kinds or 'no test'}; limits of differences Zou & Donner 2008",
            n=self.found.n_words(),
            notes=(
                f"Unit: {self.found.unit}. Difference: {self.names[1]} less {self.names[0]}, in "
                "percentage points; above 0 more answers were right in the former.",
            ),
            axis=_axis([row.cells["difference"] for row in rows], margin),
        )

    def _reader_row(self, one: ReaderView) -> Row:
        planned = READER_TESTS & set(self.entry.methods)
        p: Cell = _p(one.view) if planned else "not planned"
        return _row(one.reader, one.view, p)

    def _views(self) -> Table:
        margin = self.entry.margin
        rows = []
        for place, view in enumerate(self.views):
            worse, within = view.within(margin) if margin is not None else (math.nan, math.nan)
            nothing = view.reason or "the standard error is 0"
            cells: dict[str, Cell] = {
                "view": view.name,
                "first": view.first,
                "second": view.second,
                "difference": view.difference,
                "df": _df(view),
                "p": _p(view),
                "worse": Number(worse, "p", reason=nothing if math.isnan(worse) else ""),
                "within": Number(within, "p", reason=nothing if math.isnan(within) else ""),
            }
            rows.append(Row(cells, strong=place == 0))
        columns = [
            Column("view", "What the interval allows for", "text"),
            Column("first", self.names[0], "estimate"),
            Column("second", self.names[1], "estimate"),
            Column("difference", "Difference", "estimate"),
            Column("df", "df", "text"),
            Column("p", "p"),
        ]
        if margin is not None:
            points = f"{100 * margin:g}"
            columns += [
                Column("worse", f"p, not worse by {points} points"),
                Column("within", f"p, within ±{points} points"),
            ]
        return Table(
            code=f"comparison{self.suffix}",
            title="All readers together",
            columns=tuple(columns),
            rows=tuple(rows),
            method="The first row decides. "
            + "; ".join(f"{view.name}: {view.method or view.reason}" for view in self.views),
            n=self.found.n_words(),
            notes=_view_notes(self.views, margin, self.entry.alpha),
        )

    def tests(self) -> list[Test]:
        """Return the test that decides, those of the margin and those of the readers."""
        main, what = self.main, f"Right answers, {self.names[1]} less {self.names[0]}"
        made = [self._test(f"main{self.suffix}", what, main.p, main.statistic)]
        if self.entry.margin is not None:
            worse, within = main.within(self.entry.margin)
            made += [
                self._test(f"non-inferiority{self.suffix}", f"{what}: not worse", worse, math.nan),
                self._test(f"equivalence{self.suffix}", f"{what}: equivalent", within, math.nan),
            ]
        if READER_TESTS & set(self.entry.methods):
            made += [self._reader_test(one, what) for one in self.readers]
        return made

    def _test(self, code: str, what: str, p: float, statistic: float) -> Test:
        main, margin = self.main, self.entry.margin
        claim = code.removesuffix(self.suffix) if self.suffix else code
        null = {
            "non-inferiority": f"the share of right answers is lower by {margin} or more",
            "equivalence": f"the shares of right answers differ by {margin} or more",
        }.get(claim, "the share of right answers is the same")
        return Test(
            code=code,
            what=what,
            name=main.method or "not computed",
            unit=self.found.unit,
            n=self.found.n_words(),
            null=null,
            assumptions="patients independent of each other; readers too where they are a sample",
            p=p,
            symbol="z" if math.isinf(main.df) else "t",
            statistic=statistic,
            df="" if math.isinf(main.df) else f"{main.df:.1f}",
            reason=(main.reason or "the standard error is 0") if math.isnan(p) else "",
            warnings=main.warnings,
        )

    def _reader_test(self, one: ReaderView, what: str) -> Test:
        return Test(
            code=f"reader{self.suffix}:{one.reader}",
            what=f"{what}, {one.reader}",
            name=one.test,
            unit=self.found.unit,
            n=f"{int((self.found.reader == self.found.readers.index(one.reader)).sum()):,} reads",
            null="the share of right answers of this reader is the same",
            assumptions="patients independent of each other",
            p=one.view.p,
            symbol="" if math.isnan(one.view.statistic) else "z",
            statistic=one.view.statistic,
            reason=one.view.reason if math.isnan(one.view.p) else "",
        )

    def lead(self) -> list[str]:
        """Return the sentences of the summary."""
        main, names = self.main, self.names
        if not main.difference.defined:
            return [f"{names[1]} and {names[0]} are not compared: {main.reason}."]
        points = fixed(100 * main.difference.value, 1)
        limits = interval(main.difference, scale=100, places=1)
        first = (
            f"Answers to “{self.found.question.text}” were right in "
            f"**{percent(main.first.value)} %** of reads of “{names[0]}” and "
            f"**{percent(main.second.value)} %** of “{names[1]}”: a difference of "
            f"**{points} points** ({limits}; {p_value(main.p)})."
        )
        if not main.p < self.entry.alpha:
            first += " A difference is **not shown**."
        return [first, *self._margin_lead()]

    def _margin_lead(self) -> list[str]:
        margin = self.entry.margin
        if margin is None:
            return []
        worse, within = self.main.within(margin)
        if math.isnan(worse):
            return [f"Nothing can be said about the margin of {100 * margin:g} points."]
        shown = "shown" if worse < self.entry.alpha / 2 else "not shown"
        equal = "shown" if within < self.entry.alpha else "not shown"
        return [
            f"That “{self.names[1]}” is worse by less than the planned margin of "
            f"{100 * margin:g} points is **{shown}** ({p_value(worse)}, one-sided); that both are "
            f"equivalent within it is **{equal}** ({p_value(within)})."
        ]


def _view_notes(views: Sequence[View], margin: float | None, alpha: float) -> tuple[str, ...]:
    notes = [f"{view.name}: {text}." for view in views for text in view.warnings]
    if margin is not None:
        notes.append(
            f"Not worse is tested one-sided at {alpha / 2:g}, equivalence by two one-sided tests "
            f"at {alpha:g} (Schuirmann 1987), each with the standard error of its row."
        )
    if any(view.name == PUBLISHED for view in views):
        notes.append(
            "The last row pools reads of the same patients by several readers as if each were a "
            "patient of its own; it is there to compare with published tables alone."
        )
    return tuple(notes)


def _row(name: str, view: View, p: Cell, *, strong: bool = False) -> Row:
    cells: dict[str, Cell] = {
        "reader": name,
        "first": view.first,
        "second": view.second,
        "difference": view.difference,
        "p": p,
    }
    return Row(cells, strong=strong)


def _df(view: View) -> str:
    if math.isfinite(view.df):
        return f"{view.df:.1f}"
    return "normal" if view.se > 0 else ""


def _p(view: View) -> Number:
    return Number(view.p, "p", reason=(view.reason or "undefined") if math.isnan(view.p) else "")


def _silent_row(reader: str) -> Row:
    reason = "this reader gave no answer that counts here"
    cells: dict[str, Cell] = {name: undefined(reason, "percent") for name in ("first", "second")}
    cells |= {"difference": undefined(reason, "points"), "p": undefined(reason, "p")}
    return Row({"reader": reader, **cells})


def _axis(cells: Sequence[Cell], margin: float | None) -> Axis:
    known = [cell for cell in cells if isinstance(cell, Number)]
    ends = [0.0, 0.1, -0.1, margin or 0.0, -(margin or 0.0)]
    ends += [v for one in known for v in (one.value, one.low, one.high) if math.isfinite(v)]
    return Axis(
        low=math.floor(min(ends) * 10) / 10,
        high=math.ceil(max(ends) * 10) / 10,
        reference=0.0,
        band=(-margin, margin) if margin else None,
        title=f"margin ±{100 * margin:g} points" if margin else "",
    )
