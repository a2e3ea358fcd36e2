"""What was answered: each question by arm and reader. No truth is used and nothing is tested."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    count,
    undefined,
)
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import EQUAL, Dataset, QuestionFacts, Read

PLACES = ("place", "ranking")
NOT_EVALUABLE = "not_evaluable"
FEW_LEVELS = 4  # with more, shares stand in a row of all readers


def described_answers(data: Dataset) -> list[Section]:
    """Return the section of all answers, a table to each question."""
    blocks: list[Block] = [_block(data, question) for question in data.protocol.questions]
    if not blocks:
        return []
    return [Section("described_answers", "Answers by question", DESCRIPTIVE, blocks=tuple(blocks))]


def levels_of(data: Dataset, question: QuestionFacts) -> tuple[tuple[str, str], ...]:
    """Return code and words of every level; of images beside each other the members."""
    if question.kind in PLACES:
        members = tuple((str(n), f"Case {n + 1}") for n in range(data.protocol.places))
        return (*members, (EQUAL, "Equal")) if question.equal else members
    return tuple((option.code, option.label) for option in question.options)


def levels_in(answer: Any) -> list[str]:
    """Return the levels that an answer names; of a ranking the one ranked first."""
    if isinstance(answer, dict):
        if "members" not in answer:
            return []
        return [str(answer["members"][0])] if answer["members"] else [EQUAL]
    if isinstance(answer, list | tuple):
        return [str(one) for one in answer]
    return [answer] if isinstance(answer, str) else []


def _block(data: Dataset, question: QuestionFacts) -> Block:
    levels = levels_of(data, question)
    places = [
        (arm, reader)
        for arm in data.protocol.arm_codes
        if not question.arms or arm in question.arms
        for reader in data.reader_codes
    ]
    by_place: dict[tuple[str, str], list[Read]] = {place: [] for place in places}
    for read in data.first_reads:
        if (read.arm, read.reader) in by_place:
            by_place[read.arm, read.reader].append(read)
    if not levels and not _has_numbers(question, data):
        told = sum(question.code in read.answers for read in data.first_reads)
        kind = "marked place" if question.kind == "region" else "text"
        return Passage(f"{question.text} {many(told, kind)}, in the export in full.")
    rows = [
        (_level_row if levels else _number_row)(data, question, place, reads)
        for place, reads in by_place.items()
    ]
    if len(levels) > FEW_LEVELS:
        rows += [_share_row(data, question, arm, by_place) for arm in data.protocol.arm_codes]
    return Table(
        code=f"answers_{question.code}",
        title=question.text,
        columns=_columns(data, question, levels),
        rows=tuple(rows),
        method=_method(question, levels),
        n=many(sum(question.code in read.answers for read in data.first_reads), "answer"),
    )


def _has_numbers(question: QuestionFacts, data: Dataset) -> bool:
    return question.kind in ("number", "confidence") or any(
        _is_number(read.answers.get(question.code)) for read in data.first_reads
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _method(question: QuestionFacts, levels: Sequence[Any]) -> str:
    first = "First presentations only."
    if not levels:
        return f"{first} SD with n − 1."
    if question.kind == "multi":
        return f"{first} Counts and shares of the answers that name a level; several may be named."
    return f"{first} Counts and shares of the answers."


def _columns(
    data: Dataset, question: QuestionFacts, levels: Sequence[tuple[str, str]]
) -> tuple[Column, ...]:
    unit = f", {question.unit}" if question.unit else ""
    columns = [Column("reader", "Reader", "text")]
    columns += [Column("arm", "Arm", "text")] if len(data.protocol.arm_codes) > 1 else []
    for code, label in levels:
        if len(levels) <= FEW_LEVELS:
            columns.append(Column(f"n_{code}", "n", group=label))
            columns.append(Column(f"share_{code}", "%", group=label))
        else:
            columns.append(Column(f"n_{code}", label))
    if not levels:
        columns += [
            Column("median", f"Median{unit}"),
            Column("mean", f"Mean{unit}"),
            Column("sd", f"SD{unit}"),
            Column("least", f"Least{unit}"),
            Column("most", f"Most{unit}"),
        ]
    return (*columns, Column("not_evaluable", "Not evaluable"), Column("n", "Answers"))


def _shared(
    data: Dataset, question: QuestionFacts, place: tuple[str, str], reads: Sequence[Read]
) -> tuple[dict[str, Cell], dict[str, str]]:
    """Return the cells that every row has, and the filter of its reads."""
    arm, reader = place
    behind = {"reader": reader, "question": question.code}
    if len(data.protocol.arm_codes) > 1:
        behind["arm"] = arm
    silent = sum(question.code in read.not_evaluable for read in reads)
    answered = sum(question.code in read.answers for read in reads)
    cells: dict[str, Cell] = {
        "reader": reader,
        "arm": data.protocol.arm_name(arm),
        "not_evaluable": count(silent, **behind, answer=NOT_EVALUABLE),
        "n": count(answered),
    }
    return cells, behind


def _level_row(
    data: Dataset, question: QuestionFacts, place: tuple[str, str], reads: Sequence[Read]
) -> Row:
    cells, behind = _shared(data, question, place, reads)
    answered = [read.answers[question.code] for read in reads if question.code in read.answers]
    counts = Counter(level for answer in answered for level in levels_in(answer))
    for code, _ in levels_of(data, question):
        cells[f"n_{code}"] = count(counts[code], **behind, answer=code)
        cells[f"share_{code}"] = (
            Number(counts[code] / len(answered), "percent")
            if answered
            else undefined("no answer", "percent")
        )
    return Row(cells)


def _share_row(
    data: Dataset,
    question: QuestionFacts,
    arm: str,
    by_place: Mapping[tuple[str, str], Sequence[Read]],
) -> Row:
    """Return the shares of all readers in one arm, where there is no column for each reader's."""
    reads = [read for (held, _), own in by_place.items() if held == arm for read in own]
    shares = _level_row(data, question, (arm, ""), reads).cells
    cells: dict[str, Cell] = {
        "reader": "All readers, %",
        "arm": data.protocol.arm_name(arm),
        "not_evaluable": "",
        "n": shares["n"],
    }
    for code, _ in levels_of(data, question):
        cells[f"n_{code}"] = shares[f"share_{code}"]
    return Row(cells, strong=True)


def _number_row(
    data: Dataset, question: QuestionFacts, place: tuple[str, str], reads: Sequence[Read]
) -> Row:
    cells, _ = _shared(data, question, place, reads)
    given = (read.answers.get(question.code) for read in reads)
    numbers = [float(one) for one in given if isinstance(one, int | float) and _is_number(one)]
    none = undefined("no number")
    cells |= {
        "median": Number(statistics.median(numbers)) if numbers else none,
        "mean": Number(statistics.fmean(numbers)) if numbers else none,
        "sd": Number(statistics.stdev(numbers)) if len(numbers) > 1 else _one_number(numbers),
        "least": Number(min(numbers)) if numbers else none,
        "most": Number(max(numbers)) if numbers else none,
    }
    return Row(cells)


def _one_number(numbers: Sequence[float]) -> Number:
    return undefined("only one number" if numbers else "no number")
