"""Endpoint "agreement": how far readers give the same answer, pair by pair and all together.

Kappa with what makes it readable (percent agreement, AC1, prevalence), measures of all readers with
intervals from draws of cases, within-group agreement case by case, numbers by ICC and limits of
agreement, and each reader with themselves on hidden repeats. Always of the first answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    undefined,
)
from readerstudy.analysis.endpoints import parts as subgroups
from readerstudy.analysis.endpoints.agreement_measures import (
    Against,
    Measure,
    difference,
    measure,
    standard_error,
)
from readerstudy.analysis.endpoints.agreement_numbers import measured_pairs, per_case
from readerstudy.analysis.endpoints.agreement_options import option_blocks
from readerstudy.analysis.endpoints.agreement_pairs import (
    in_words,
    matrix_table,
    pairs_of,
    pairs_table,
)
from readerstudy.analysis.endpoints.agreement_panel import Panel, panel_of
from readerstudy.analysis.endpoints.agreement_repeats import repeats_table
from readerstudy.analysis.endpoints.given import Given, arms_of, given, label_of
from readerstudy.analysis.endpoints.words import fixed, listed, many, percent
from readerstudy.analysis.facts import Dataset, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

KAPPAS = ("cohen_kappa", "light_kappa", "fleiss_kappa", "conger_kappa", "gwet_ac")
PAIRED_ONLY = ("bland_altman",)
NOT_FROM_ZERO = ("rwg", "percent_agreement", "kendall_w")
"""Measures that are above 0 where readers agree no more than by chance."""


@dataclass(frozen=True)
class Arm:
    """What was answered in one arm, and the measures of all its readers."""

    code: str
    held: Given
    panel: Panel
    measures: tuple[Measure, ...]
    head: Measure

    def words(self, data: Dataset) -> str:
        """Return how a title names the arm; nothing where there is one arm."""
        several = len(data.protocol.arm_codes) > 1
        return f", {data.protocol.arm_name(self.code)}" if several else ""


def agreement(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the agreement of readers on the first answers to a question.

    Raises
    ------
    ValueError
        If fewer than two readers answered, or the answers are text or marks on the image.
    """
    question = data.protocol.question(entry.question)
    codes = arms_of(data, entry)
    held = {code: given(data, entry, code) for code in codes}
    if all(len(one.readers) < 2 for one in held.values()):
        raise ValueError("agreement needs two readers with answers, and there are not two")
    if question.kind == "multi":
        return option_blocks(data, entry, question, held)
    arms = [_arm(data, entry, question, one) for one in held.values()]
    blocks: list[Block] = [_all_readers(data, entry, arms)]
    for arm in arms:
        blocks += _arm_blocks(data, entry, question, arm)
    blocks += [block for arm in arms if (block := repeats_table(data, entry, question, arm.code))]
    blocks += [_subgroup(data, entry, question, name) for name in entry.subgroups]
    blocks += [Passage(text) for text in _remarks(entry, arms)]
    return Section(
        code=entry.code,
        title=entry.title,
        tag=PLANNED,
        lead=tuple(line for arm in arms for line in _lead(data, entry, arm)),
        blocks=tuple(blocks),
        tests=tuple(test for arm in arms for test in _tests(data, entry, arm)),
    )


def _arm(data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, held: Given) -> Arm:
    panel = panel_of(held, question, data.protocol, entry)
    names = names_of(entry, panel)
    found = tuple(measure(name, panel) for name in names)
    return Arm(held.arm, held, panel, found, _head(found))


def names_of(entry: PlannedAnalysis, panel: Panel) -> list[str]:
    """Return the planned measures, then those without which the planned ones mislead."""
    names = [name for name in entry.methods if name not in PAIRED_ONLY]
    if not panel.is_categorical:
        return list(dict.fromkeys((*names, "icc")))
    if set(names) & set(KAPPAS) or not names:
        several = len(panel.readers) > 2
        names += ["cohen_kappa", *(["fleiss_kappa"] if several else []), "gwet_ac"]
    names = list(dict.fromkeys(("percent_agreement", *names)))
    if len(panel.complete.items) < len(panel.items) and "krippendorff_alpha" not in names:
        names.append("krippendorff_alpha")
    return names


