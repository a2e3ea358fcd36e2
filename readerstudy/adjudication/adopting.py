"""Make a consensus the reference standard of its cases: a new version, with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.adjudication.models import Adoption, Discordance
from readerstudy.adjudication.settling import CONSENSUS, Settled, settled
from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.studies.models import Question, Study
from readerstudy.studies.permissions import Action, require_now, role_in
from readerstudy.truth.recording_reference import current_reference, record_reference


def adopt_consensus(
    *, study: Study, question: Question, arm: str, endpoint: str, actor: Any, reason: str
) -> Adoption:
    """Record what holds after adjudication as the reference standard of each case.

    What readers answered alike holds too; what has no majority, or could not be evaluated, is
    left out. Values that are on record are not overwritten: the new ones supersede them.

    Raises
    ------
    NotAllowed, Conflict
        If the role or the phase does not allow it, a round is open, or none was concluded.
    ReaderStudyError
        Without a reason, for items of several cases, or a value without one meaning.
    """
    require_now(Action.REFERENCE, study=study, role=role_in(study, actor))
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it stays with the reference standard.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        wanted = _Wanted(study, question, arm, endpoint.strip().lower(), actor, reason.strip())
        _require_concluded(study, question)
        found = [one for one in settled(study, question) if one.arm == arm]
        values = _values(question, wanted.endpoint, found)
        cases = _cases(study, values)
        done = Counter(_record(wanted, cases[item], *value) for item, value in values.items())
        facts = {"recorded": len(values), "left_out": len(found) - len(values), **done}
        return _note(wanted, facts)


@dataclass(frozen=True)
class _Wanted:
    study: Study
    question: Question
    arm: str
    endpoint: str
    actor: Any
    reason: str


def adjudicated(study: Study) -> list[Question]:
    """Return the questions of which a round was concluded."""
    laid = Discordance.objects.filter(round__study=study, round__concluded_at__isnull=False)
    return list(study.questions.filter(pk__in=laid.values("question")))


def _require_concluded(study: Study, question: Question) -> None:
    if study.rounds.filter(concluded_at__isnull=True).exists():
        raise Conflict("A round is open. Conclude it first.")
    if question not in adjudicated(study):
        raise Conflict(f"“{question.text}” was not adjudicated.")


def _values(
    question: Question, endpoint: str, found: Iterable[Settled]
) -> dict[str, tuple[str, Settled]]:
    """Return by item the value to record and where it comes from."""
    words = reference_values(question, endpoint)
    values = {one.item: (words[one.code], one) for one in found if one.code is not None}
    if not values:
        raise ReaderStudyError("No answer holds that could be recorded.")
    return values


def reference_values(question: Question, endpoint: str) -> dict[str, str]:
    """Return what each answer is called in the reference standard of an endpoint.

    Where the question is judged by that endpoint its own words are used, else the code.
    """
    codes = [option.code for option in question.options.all()]
    if question.truth.get("endpoint") != endpoint:
        return {code: code for code in codes}
    named: dict[str, list[str]] = {code: [] for code in codes}
    for value, code in question.truth["values"].items():
        named.setdefault(code, []).append(value)
    for code, values in named.items():
        if len(values) != 1:
            raise ReaderStudyError(
                f"The answer “{code}” stands for {len(values)} values of {endpoint} "
                f"({', '.join(sorted(values)) or 'none'}). Choose another name for the endpoint."
            )
    return {code: values[0] for code, values in named.items()}


def _cases(study: Study, values: Iterable[str]) -> dict[str, Case]:
    """Return the case of each item; an answer about several cases is no truth of one."""
    rows = list(study.study_cases.filter(item__in=values).select_related("case"))
    if len(rows) > len({row.item for row in rows}):
        raise ReaderStudyError(
            "The answers are about cases beside each other, so they are no reference standard of "
            "a single case. The consensus is in the export."
        )
    return {row.item: row.case for row in rows}


def _record(wanted: _Wanted, case: Case, value: str, one: Settled) -> str:
    """Record one value; return what became of it."""
    before = current_reference(case, wanted.endpoint)
    after = record_reference(
        case=case,
        endpoint=wanted.endpoint,
        value=value,
        method=method_of(one),
        actor=wanted.actor,
        reason=wanted.reason,
    )
    if before is None:
        return "new"
    return "kept" if after.pk == before.pk else "corrected"


def method_of(one: Settled) -> str:
    """Return how a value is known, for the reference standard."""
    if one.how == CONSENSUS and one.consensus is not None:
        held = one.consensus
        number = held.discordance.round.number
        return (
            f"consensus of a panel, {held.votes_for} of {held.votes} votes, "
            f"round {number}, version {held.version}"
        )
    return f"agreement of {len(one.given)} reader{'s' if len(one.given) != 1 else ''}"


def _note(wanted: _Wanted, facts: dict[str, int]) -> Adoption:
    study, endpoint = wanted.study, wanted.endpoint
    former = Adoption.objects.filter(study=study, endpoint=endpoint).order_by("-version").first()
    row = Adoption.objects.create(
        study=study,
        question=wanted.question,
        arm=wanted.arm,
        endpoint=endpoint,
        version=former.version + 1 if former else 1,
        facts=facts,
        after_unblinding=study.state == Study.State.UNBLINDED,
        reason=wanted.reason,
        adopted_by=wanted.actor,
    )
    audit.record(
        actor=wanted.actor,
        action="adjudication.adopt",
        target=f"study {study.pk}",
        new={
            "question": wanted.question.code,
            "arm": wanted.arm,
            "endpoint": endpoint,
            "version": row.version,
            "recorded": facts["recorded"],
        },
        reason=wanted.reason,
    )
    return row
