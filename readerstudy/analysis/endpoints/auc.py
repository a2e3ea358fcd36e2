"""Endpoint "auc": the area under the ROC curve in each arm alone, with Youden's threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    NAN,
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
    count,
    number_of,
    undefined,
)
from readerstudy.analysis.endpoints.graded import Graded, graded
from readerstudy.analysis.endpoints.mrmc_more import unused_methods
from readerstudy.analysis.endpoints.over_readers import (
    ANALYSES,
    ASSUMPTIONS,
    RANDOM_WORDS,
    SHORT,
    OverReaders,
    is_clustered,
    main_analysis,
    over_readers,
    population_of,
)
from readerstudy.analysis.endpoints.parts import in_words, parts
from readerstudy.analysis.endpoints.per_reader import area_number
from readerstudy.analysis.endpoints.roc_curves import roc_figures
from readerstudy.analysis.endpoints.thresholds import OPTIMISM, best_threshold
from readerstudy.analysis.endpoints.words import interval, listed, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

CHANCE = 0.5
MAX_FPR = 0.2
USED = {
    "auc",
    "clustered_auc",
    "bootstrap_auc",
    "partial_auc",
    "roc_curve",
    "youden",
    "confusion",
    "adjust_pvalues",
    *ANALYSES,
}


def area(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the section of the areas of each arm.

    Raises
    ------
    ValueError
        If no arm has an area.
    """
    question = data.protocol.question(entry.question)
    wanted = entry.arms or data.protocol.arm_codes
    arms = [arm for arm in wanted if not question.arms or arm in question.arms]
    block = graded(data, entry, arms=arms)
    if block.reason:
        raise ValueError(f"{block.reason}, so no ROC curve exists")
    names = {arm: data.protocol.arm_name(arm) for arm in arms}
    made = [
        ArmArea(entry, block, place, names[arm], len(arms) > 1) for place, arm in enumerate(arms)
    ]
    blocks: list[Block] = [Passage(text) for text in _notes(block, entry) if text]
    blocks += roc_figures(block, names, [one.mean_value for one in made], compare=False)
    for one in made:
        blocks += one.blocks()
    blocks += _subgroups(data, entry, names)
    if unused := unused_methods(entry, USED):
        blocks.append(unused)
    return Section(
        entry.code,
        entry.title,
        "",
        lead=tuple(one.lead() for one in made),
        blocks=tuple(blocks),
        tests=tuple(one.test() for one in made),
    )


def _notes(block: Graded, entry: PlannedAnalysis) -> list[str]:
    silent = f"No answer with a known truth from {listed(list(block.silent))}."
    return [
        population_of(block, entry)[1],
        *block.left.notes(),
        silent if block.silent else "",
        ""
        if entry.confidence
        else "No confidence is planned: the call itself is the score, and the area is the mean of "
        "sensitivity and specificity.",
        "Some patients have several cases, which the plan takes as independent; the unit "
        "“patient” would not."
        if block.has_repeated_subjects and not is_clustered(block, entry)
        else "",
    ]