def _head(found: Sequence[Measure]) -> Measure:
    """Return the measure that the lead states: the first planned one that allows for chance."""
    chance = [one for one in found if one.name != "percent_agreement"]
    fleiss = next((one for one in chance if one.name == "fleiss_kappa"), None)
    first = next((one for one in chance if one.number.defined), (chance or list(found))[0])
    is_kappa = first.name in ("cohen_kappa", "light_kappa")
    return fleiss if fleiss is not None and is_kappa and fleiss.number.defined else first


def _lead(data: Dataset, entry: PlannedAnalysis, arm: Arm) -> list[str]:
    where = f" ({data.protocol.arm_name(arm.code)})" if len(data.protocol.arm_codes) > 1 else ""
    head = arm.head
    if not head.number.defined:
        return [f"{head.label}{where} is not defined: {head.number.reason}."]
    same = next((one for one in arm.measures if one.name == "percent_agreement"), None)
    begin = (
        f"{many(len(arm.held.readers), 'reader')} gave the same answer{where} in "
        f"**{percent(same.number.value)} %** of their pairs of answers. "
        if same is not None and same.number.defined
        else ""
    )
    label = f"{head.label}{where if not begin else ''}"
    words = f", {in_words(head.number.value)}" if head.name in KAPPAS else ""
    lines = [
        f"{begin}{label} was **{fixed(head.number.value, 2)}** "
        f"({_limits(head.number)}{words}, n = {head.n:,} cases)."
    ]
    return lines + ([_threshold(entry, head)] if entry.threshold is not None else [])


def _limits(number: Number) -> str:
    if not number.has_interval:
        return number.reason or "no interval"
    low, high = fixed(number.low, 2), fixed(number.high, 2)
    return f"{100 * number.level:g} % interval {low} to {high}"


def _threshold(entry: PlannedAnalysis, head: Measure) -> str:
    """Say whether the planned least agreement is reached, and whether that is shown."""
    least = float(entry.threshold or 0.0)
    begin = f"The plan counts {fixed(least, 2)} and above as reproducible"
    if head.number.value < least:
        return f"{begin}: **not reached**."
    if head.number.has_interval and head.number.low >= least:
        return f"{begin}: **reached**, by the whole interval."
    return f"{begin}: **reached**, but the interval goes below it, so less is not ruled out."


def _all_readers(data: Dataset, entry: PlannedAnalysis, arms: Sequence[Arm]) -> Table:
    rows = [_measure_row(data, arm, one) for arm in arms for one in arm.measures]
    rows += _difference_rows(data, arms)
    several = len(data.protocol.arm_codes) > 1
    return Table(
        code="all_readers",
        title="Agreement of all readers",
        columns=(
            *([Column("arm", "Arm", "text")] if several else []),
            Column("measure", "Measure", "text"),
            Column("value", "Value", "estimate"),
            Column("n", "Cases"),
            Column("how", "Method", "text"),
        ),
        rows=tuple(rows),
        method=(
            f"{100 * (1 - entry.alpha):g} % intervals; draws with replacement of "
            f"{'patients' if entry.unit == 'subject' else 'cases'} with all their reads"
        ),
        n="; ".join(_size(data, arm) for arm in arms),
        notes=_notes(arms),
    )


def _measure_row(data: Dataset, arm: Arm, one: Measure) -> Row:
    return Row(
        {
            "arm": data.protocol.arm_name(arm.code),
            "measure": one.label,
            "value": one.number,
            "n": count(one.n, arm=arm.code),
            "how": one.method or one.number.reason,
        },
        strong=one is arm.head,
    )


