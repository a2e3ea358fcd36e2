"""Agreement on questions with any number of answers: each option by itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Column,
    Number,
    Row,
    Section,
    Table,
    count,
)
from readerstudy.analysis.endpoints.agreement_measures import Measure, measure
from readerstudy.analysis.endpoints.agreement_pairs import in_words
from readerstudy.analysis.endpoints.agreement_panel import Panel, option_panel
from readerstudy.analysis.endpoints.given import Given
from readerstudy.analysis.endpoints.words import fixed, many
from readerstudy.analysis.facts import Dataset, OptionFacts, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

OVERALL = ("percent_agreement", "fleiss_kappa", "gwet_ac")


def option_blocks(
    data: Dataset, entry: PlannedAnalysis, question: QuestionFacts, held: Mapping[str, Given]
) -> Section:
    """Return, option by option, whether readers named it alike."""
    blocks: list[Block] = []
    lead: list[str] = []
    for code, one in held.items():
        if len(one.readers) < 2:
            continue
        several = len(data.protocol.arm_codes) > 1
        where = f", {data.protocol.arm_name(code)}" if several else ""
        rows = [_row(option, option_panel(one, option.code, entry)) for option in question.options]
        blocks.append(_table(entry, one, where, rows))
        lead.append(_lead(where, question, rows, one))
    return Section(entry.code, entry.title, PLANNED, lead=tuple(lead), blocks=tuple(blocks))


def _row(option: OptionFacts, panel: Panel) -> Row:
    chance = "cohen_kappa" if len(panel.readers) == 2 else "fleiss_kappa"
    found: dict[str, Measure] = {
        name: measure(name, panel) for name in ("percent_agreement", chance, "gwet_ac")
    }
    kappa = found[chance].number
    return Row(
        {
            "option": option.label,
            "named": count(int(np.nansum(panel.ratings)), answer=option.code, arm=panel.arm),
            "same": found["percent_agreement"].number,
            "kappa": kappa,
            "words": in_words(kappa.value),
            "ac": found["gwet_ac"].number,
        }
    )


def _table(entry: PlannedAnalysis, held: Given, where: str, rows: list[Row]) -> Table:
    kappa = "Cohen’s kappa" if len(held.readers) == 2 else "Fleiss’s kappa"
    return Table(
        code=f"options_{held.arm}",
        title=f"Agreement on each option{where}",
        columns=(
            Column("option", "Option", "text"),
            Column("named", "Times named"),
            Column("same", "Agreeing pairs, %", "estimate"),
            Column("kappa", kappa, "estimate"),
            Column("words", "In words", "text"),
            Column("ac", "Gwet’s AC1", "estimate"),
        ),
        rows=tuple(rows),
        method=(
            f"Each option is named or not: percent agreement, {kappa}, Gwet’s AC1; bootstrap of "
            f"cases or asymptotic interval for two readers, {entry.draws:,} draws, "
            f"seed {entry.seed}; words after Landis & Koch (1977)"
        ),
        n=f"{many(len(held.items), 'case')}, {many(len(held.readers), 'reader')}, "
        f"{held.not_evaluable} not evaluable, {held.absent} not read",
        notes=("An empty answer says that no option applies.",),
    )


def _lead(where: str, question: QuestionFacts, rows: list[Row], held: Given) -> str:
    defined = [
        (row.cells["kappa"].value, row.cells["option"])
        for row in rows
        if isinstance(row.cells["kappa"], Number) and row.cells["kappa"].defined
    ]
    if not defined:
        return f"No option of “{question.text}”{where} was named often enough for kappa."
    (low, worst), (high, best) = min(defined), max(defined)
    return (
        f"On the options of “{question.text}”{where} kappa lay between **{fixed(low, 2)}** "
        f"({worst}) and **{fixed(high, 2)}** ({best}), {many(len(held.items), 'case')}."
    )
