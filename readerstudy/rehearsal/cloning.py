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
from readerstudy.studies.cloning import copy_cases, copy_form, described
from readerstudy.studies.models import Study

MOST_READERS = 40


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
            **described(source),
        )
        copy_form(source, clone)
        copy_cases(source, clone)
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


def _values(row: Any, *left_out: str) -> dict[str, Any]:
    return model_to_dict(row, exclude=("id", *left_out))


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