def _difference_rows(data: Dataset, arms: Sequence[Arm]) -> list[Row]:
    """Return each measure of a later arm less that of the first one."""
    rows = []
    for arm in arms[1:]:
        names = " less ".join(data.protocol.arm_name(one.code) for one in (arm, arms[0]))
        pairs = zip(arms[0].measures, arm.measures, strict=False)
        for before, after in pairs:
            if before.name != after.name or before.sums is None:
                continue
            names = (
                f"{data.protocol.arm_name(arm.code)} less {data.protocol.arm_name(arms[0].code)}"
            )
            rows.append(
                Row(
                    {
                        "arm": names,
                        "measure": after.label,
                        "value": difference(before, after, arm.panel),
                        "n": count(min(before.n, after.n)),
                        "how": "both arms of a case drawn together; no test is planned",
                    }
                )
            )
    return rows


def _size(data: Dataset, arm: Arm) -> str:
    where = f"{data.protocol.arm_name(arm.code)}: " if len(data.protocol.arm_codes) > 1 else ""
    held = arm.held
    return (
        f"{where}{many(len(held.items), 'case')}, {many(len(held.readers), 'reader')}, "
        f"{held.not_evaluable} not evaluable, {held.absent} not read"
    )


def _notes(arms: Sequence[Arm]) -> tuple[str, ...]:
    notes = []
    for arm in arms:
        if arm.held.silent:
            verb = "has" if len(arm.held.silent) == 1 else "have"
            notes.append(f"{listed(list(arm.held.silent))} {verb} no answer to this question.")
        if arm.held.incomplete:
            notes.append(
                f"{arm.held.incomplete} cases were left out, as not every reader read them in "
                "every arm."
            )
        partly = len(arm.panel.items) - len(arm.panel.complete.items)
        if partly:
            notes.append(
                f"{partly} cases lack an answer of some reader: kappas of all readers and "
                "correlations leave them out; AC1, alpha and percent agreement use what there is."
            )
    return tuple(dict.fromkeys(notes))


def _arm_blocks(
    data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, arm: Arm
) -> list[Block]:
    words, code = arm.words(data), f"pairs_{arm.code}"
    if len(arm.panel.readers) < 2:
        return []
    if not arm.panel.is_categorical:
        return [measured_pairs(arm.panel, question.unit, words, code)]
    pairs = pairs_of(arm.panel)
    found: list[Block] = [
        matrix_table(arm.panel, pairs, words, f"kappa_{arm.code}"),
        _margins(arm, question, words),
        pairs_table(arm.panel, pairs, words, code),
    ]
    if "rwg" in entry.methods and arm.panel.is_ordered:
        found += per_case(arm.panel, words, f"rwg_{arm.code}") or ()
    return found


def _margins(arm: Arm, question: QuestionFacts, words: str) -> Table:
    """Return how often each reader gave each level."""
    levels = [(str(place), level) for place, level in enumerate(arm.panel.levels)]
    rows = []
    for column, reader in enumerate(arm.panel.readers):
        rated = arm.panel.ratings[:, column]
        n = int((~np.isnan(rated)).sum())
        shares = {
            f"level_{place}": Number(
                float((rated == int(place)).sum()) / n if n else math.nan,
                "percent",
                reason="" if n else "no answer",
                behind={"reader": reader, "arm": arm.code, "answer": level},
            )
            for place, level in levels
        }
        rows.append(Row({"reader": reader, "n": count(n, reader=reader, arm=arm.code), **shares}))
    return Table(
        code=f"margins_{arm.code}",
        title=f"How often each level was given{words}, %",
        columns=(
            Column("reader", "Reader", "text"),
            Column("n", "Answers"),
            *(Column(f"level_{place}", label_of(question, level)) for place, level in levels),
        ),
        rows=tuple(rows),
        method="Shares of the answers of each reader: what kappa’s allowance for chance rests on",
        n=f"{len(arm.panel.items):,} cases",
        width="half",
    )