class ArmArea:
    """The areas of one arm: readers, their mean, thresholds."""

    def __init__(
        self, entry: PlannedAnalysis, block: Graded, arm: int, name: str, several: bool
    ) -> None:
        self.entry, self.name, self.code = entry, name, block.arms[arm]
        self.suffix = f"_{self.code}" if several else ""
        alone = block.of_arms([arm]).of_items(np.arange(len(block.items)))
        absent = tuple(code for code in block.readers if code not in alone.readers)
        self.block = replace(alone, silent=(*block.silent, *absent))
        self.main = self._over_readers()
        self.mean_value = self.main.mean_number(0, "area").value

    def _over_readers(self) -> OverReaders:
        name = main_analysis(self.block, self.entry)
        if self.block.reason:
            return OverReaders(name, None, self.block.reason)
        return over_readers(self.block, self.entry, name)

    def blocks(self) -> list[Block]:
        """Return the table of areas and, where it is planned, that of thresholds."""
        blocks: list[Block] = [self._areas()]
        if "youden" in self.entry.methods:
            blocks.append(self._thresholds())
        return blocks

    def _areas(self) -> Table:
        readers = range(len(self.block.readers))
        rows = [Row(self._reader(reader)) for reader in readers]
        rows += [_silent(reader) for reader in self.block.silent]
        rows.append(Row(self._mean(rows), strong=True))
        more = [column for column, planned in self._columns() if planned]
        title = "Area under the ROC curve"
        return Table(
            code=f"areas{self.suffix}",
            title=f"{title}: {self.name}" if self.suffix else title,
            columns=(
                Column("reader", "Reader", "text"),
                Column("cases", "Cases"),
                Column("area", "AUC", "estimate"),
                Column("plot", "AUC", "plot", source="area"),
                *more,
            ),
            rows=tuple(rows),
            method=self._method(),
            n=self.block.n_words(),
            notes=(f"Positive: {self.block.label(self.block.positive)}; never turned round.",),
            axis=_axis([row.cells["area"] for row in rows]),
        )

    def _columns(self) -> list[tuple[Column, bool]]:
        methods = self.entry.methods
        partial = Column("partial", f"Partial AUC, 1 − specificity up to {self._max_fpr:g}")
        return [
            (Column("bootstrap", "AUC, bootstrap", "estimate"), "bootstrap_auc" in methods),
            (partial, "partial_auc" in methods),
        ]

    @property
    def _max_fpr(self) -> float:
        return self.entry.cutoffs[0] if self.entry.cutoffs else MAX_FPR

    def _reader(self, reader: int) -> dict[str, Cell]:
        block, entry = self.block, self.entry
        score = block.score[0, reader]
        seen = ~np.isnan(score)
        cells: dict[str, Cell] = {
            "reader": block.readers[reader],
            "cases": count(int(seen.sum()), reader=block.readers[reader], arm=self.code),
            "area": area_number(block, entry, reader, 0),
        }
        if "bootstrap_auc" in entry.methods:
            persons = block.subject[seen].tolist() if is_clustered(block, entry) else None
            found = stats.bootstrap_auc(
                block.truth[seen],
                score[seen],
                n_boot=entry.draws,
                seed=entry.seed,
                level=1 - entry.alpha,
                cluster=persons,
            )
            cells["bootstrap"] = number_of(found, "area")
        if "partial_auc" in entry.methods:
            part = stats.partial_auc(block.truth[seen], score[seen], max_fpr=self._max_fpr)
            cells["partial"] = Number(part.value, "area", reason=part.reason or "")
        return cells

    def _mean(self, rows: Sequence[Row]) -> dict[str, Cell]:
        found: dict[str, Cell] = {
            "reader": "Mean",
            "cases": count(len(self.block.items)),
            "area": self.main.mean_number(0, "area"),
            "bootstrap": "of readers alone",
        }
        known = [row.cells.get("partial") for row in rows]
        values = [one.value for one in known if isinstance(one, Number) and one.defined]
        found["partial"] = Number(
            float(np.mean(values)) if values else NAN,
            "area",
            reason="" if values else "no reader has a partial area",
        )
        return found

    def _method(self) -> str:
        block, entry = self.block, self.entry
        rows = "Rows: DeLong 1988"
        if is_clustered(block, entry):
            rows = "Rows: clustered by patient (Obuchowski 1997)"
        mean = self.main.result.method if self.main.result else f"not computed, {self.main.reason}"
        text = f"{rows}, Wald limits clipped to 0 and 1. Mean: {mean}; "
        text += RANDOM_WORDS[population_of(block, entry)[0]]
        if "bootstrap_auc" in entry.methods:
            text += f". Bootstrap: percentile limits, {entry.draws:,} draws, seed {entry.seed}"
        if "partial_auc" in entry.methods:
            text += ". Partial AUC: standardised after McClish 1989, 0.5 by chance, no interval"
        return text

    def _thresholds(self) -> Table:
        rows = [self._best_row(reader) for reader in range(len(self.block.readers))]
        unit = "patient" if is_clustered(self.block, self.entry) else "case"
        return Table(
            code=f"youden{self.suffix}",
            title="Youden’s threshold" + (f": {self.name}" if self.suffix else ""),
            columns=(
                Column("reader", "Reader", "text"),
                Column("threshold", "Positive from", "text"),
                Column("j", "J"),
                Column("sensitivity", "Sensitivity, %", "estimate"),
                Column("specificity", "Specificity, %", "estimate"),
                Column("accuracy", "Accuracy, %", "estimate"),
            ),
            rows=tuple(rows),
            method="Largest sensitivity + specificity − 1 (Youden 1950); limits exact for one "
            f"{unit} each (Clopper & Pearson 1934), else Wilson at the effective sample size",
            n=self.block.n_words(),
            notes=(OPTIMISM, *self._ties(rows)),
        )

    def _ties(self, rows: Sequence[Row]) -> list[str]:
        tied = [str(row.cells["reader"]) for row in rows if row.cells.get("ties") == "yes"]
        if not tied:
            return []
        return [f"Several thresholds are equally good for {listed(tied)}; the lowest is shown."]

    def _best_row(self, reader: int) -> Row:
        found = best_threshold(self.block, self.entry, reader)
        cells: dict[str, Cell] = {
            "reader": self.block.readers[reader],
            "threshold": found.words or found.reason,
            "j": Number(found.j, "kappa", reason=found.reason if math.isnan(found.j) else ""),
            "sensitivity": found.sensitivity,
            "specificity": found.specificity,
            "accuracy": found.accuracy,
            "ties": "yes" if found.ties > 1 else "",
        }
        return Row(cells)

    def _t(self) -> tuple[float, float, str]:
        """Return t and p of the mean area against 0.5, and the degrees of freedom in words."""
        mean = self.main.mean(0)
        if mean is None or not mean.se > 0:
            return NAN, NAN, ""
        t = (mean.value - CHANCE) / mean.se
        from readerstudy.stats.mrmc_anova import two_sided_p

        df = mean.df if not math.isnan(mean.df) else math.inf
        return t, two_sided_p(t, df), "" if math.isinf(df) else f"{df:.1f}"

    def test(self) -> Test:
        """Return the test of the mean area against guessing."""
        t, p, df = self._t()
        mean = self.main.mean(0)
        reason = (mean.reason if mean else self.main.reason) or "the standard error is 0"
        return Test(
            code=f"main{self.suffix}",
            what=f"Mean AUC in “{self.name}” against 0.5",
            name=self.main.result.method if self.main.result else SHORT[self.main.name],
            unit="reader and patient"
            if is_clustered(self.block, self.entry)
            else "reader and case",
            n=self.block.n_words(),
            null="the mean area under the curve is 0.5",
            assumptions=ASSUMPTIONS,
            p=p,
            symbol="t" if df else "z",
            statistic=t,
            df=df,
            reason=reason if math.isnan(p) else "",
            warnings=self.main.result.warnings if self.main.result else (),
        )

    def lead(self) -> str:
        """Return the sentence of the summary."""
        where = f" in “{self.name}”" if self.suffix else ""
        question = self.block.question.text
        number = self.main.mean_number(0, "area")
        if not number.defined:
            return f"The mean AUC for “{question}”{where} is not computed: {number.reason}."
        _, p, _ = self._t()
        known = "of the one reader" if len(self.block.readers) == 1 else "over readers"
        return (
            f"The mean AUC {known} for “{question}”{where} is **{number.value:.3f}** "
            f"({interval(number, places=3)}; against guessing {p_value(p)})."
        )


