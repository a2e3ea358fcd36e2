"""Endpoint "mrmc-difference": areas under the curve of two or more arms over the same readers.

The first arm of the entry is the reference; every difference is another arm less the reference.
What decides is the mean over readers (`over_readers`); DeLong's test stands beside each reader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from readerstudy.analysis.document import (
    Axis,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    undefined,
)
from readerstudy.analysis.endpoints.calls_by_class import calls_table
from readerstudy.analysis.endpoints.graded import Graded, graded
from readerstudy.analysis.endpoints.mrmc_more import (
    analyses_table,
    components_table,
    global_test,
    margin_block,
    margin_sentence,
    parts_table,
    unused_methods,
)
from readerstudy.analysis.endpoints.over_readers import (
    ASSUMPTIONS,
    RANDOM_WORDS,
    SHORT,
    OverReaders,
    all_analyses,
    is_clustered,
    population_of,
    why_main,
)
from readerstudy.analysis.endpoints.per_reader import (
    TESTS,
    ReaderDifference,
    area_number,
    difference_of,
)
from readerstudy.analysis.endpoints.reclassified import pair_of, reclassification_blocks
from readerstudy.analysis.endpoints.roc_curves import roc_figures
from readerstudy.analysis.endpoints.words import fixed, interval, listed, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

IN_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
HELPERS = {"delong_test", "nri_continuous", "nri_categorical", "idi", "adjust_pvalues"}


def mrmc_difference(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the section of a difference in areas between arms.

    Raises
    ------
    ValueError
        If fewer than two arms are named, the question has no two levels, or no area exists.
    """
    arms = entry.arms or data.protocol.arm_codes
    if len(set(arms)) < 2:
        raise ValueError("a difference between arms needs two arms, the reference first")
    block = graded(data, entry, arms=arms)
    if block.reason:
        raise ValueError(f"{block.reason}, so no ROC curve exists")
    if unread := [arm for place, arm in enumerate(arms) if not block.read[place].any()]:
        lacking = listed([f"“{data.protocol.arm_name(arm)}”" for arm in unread])
        raise ValueError(f"no read with an answer and a known truth in {lacking}")
    names = {arm: data.protocol.arm_name(arm) for arm in arms}
    analyses = all_analyses(block, entry)
    main = analyses[0]
    blocks: list[Block] = list(_passages(block, entry))
    tests: list[Test] = []
    means = [main.mean_number(place, "area").value for place in range(len(arms))]
    blocks += roc_figures(block, names, means)
    leads: list[str] = []
    if len(arms) > 2:
        tests.append(global_test(block, main))
        leads.append(_global_lead(tests[0], len(arms), entry.alpha))
    for place in range(1, len(arms)):
        suffix = f"_{arms[place]}" if len(arms) > 2 else ""
        made = Comparison(data, entry, block, main=main, arm=place, suffix=suffix)
        leads += made.lead()
        blocks += made.blocks
        tests += made.tests
    blocks += [analyses_table(block, analyses, names), components_table(main, block)]
    if parts := parts_table(data, entry, names):
        blocks.append(parts)
    if unused := unused_methods(entry, HELPERS):
        blocks.append(unused)
    return Section(
        entry.code, entry.title, "", lead=tuple(leads), blocks=tuple(blocks), tests=tuple(tests)
    )


def _global_lead(test: Test, arms: int, alpha: float) -> str:
    shown = "differs" if test.p < alpha else "is not shown to differ"
    number = IN_WORDS[arms] if arms < len(IN_WORDS) else str(arms)
    return f"Over the {number} arms the mean AUC {shown} ({p_value(test.p)})."


def _passages(block: Graded, entry: PlannedAnalysis) -> list[Passage]:
    """Say what a reader of the numbers has to know before them."""
    texts = [why_main(block, entry), population_of(block, entry)[1], *block.left.notes()]
    if block.silent:
        texts.append(f"No answer with a known truth from {listed(list(block.silent))}.")
    if not entry.confidence:
        texts.append(
            "No confidence is planned: the call itself is the score, and the area is the mean of "
            "sensitivity and specificity."
        )
    if block.has_repeated_subjects and not is_clustered(block, entry):
        texts.append(
            "Some patients have several cases, which the plan takes as independent "
            f"(unit: {entry.unit}); the unit “patient” would not."
        )
    return [Passage(text) for text in texts if text]


