"""Carry out a plan on a data set: every endpoint a section, every family adjusted, no gap.

What cannot be computed is said in the place where the numbers would stand.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import (
    DESCRIPTIVE,
    EXPLORATORY,
    PLANNED,
    Block,
    Cell,
    Document,
    Passage,
    Section,
    Table,
    Test,
)
from readerstudy.analysis.endpoints.registry import DESCRIPTIONS, ENDPOINTS, Endpoint
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import Plan, PlannedAnalysis, document_of

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Entry:
    """One endpoint to compute, and whether it stood in the plan before the data."""

    planned: PlannedAnalysis
    tag: str = PLANNED


def entries_of(plan: Plan, exploratory: Plan = ()) -> tuple[Entry, ...]:
    """Return what was planned, then what was asked for later."""
    later = tuple(Entry(one, EXPLORATORY) for one in exploratory)
    return (*(Entry(one) for one in plan), *later)


def carry_out(
    data: Dataset,
    entries: Sequence[Entry],
    *,
    provenance: dict[str, Any] | None = None,
    tell: Tell | None = None,
) -> Document:
    """Return the document of all endpoints and descriptions.

    ``tell`` is called with step, number of steps and title before each part; it may raise to
    cancel the run.
    """
    tell = tell or _silent
    steps = len(entries) + len(DESCRIPTIONS)
    sections: list[Section] = []
    for number, entry in enumerate(entries):
        tell(number, steps, entry.planned.title)
        sections.append(_endpoint(data, entry))
    sections = adjusted(sections)
    for number, describe in enumerate(DESCRIPTIONS, start=len(entries)):
        tell(number, steps, "Description of the reads")
        sections += [one.tagged(DESCRIPTIVE) for one in describe(data)]
    tell(steps, steps, "")
    return Document(
        title=data.protocol.name,
        summary=tuple(line for one in sections if one.primary for line in one.lead[:1]),
        facts=facts_of(data),
        sections=tuple(sections),
        provenance=provenance or {},
    )


def _silent(*_: Any) -> None:
    """Tell nobody how far the work is."""


def _endpoint(data: Dataset, entry: Entry) -> Section:
    """Return the section of one endpoint; one that cannot be computed says why."""
    planned = entry.planned
    try:
        section = _function_of(planned)(data, planned)
    except ValueError as error:
        reason = f"**Not computed:** {error}."
        section = Section(planned.code, planned.title, entry.tag, blocks=(Passage(reason),))
        section = replace(section, lead=(f"{planned.title}: not computed, because {error}.",))
    return replace(
        section,
        blocks=tuple(naming_question(block, planned.question) for block in section.blocks),
        code=planned.code,
        title=planned.title,
        tag=entry.tag,
        primary=planned.primary and entry.tag == PLANNED,
        family=planned.family,
        adjustment=planned.adjustment,
    )


def naming_question(block: Block, question: str) -> Block:
    """Return a block whose filters of answers name the question that was answered."""
    if not isinstance(block, Table):
        return block
    rows = tuple(
        replace(row, cells={code: _naming(cell, question) for code, cell in row.cells.items()})
        for row in block.rows
    )
    return replace(block, rows=rows)


def _naming(cell: Cell, question: str) -> Cell:
    if isinstance(cell, str) or not {"answer", "right"} & set(cell.behind):
        return cell
    return replace(cell, behind={"question": question, **cell.behind})


def _function_of(planned: PlannedAnalysis) -> Endpoint:
    if planned.endpoint not in ENDPOINTS:
        raise ValueError(f"this version computes no “{planned.endpoint}”")
    return ENDPOINTS[planned.endpoint]


def adjusted(sections: Sequence[Section]) -> list[Section]:
    """Adjust the p-values of each family over its sections, test by test.

    A family is what was planned under one name; exploratory sections of the same name are a
    family of their own. Tests share an adjustment when they share their code. Undefined
    p-values take no part.
    """
    made = list(sections)
    families = {(one.family, one.tag): one.adjustment for one in sections if one.adjustment}
    for (family, tag), method in families.items():
        members = [n for n, one in enumerate(made) if (one.family, one.tag) == (family, tag)]
        codes = dict.fromkeys(test.code for n in members for test in made[n].tests)
        for code in codes:
            _adjust(made, members, code, method)
    return made


def _adjust(made: list[Section], members: Sequence[int], code: str, method: str) -> None:
    found = [test for n in members for test in made[n].tests if test.code == code]
    values = stats.adjust_pvalues([test.p for test in found], method=method).adjusted.tolist()
    size = sum(not math.isnan(test.p) for test in found)
    told = f"{method} over {size} tests of the family “{made[members[0]].family}”"
    new = iter(
        replace(test, adjusted_p=p, adjustment=told) for test, p in zip(found, values, strict=True)
    )
    for n in members:
        tests = tuple(next(new) if test.code == code else test for test in made[n].tests)
        made[n] = replace(made[n], tests=tests)


def facts_of(data: Dataset) -> tuple[str, ...]:
    """Return the numbers that stand beside the summary."""
    repeats = len(data.reads) - len(data.first_reads)
    arms = len(data.protocol.arm_codes)
    return (
        f"{_many(len(data.readers), 'reader')}, {_many(len(data.items), 'case')}"
        + (f", {arms} arms" if arms > 1 else "")
        + f", {_many(len(data.first_reads), 'read')}"
        + (f", {_many(repeats, 'repeat')}" if repeats else ""),
        f"Missing {data.missing}, late {data.late}, of withdrawn cases {data.withdrawn}",
    )


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def plan_digest(plans: Iterable[Plan]) -> str:
    """Return the SHA-256 of one or more plans as JSON with sorted keys."""
    text = json.dumps([document_of(plan) for plan in plans], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def tests_of(sections: Iterable[Section]) -> list[tuple[Section, Test]]:
    """Return every test with its section."""
    return [(section, test) for section in sections for test in section.tests]
