"""How far readers agree with themselves on hidden repeats, for every question."""

from __future__ import annotations

from dataclasses import replace

from readerstudy.analysis.document import DESCRIPTIVE, Block, Section
from readerstudy.analysis.endpoints.agreement_repeats import repeats_table
from readerstudy.analysis.facts import Dataset, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis

KINDS = ("single", "ordinal", "confidence", "number", "place")


def described_repeats(data: Dataset) -> list[Section]:
    """Return first and repeated answers to each question; nothing where nothing was repeated."""
    if not any(read.repeat for read in data.reads):
        return []
    blocks = [
        block
        for question in data.protocol.questions
        if question.kind in KINDS
        for arm in data.protocol.arm_codes
        if (block := _block(data, question, arm)) is not None
    ]
    title = "Same reader, hidden repeats"
    return [Section("described_repeats", title, DESCRIPTIVE, blocks=tuple(blocks))]


def _block(data: Dataset, question: QuestionFacts, arm: str) -> Block | None:
    if question.arms and arm not in question.arms:
        return None
    entry = PlannedAnalysis(
        code=question.code, title=question.text, question=question.code, endpoint="agreement"
    )
    table = repeats_table(data, entry, question, arm)
    if table is None:
        return None
    arms = f", {data.protocol.arm_name(arm)}" if len(data.protocol.arm_codes) > 1 else ""
    return replace(table, code=f"{table.code}_{question.code}", title=f"{question.text}{arms}")