class Comparison:
    """One arm against the reference: table, tests, reclassification, calls and words."""

    def __init__(
        self,
        data: Dataset,
        entry: PlannedAnalysis,
        block: Graded,
        *,
        main: OverReaders,
        arm: int,
        suffix: str,
    ) -> None:
        self.data, self.entry, self.block = data, entry, block
        self.main, self.arm, self.suffix = main, arm, suffix
        names = data.protocol
        self.names = (names.arm_name(block.arms[0]), names.arm_name(block.arms[arm]))
        self.differences = [
            difference_of(block, entry, reader, reference=0, arm=arm)
            for reader in range(len(block.readers))
        ]
        table = self._areas()
        calls, of_calls = calls_table(block, entry, self.names, pair=(0, arm))
        changed, of_changes = reclassification_blocks(pair_of(block, entry, 0, arm), suffix)
        self.tests = [self._main_test(), *self._reader_tests(), *of_changes, *of_calls]
        margin = margin_block(block, entry, self.main, arm=arm, suffix=suffix)
        self.blocks: list[Block] = [table, *([margin[0]] if margin else []), *changed, calls]
        self.tests += margin[1] if margin else []

    def _areas(self) -> Table:
        rows = [self._row(reader) for reader in range(len(self.block.readers))]
        rows += [_silent_row(code) for code in self.block.silent]
        rows.append(self._mean_row())
        differences = [row.cells["difference"] for row in rows]
        return Table(
            code=f"areas{self.suffix}",
            title="AUC and difference" + (f": {self.names[1]}" if self.suffix else ""),
            columns=(
                Column("reader", "Reader", "text"),
                Column("reference", self.names[0], "estimate"),
                Column("arm", self.names[1], "estimate"),
                Column("plot", "Difference", "plot", source="difference"),
                Column("difference", "Difference, second less first", "estimate"),
                Column("p", "p"),
            ),
            rows=tuple(rows),
            method=self._method(),
            n=self.block.n_words(),
            notes=self._notes(),
            axis=_axis([cell for cell in differences if isinstance(cell, Number)], self.entry),
        )

    def _row(self, reader: int) -> Row:
        block, found = self.block, self.differences[reader]
        return Row(
            {
                "reader": block.readers[reader],
                "reference": area_number(block, self.entry, reader, 0),
                "arm": area_number(block, self.entry, reader, self.arm),
                "difference": found.number(
                    reader=block.readers[reader], question=block.question.code
                ),
                "p": _p_cell(found, self._tests_readers),
            }
        )

    @property
    def _tests_readers(self) -> bool:
        return "delong_test" in self.entry.methods

    def _mean_row(self) -> Row:
        row = self.main.difference(0, self.arm)
        p = row.pvalue if row else math.nan
        reason = (row.reason if row else self.main.reason) or "undefined"
        return Row(
            {
                "reader": "Mean",
                "reference": self.main.mean_number(0, "area"),
                "arm": self.main.mean_number(self.arm, "area"),
                "difference": self.main.difference_number(0, self.arm, "difference"),
                "p": Number(p, "p", reason=reason if math.isnan(p) else ""),
            },
            strong=True,
        )

    def _method(self) -> str:
        random, _ = population_of(self.block, self.entry)
        df = self.main.df_words(0, self.arm)
        mean = self.main.result.method if self.main.result else f"not computed, {self.main.reason}"
        kinds = dict.fromkeys(one.kind for one in self.differences if not one.reason)
        readers = "; ".join(TESTS[kind] for kind in kinds) or "no difference defined"
        return (
            f"Mean: {mean}{f', df = {df}' if df else ''}; {RANDOM_WORDS[random]}. "
            f"Rows: {readers}. Limits of areas: Wald, clipped to 0 and 1"
        )

    def _notes(self) -> tuple[str, ...]:
        notes = [
            f"Difference: “{self.names[1]}” less “{self.names[0]}”; above 0 favours the former.",
            f"Positive: {self.block.label(self.block.positive)}. The score is the call with its "
            "confidence; it is never turned round.",
        ]
        if alone := sum(one.n_alone for one in self.differences):
            notes.append(
                f"{alone:,} reads of cases that a reader read in one arm only count in the areas "
                "of this arm, not in the paired differences of the rows."
            )
        result = self.main.result
        notes += [f"{text[:1].upper()}{text[1:]}." for text in (result.warnings if result else ())]
        return tuple(notes)

    def _main_test(self) -> Test:
        row, main = self.main.difference(0, self.arm), self.main
        return Test(
            code=f"main{self.suffix}",
            what=f"Mean AUC, “{self.names[1]}” less “{self.names[0]}”",
            name=main.result.method if main.result else SHORT[main.name],
            unit="reader and patient"
            if is_clustered(self.block, self.entry)
            else "reader and case",
            n=self.block.n_words(),
            null="the mean area under the curve is the same in both arms",
            assumptions=ASSUMPTIONS,
            p=row.pvalue if row else math.nan,
            symbol="z" if row and math.isinf(row.df) else "t",
            statistic=row.t if row else math.nan,
            df=main.df_words(0, self.arm),
            reason=(row.reason if row else main.reason) or "",
            warnings=main.result.warnings if main.result else (),
        )

    def _reader_tests(self) -> list[Test]:
        if not self._tests_readers:
            return []
        return [
            Test(
                code=f"reader{self.suffix}:{reader}",
                what=f"AUC of {reader}, “{self.names[1]}” less “{self.names[0]}”",
                name=TESTS[found.kind],
                unit="patient" if is_clustered(self.block, self.entry) else "case",
                n=f"{found.n:,} cases",
                null="the area under the curve of this reader is the same in both arms",
                assumptions="cases independent of each other; large sample",
                p=found.p,
                symbol="z",
                statistic=found.z,
                reason=found.reason,
            )
            for reader, found in zip(self.block.readers, self.differences, strict=True)
        ]

    def lead(self) -> list[str]:
        """Return the sentences of the summary."""
        row = self.main.difference(0, self.arm)
        what = _topic(self.block.question.text)
        if row is None or math.isnan(row.value):
            reason = self.main.reason or "not defined"
            return [f"The difference in mean AUC {what} is not computed: {reason}."]
        before, after = (self.main.mean_number(a, "area").value for a in (0, self.arm))
        moved = "rose" if after > before else "fell" if after < before else "stayed"
        ends = f"from **{fixed(before, 3)}** to **{fixed(after, 3)}**"
        limits = interval(row, places=3)
        first = (
            f"With “{self.names[1]}” in place of “{self.names[0]}”, the mean AUC {what} {moved} "
            f"{ends}: a difference of **{fixed(row.value, 3)}** ({limits}; {p_value(row.pvalue)})."
        )
        first += f" {self._gains()}"
        if not row.pvalue < self.entry.alpha:
            first += " A difference between the arms is **not shown**."
        said = margin_sentence(self.entry, self.main, self.arm)
        return [first, said] if said else [first]

    def _gains(self) -> str:
        values = [one.value for one in self.differences if not math.isnan(one.value)]
        gained = sum(value > 0 for value in values)
        n = len(values)
        if n < 2:
            return ""
        number = [IN_WORDS[k] if k < len(IN_WORDS) else f"{k:,}" for k in (gained, n)]
        if gained == n:
            return f"{'Both' if n == 2 else f'All {number[1]}'} readers gained."
        if not gained:
            return "No reader gained."
        return f"{number[0].capitalize()} of {number[1]} readers gained."