def _subgroup(data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, name: str) -> Table:
    rows = []
    for label, part in subgroups.parts(data, name):
        for code in arms_of(part, entry):
            held = given(part, entry, code)
            rows.append(_part_row(data, entry, question, label, held))
    several = len(data.protocol.arm_codes) > 1
    return Table(
        code=f"subgroup_{name.replace(':', '_')}",
        title=f"Agreement by {subgroups.in_words(name)}",
        columns=(
            Column("part", "Part", "text"),
            *([Column("arm", "Arm", "text")] if several else []),
            Column("measure", "Measure", "text"),
            Column("value", "Value", "estimate"),
            Column("n", "Cases"),
        ),
        rows=tuple(rows),
        method="The measure of the summary once more in each part; planned subgroup, no test",
        n=many(len(rows), "part"),
        width="half",
    )


def _part_row(
    data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, label: str, held: Given
) -> Row:
    cells = {"part": label, "arm": data.protocol.arm_name(held.arm)}
    if len(held.readers) < 2:
        reason = "fewer than two readers answered"
        number = undefined(reason, "kappa")
        return Row({**cells, "measure": "", "value": number, "n": count(len(held.items))})
    head = _arm(data, entry, question, held).head
    return Row({**cells, "measure": head.label, "value": head.number, "n": count(head.n)})


def _tests(data: Dataset, entry: PlannedAnalysis, arm: Arm) -> list[Test]:
    """Return the test of no agreement beyond chance, and of the planned least agreement."""
    head = _tested(arm)
    if not head.number.defined:
        return []
    where = f", {data.protocol.arm_name(arm.code)}" if len(data.protocol.arm_codes) > 1 else ""
    common = _test_words(arm, head)
    chance = head.against or _wald(head, arm.panel, 0.0)
    found = [
        Test(
            code="main",
            what=f"{head.label}{where} against agreement by chance",
            null="readers agree as by chance (0)",
            **common,
            **vars(chance),
        )
    ]
    if entry.threshold is not None:
        found.append(
            Test(
                code="threshold",
                what=f"{arm.head.label}{where} against the planned least of {entry.threshold:g}",
                null=f"agreement is {entry.threshold:g} or less",
                **_test_words(arm, arm.head),
                **vars(_wald(arm.head, arm.panel, entry.threshold)),
            )
        )
    return found


def _tested(arm: Arm) -> Measure:
    """Return the measure that is tested against chance: one that is 0 where there is no more."""
    if arm.head.name not in NOT_FROM_ZERO:
        return arm.head
    others = [one for one in arm.measures if one.name not in NOT_FROM_ZERO and one.number.defined]
    return others[0] if others else replace(arm.head, number=undefined("no test from 0"))


def _test_words(arm: Arm, head: Measure) -> dict[str, Any]:
    unit = "patient" if arm.panel.is_clustered else "case"
    clusters = head.sums.clusters if head.sums else arm.panel.clusters
    return {
        "unit": unit,
        "n": f"{many(len(set(clusters)), unit)}, {many(len(arm.panel.readers), 'reader')}",
        "assumptions": f"{unit}s are independent; the statement is about these readers",
    }


def _wald(head: Measure, panel: Panel, least: float) -> Against:
    """Test an agreement by the spread of its draws; one-sided against a planned least."""
    se = standard_error(head, panel)
    z = (head.number.value - least) / se if se > 0.0 else math.nan
    two_sided = least == 0.0
    return Against(
        name=f"Wald test with the standard error of the draws{'' if two_sided else ', one-sided'}",
        symbol="z",
        statistic=z,
        p=float(2.0 * special.ndtr(-abs(z))) if two_sided else float(special.ndtr(-z)),
        reason="" if se > 0.0 else "the draws give no standard error",
    )


def _remarks(entry: PlannedAnalysis, arms: Sequence[Arm]) -> list[str]:
    found = []
    if entry.consensus:
        found.append(
            "The plan names the answers after consensus. They are one answer a case, so agreement "
            "is always of the first answers."
        )
    if any(arm.panel.is_ordered for arm in arms):
        found.append(
            "Levels are ordered: Cohen’s kappa and AC2 have linear weights, alpha the ordinal "
            "metric; Fleiss’s and Conger’s kappa count any two levels as equally far apart."
        )
    return found
