"""A dry run of any template can be discarded wholly, whatever rows have come to hang on it."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.readers.models import User
from readerstudy.reading.models import Submission
from readerstudy.rehearsal import cloning, discarding, starting
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.models import Enrolment, Option, Question, Study
from readerstudy.studies.templates.registry import TEMPLATES
from tests.rehearsal.studies import draft_of
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
KEPT = {"core.AuditRecord", "rehearsal.Rehearsal", "readers.User"}
USUAL = {
    models.JSONField: {},
    models.BooleanField: False,
    models.FloatField: 0.5,
}
OWN: dict[str, dict[str, Any]] = {"reading.Rating": {"not_evaluable": True}}


def rehearsal_of(study: Study) -> Rehearsal:
    """A dry run whose copy of the study is made, locked and open to its readers."""
    run = starting.note_rehearsal(study=study, readers=2, seed="s", actor=study.created_by)
    clone = cloning.clone_for_rehearsal(rehearsal=run, actor=study.created_by)
    cloning.open_reading(
        clone=clone, actor=study.created_by, seed=run.seed, progress=lambda *_: None
    )
    return run


def rows_everywhere() -> Counter[str]:
    """How many rows each table holds, of all but what a dry run leaves behind."""
    labels = {m._meta.label: m for m in apps.get_models(include_auto_created=True)}
    return Counter({k: m._base_manager.count() for k, m in labels.items() if k not in KEPT})


def kinds() -> list[type[models.Model]]:
    """Every kind of row that hangs on a study, the innermost first."""
    return list(dict.fromkeys(m for m, _ in sorted(discarding.parts_of(Study), key=_depth)))


def _depth(part: tuple[Any, str]) -> int:
    return max(way.count("__") for model, way in discarding.parts_of(Study) if model is part[0])


def rows_of(model: Any, study: Study) -> models.QuerySet[Any]:
    ways = [way for one, way in discarding.parts_of(Study) if one is model]
    found = models.Q()
    for way in ways:
        found |= models.Q(**{way: study.pk})
    return model._base_manager.filter(found)


def put_every_kind_of_row(study: Study) -> None:
    """Give a study at least one row of each kind, filled with whatever its columns take."""
    for model in kinds():
        if not rows_of(model, study).exists():
            values = {f.name: value_for(f, study) for f in needed(model)}
            row = model(**values, **OWN.get(model._meta.label, {}))
            model._base_manager.bulk_create([row])


def needed(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if not field.null and not field.has_default() and not isinstance(field, models.AutoField)
    ]


def value_for(field: Any, study: Study) -> Any:
    if field.is_relation:
        return related(field.related_model, study)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.CharField | models.TextField):
        return uuid.uuid4().hex[: field.max_length or 32]
    return next((v for kind, v in USUAL.items() if isinstance(field, kind)), 1)


def related(model: Any, study: Study) -> Any:
    if model is Study:
        return study
    if model is User:
        return study.created_by
    if any(model is kind for kind in kinds()):
        return rows_of(model, study).first()
    return model._base_manager.first()


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_dry_run_of_each_template_leaves_nothing_of_itself(key):
    study = draft_of(key)
    before = rows_everywhere()
    run = rehearsal_of(study)
    clone = run.clone
    put_every_kind_of_row(clone)
    bare = [model._meta.label for model in kinds() if not rows_of(model, clone).exists()]
    assert bare == []
    discarding.discard(rehearsal=run, actor=study.created_by, reason="Done")
    assert rows_everywhere() == before
    assert Rehearsal.objects.get(pk=run.pk).clone is None
    assert list(audit.broken_links()) == []


def test_answers_that_correct_each_other_go_too():
    run = rehearsal_of(draft_of("image-quality"))
    reading = run.clone.readers.first().readings.first()
    first = None
    for number in range(4):
        outcome = Submission.Outcome.ACCEPTED
        first = Submission.objects.create(
            reading=reading,
            key=str(uuid.uuid4()),
            body={"n": number},
            outcome=outcome,
            received_at=timezone.now(),
            supersedes=first,
        )
    discarding.delete_clone(rehearsal=run)
    assert not Submission.objects.exists()


def test_every_app_with_rows_of_a_study_is_found():
    found = {model._meta.label for model, _ in discarding.parts_of(Study)}
    assert {"adjudication.Vote", "adjudication.Consensus", "studies.Deviation"} <= found
    assert {"reading.Rating", "sentinel.SentinelRun", "truth.CaseUnblinding"} <= found
    assert not found & {"cases.Case", "readers.User", "core.AuditRecord", "studies.Study"}


def test_a_dry_run_that_another_study_came_from_stays():
    run = rehearsal_of(draft_of("image-quality"))
    Study.objects.create(
        name="x", viewing={}, created_by=run.study.created_by, cloned_from=run.clone
    )
    with pytest.raises(Conflict, match="Another study"):
        discarding.delete_clone(rehearsal=run)
    assert Enrolment.objects.filter(study=run.clone).exists()
    assert Option.objects.filter(question__in=Question.objects.filter(study=run.clone)).exists()


def test_a_real_study_is_never_deleted():
    study = draft_of("image-quality")
    run = rehearsal_of(study)
    with unguarded():
        Study.objects.filter(pk=run.clone_id).update(rehearsal_of=None)
    run.refresh_from_db()
    with pytest.raises(ReaderStudyError, match="real study"):
        discarding.discard(rehearsal=run, actor=study.created_by, reason="x")