def _topic(text: str) -> str:
    """Return "for grade of the glioma", or the question in quotation marks."""
    if text.endswith("?"):
        return f"for “{text}”"
    lower = text[:1].lower() + text[1:] if text[1:2].islower() else text
    return f"for {lower}"


def _p_cell(found: ReaderDifference, planned: bool) -> Cell:
    if not planned:
        return "not planned"
    return Number(found.p, "p", reason=found.reason if math.isnan(found.p) else "")


def _silent_row(code: str) -> Row:
    reason = "this reader gave no answer that counts here"
    cells: dict[str, Cell] = {name: undefined(reason, "area") for name in ("reference", "arm")}
    cells |= {"difference": undefined(reason, "difference"), "p": undefined(reason, "p")}
    return Row({"reader": code, **cells})


def _axis(numbers: Sequence[Number], entry: PlannedAnalysis) -> Axis:
    """Return an axis in steps of 0.1 that holds every limit and 0."""
    margin = entry.margin or 0.0
    ends = [0.0, margin, -margin]
    ends += [v for one in numbers for v in (one.value, one.low, one.high) if math.isfinite(v)]
    low, high = math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10
    return Axis(
        low=low,
        high=high if high > low else low + 0.1,
        reference=0.0,
        band=(-margin, margin) if margin else None,
        title=f"margin ±{margin:g}" if margin else "",
    )