def _silent(reader: str) -> Row:
    reason = "this reader gave no answer that counts here"
    cells: dict[str, Cell] = {
        n: undefined(reason, "area") for n in ("area", "bootstrap", "partial")
    }
    return Row({"reader": reader, "cases": count(0), **cells})


def _axis(cells: Sequence[Cell]) -> Axis:
    known = [one for one in cells if isinstance(one, Number)]
    ends = [CHANCE, 1.0]
    ends += [v for one in known for v in (one.value, one.low) if math.isfinite(v)]
    return Axis(math.floor(min(ends) * 10) / 10, 1.0, reference=CHANCE, title="0.5 is guessing")


def _subgroups(data: Dataset, entry: PlannedAnalysis, names: dict[str, str]) -> list[Block]:
    """Return the mean areas in the planned subgroups, without a test."""
    blocks: list[Block] = []
    for name in entry.subgroups:
        rows = []
        for label, part in parts(data, name):
            block = graded(part, entry, arms=tuple(names))
            for place, arm in enumerate(names.values()):
                made = ArmArea(entry, block, place, arm, True) if not block.reason else None
                cells: dict[str, Cell] = {
                    "part": label,
                    "arm": arm,
                    "cases": count(len(block.items)),
                    "area": made.main.mean_number(0, "area")
                    if made
                    else undefined(block.reason, "area"),
                }
                rows.append(Row(cells))
        blocks.append(
            Table(
                code=f"subgroup_{name.replace(':', '_')}",
                title=f"By {in_words(name)}",
                columns=(
                    Column("part", "Part", "text"),
                    *([Column("arm", "Arm", "text")] if len(names) > 1 else []),
                    Column("cases", "Cases"),
                    Column("area", "Mean AUC", "estimate"),
                ),
                rows=tuple(rows),
                method="As the mean over readers, in each part alone; no test",
                n=f"{len(rows)} parts",
                width="half",
            )
        )
    return blocks
