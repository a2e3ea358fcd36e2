"""Write the design of a study while it is a draft."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.studies import analysis_plan, case_rules, reading_design, viewing
from readerstudy.studies.models import (
    Arm,
    Enrolment,
    Membership,
    Option,
    Question,
    Study,
    StudyCase,
)
from readerstudy.studies.templates.base import QuestionTemplate
from readerstudy.studies.templates.registry import TEMPLATES

QUESTION_FIELDS = (
    "kind",
    "required",
    "may_be_not_evaluable",
    "help",
    "region",
    "bound_to",
    "minimum",
    "maximum",
    "whole",
    "unit",
    "equal",
    "show_if",
    "arms",
    "truth",
)


MAX_PROGRAMME = Study._meta.get_field("programme").max_length or 0


def create_study(*, template: str, name: str, reader_title: str, actor: Any) -> Study:
    """Create a draft from a template, with its questions; the actor coordinates it."""
    if template not in TEMPLATES:
        raise ReaderStudyError(f"There is no study template called {template!r}.")
    if not name.strip() or not reader_title.strip():
        raise ReaderStudyError("Give the study a name, and a title that readers will see.")
    source = TEMPLATES[template]
    with write_transaction():
        study = Study.objects.create(
            name=name.strip(),
            reader_title=reader_title.strip(),
            template=template,
            instructions=source.instructions,
            viewing=viewing.document_of(source.viewing),
            design=reading_design.document_of(source.design),
            analysis_plan=analysis_plan.document_of(source.analysis),
            margin=source.margin,
            programme=name.strip()[:MAX_PROGRAMME] if source.is_session else "",
            created_by=actor,
        )
        for position, question in enumerate(source.questions, start=1):
            create_question(study, position, question)
        Arm.objects.bulk_create(
            Arm(study=study, position=position, **asdict(arm))
            for position, arm in enumerate(source.arms, start=1)
        )
        Membership.objects.create(study=study, user=actor, role=Membership.Role.COORDINATOR)
        audit.record(
            actor=actor, action="study.create", target=f"study {study.pk}", new={"name": study.name}
        )
    return study


def create_question(study: Study, position: int, source: QuestionTemplate) -> Question:
    """Store a question with its options. Call it within the write."""
    question = Question.objects.create(
        study=study,
        position=position,
        code=source.code,
        text=source.text,
        **{name: getattr(source, name) for name in QUESTION_FIELDS},
    )
    Option.objects.bulk_create(
        Option(
            question=question,
            position=index,
            code=option.code,
            label=option.label,
            anchor=option.anchor,
        )
        for index, option in enumerate(source.options, start=1)
    )
    return question


def require_draft(study: Study) -> None:
    """Refuse changes to a locked protocol."""
    if study.state != Study.State.DRAFT:
        raise Conflict("The protocol is locked and cannot be changed any more.")


def describe(
    *,
    study: Study,
    name: str,
    reader_title: str,
    instructions: str,
    margin: float,
    actor: Any,
    programme: str | None = None,
    checkpoint: str | None = None,
) -> None:
    """Change what a draft says of itself; ``programme`` and ``checkpoint`` of None stay."""
    if not 0 < margin < 0.5:
        raise ReaderStudyError("The margin must lie between 0 and 50 points.")
    if not (name.strip() and reader_title.strip() and instructions.strip()):
        raise ReaderStudyError("Name, reader title and instructions may not be empty.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        old = _description(study)
        study.name, study.reader_title = name.strip(), reader_title.strip()
        study.instructions, study.margin = instructions.strip(), margin
        study.programme = study.programme if programme is None else programme.strip()
        study.checkpoint = study.checkpoint if checkpoint is None else checkpoint.strip()
        plan = analysis_plan.with_margin(study.analyses, margin)
        study.analysis_plan = analysis_plan.document_of(plan)
        study.save()
        audit.record(
            actor=actor,
            action="study.describe",
            target=f"study {study.pk}",
            old=old,
            new=_description(study),
        )


def _description(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "reader_title": study.reader_title,
        "instructions": study.instructions,
        "margin": study.margin,
        "programme": study.programme,
        "checkpoint": study.checkpoint,
    }


def set_viewing(*, study: Study, document: dict[str, Any], actor: Any) -> None:
    """Change how a draft shows its images; every case chosen must have the series shown."""
    wanted = viewing.parse(document)
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        old, study.viewing = study.viewing, viewing.document_of(wanted)
        _require_slots(study, list(study.cases.all()))
        study.save(update_fields=("viewing",))
        audit.record(
            actor=actor,
            action="study.set_viewing",
            target=f"study {study.pk}",
            old=old,
            new=study.viewing,
        )


@dataclass(frozen=True)
class Chosen:
    """A case as part of a study: alone, or in its place within an item."""

    case: Case
    item: str = ""
    place: int = 0
    phase: str = StudyCase.Phase.MAIN
    group: str = ""


def set_cases(*, study: Study, cases: Iterable[Case | Chosen], actor: Any) -> None:
    """Make these the cases of a draft, in place of any before."""
    chosen = [one if isinstance(one, Chosen) else Chosen(one) for one in cases]
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        _require_slots(study, [one.case for one in chosen])
        StudyCase.objects.filter(study=study).delete()
        case_rules.require_allowed(study, [one.case for one in chosen])
        # Sorted by the random code, so that the rows' order says nothing about the classes.
        StudyCase.objects.bulk_create(
            StudyCase(
                study=study,
                case=one.case,
                item=one.item or one.case.code,
                place=one.place,
                phase=one.phase,
                group=one.group,
            )
            for one in sorted(chosen, key=lambda one: one.case.code)
        )
        audit.record(
            actor=actor,
            action="study.set_cases",
            target=f"study {study.pk}",
            new={"cases": sorted(one.case.code for one in chosen)},
        )


def set_plan(*, study: Study, document: dict[str, Any], actor: Any) -> None:
    """Change who reads what in a draft."""
    wanted = reading_design.document_of(reading_design.parse(document))
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        old, study.design = study.design, wanted
        study.save(update_fields=("design",))
        audit.record(
            actor=actor,
            action="study.set_plan",
            target=f"study {study.pk}",
            old=old,
            new=wanted,
        )


def _require_slots(study: Study, cases: list[Case]) -> None:
    for role in study.slots:
        having = set(
            Case.objects.available()
            .filter(pk__in=[case.pk for case in cases])
            .with_role(role)
            .values_list("pk", flat=True)
        )
        lacking = [case.code for case in cases if case.pk not in having]
        if lacking:
            raise ReaderStudyError(
                f"{len(lacking)} cases have no {role} series or were withdrawn: "
                f"{', '.join(lacking[:5])}. Leave them out or import the series."
            )


def next_code(study: Study) -> str:
    """Return the next code R1, R2, …; that of a reader who left is not given again."""
    codes = study.enrolments.filter(kind=Enrolment.Kind.READER).values_list("code", flat=True)
    numbers = [int(code[1:]) for code in codes if code[1:].isdigit()]
    return f"R{max(numbers, default=0) + 1}"


def new_enrolment(study: Study, reader: Any, *, replaces: Enrolment | None = None) -> Enrolment:
    """Store a reader; whoever left before the lock comes back under the code they had."""
    former = study.enrolments.filter(reader=reader, kind=Enrolment.Kind.READER).first()
    row = former or Enrolment(study=study, reader=reader, code=next_code(study))
    row.withdrawn_at, row.withdrawn_by, row.withdrawal_reason = None, None, ""
    row.replaces, row.enrolled_at = replaces, timezone.now()
    row.save()
    return row


def enrol(*, study: Study, reader: Any, actor: Any) -> Enrolment:
    """Add a reader to a draft, under the next free code R1, R2, …"""
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        if study.readers.filter(reader=reader).exists():
            raise Conflict(f"{reader} is a reader of this study already.")
        if study.memberships.filter(user=reader).exists():
            raise Conflict(f"{reader} belongs to the staff of this study and cannot read in it.")
        enrolment = new_enrolment(study, reader)
        audit.record(
            actor=actor,
            action="study.enrol",
            target=f"study {study.pk}",
            new={"reader": reader.pk, "code": enrolment.code},
        )
    return enrolment
