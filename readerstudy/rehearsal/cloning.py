"""Make the study that a dry run reads: same protocol, cases and images, simulated readers."""

from __future__ import annotations

import hashlib
from typing import Any

from django.forms.models import model_to_dict

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.readers.models import User
from readerstudy.reading import display
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies import design, lifecycle
from readerstudy.studies.models import Arm, Option, Question, Study, StudyCase

MOST_READERS = 40
OF_ITS_OWN = {
    *("id", "name", "state", "protocol", "protocol_hash", "created_by", "created_at"),
    *("rehearsal_of", "cloned_from", "archived_at"),
    *("locked_at", "running_at", "closed_at", "unblinded_at"),
}


def clone_for_rehearsal(*, rehearsal: Rehearsal, actor: Any) -> Study:
    """Copy a study into a draft of its own with simulated readers, outside every list.

    It has no members, so that no page of the staff finds it, and its readers have no password.
    """
    source = rehearsal.study
    if not 1 <= rehearsal.readers <= MOST_READERS:
        raise ReaderStudyError(f"A dry run has 1 to {MOST_READERS} readers.")
    with write_transaction():
        clone = Study.objects.create(
            name=f"Dry run {rehearsal.number} (simulated): {source.name}"[:120],
            rehearsal_of=source,
            created_by=source.created_by,
            **_described(source),
        )
        _copy_form(source, clone)
        _copy_cases(source, clone)
        for number in range(1, rehearsal.readers + 1):
            design.enrol(study=clone, reader=simulated_reader(number), actor=actor)
        rehearsal.clone = clone
        rehearsal.save(update_fields=("clone",))
        audit.record(
            actor=actor,
            action="rehearsal.clone",
            target=f"study {source.pk}",
            new={"clone": str(clone.pk), "readers": rehearsal.readers, "seed": rehearsal.seed},
        )
    return clone


def simulated_reader(number: int) -> User:
    """Return the account of simulated reader ``number``, shared by all dry runs.

    It can never sign in: it has no password and no address to send one to.
    """
    user, new = User.objects.get_or_create(
        username=f"simulated-reader-{number}",
        defaults={"display_name": f"Simulated reader {number}"},
    )
    if new:
        user.set_unusable_password()
        user.save(update_fields=("password",))
    return user


def _described(source: Study) -> dict[str, Any]:
    """Return all that defines a study but its identity and its phases."""
    fields = [field.name for field in Study._meta.concrete_fields]
    return {name: getattr(source, name) for name in fields if name not in OF_ITS_OWN}


def _values(row: Any, *left_out: str) -> dict[str, Any]:
    return model_to_dict(row, exclude=("id", *left_out))


def _copy_form(source: Study, clone: Study) -> None:
    for question in source.questions.prefetch_related("options"):
        made = Question.objects.create(study=clone, **_values(question, "study"))
        Option.objects.bulk_create(
            Option(question=made, **_values(option, "question"))
            for option in question.options.all()
        )
    Arm.objects.bulk_create(Arm(study=clone, **_values(arm, "study")) for arm in source.arms.all())


def _copy_cases(source: Study, clone: Study) -> None:
    gone = source.study_cases.filter(case__withdrawn_at__isnull=False).values("item")
    StudyCase.objects.bulk_create(
        StudyCase(
            study=clone,
            case_id=row.case_id,
            item=row.item,
            place=row.place,
            phase=row.phase,
            group=row.group,
        )
        for row in source.study_cases.exclude(item__in=gone)
    )


def open_reading(*, clone: Study, actor: Any, seed: str, progress: display.Progress) -> Study:
    """Lock the copy by the same draw, give it its images and open it.

    The points that block a launch are not asked: they protect people who read, and here nobody
    does. What blocks the lock blocks the dry run too.
    """
    require_rehearsal(clone)
    if clone.state == Study.State.DRAFT:
        lock_and_allocate(study=clone, actor=actor, seed=allocation_seed(seed), images=False)
        clone.refresh_from_db()
    if not DisplayForm.objects.filter(study=clone).exists() and not _reuse_images(clone):
        display.prepare(clone, progress)
    if clone.state == Study.State.LOCKED:
        clone = lifecycle.advance(study=clone, to=Study.State.RUNNING, actor=actor)
    return clone


def allocation_seed(seed: str) -> str:
    """Return the seed of the draw that belongs to the seed of a dry run."""
    return hashlib.sha256(f"allocation|{seed}".encode()).hexdigest()[:32]


def require_rehearsal(study: Study) -> None:
    """Refuse to do to a real study what only a dry run may do."""
    if study.rehearsal_of_id is None:
        raise ReaderStudyError("This is a real study. Only a dry run can be handled like this.")


def _reuse_images(clone: Study) -> bool:
    """Point to the encoded images of the study, or of an earlier dry run, if they are the same."""
    wanted = set(clone.study_cases.values_list("case_id", flat=True))
    family = [clone.rehearsal_of, *Study.objects.filter(rehearsal_of=clone.rehearsal_of)]
    for source in family:
        form = DisplayForm.objects.filter(study=source).first()
        if form is None or source is None or source.viewing != clone.viewing:
            continue
        if set(source.study_cases.values_list("case_id", flat=True)) == wanted:
            _point_to(form, clone)
            return True
    return False


def _point_to(form: DisplayForm, clone: Study) -> None:
    encoded = EncodedSeries.objects.filter(study=form.study)
    with write_transaction():
        EncodedSeries.objects.bulk_create(
            EncodedSeries(study=clone, case_id=one.case_id, **_values(one, "study", "case"))
            for one in encoded
        )
        DisplayForm.objects.create(study=clone, **_values(form, "study"))
