"""Who trained a generator is kept out of a study of its images, in words and by the database."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import adding, design
from readerstudy.studies.checklist import BLOCKS, checklist
from readerstudy.studies.models import StudyCase
from readerstudy.studies.reading_design import ReadingDesign, document_of
from readerstudy.truth import triggers
from readerstudy.truth.barring import REASON
from readerstudy.truth.register import declare_trained_on
from readerstudy.truth.selection import choose_cases, pool_of
from tests.factories import StudyFactory, SubjectFactory, real_case, synthetic_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def study():
    return StudyFactory()


@pytest.fixture
def image(run):
    """A synthetic case of the run, of a patient nobody trained on."""
    return synthetic_case(run=run, roles=["t1c"])


@pytest.fixture
def trained(run):
    """A real case of a patient who trained the generator of the run."""
    subject = SubjectFactory()
    declare_trained_on(run=run, fingerprints=[subject.source_key], actor=None)
    return real_case(subject=subject, roles=["t1c"])


def admit(study) -> None:
    document = document_of(ReadingDesign(training_subjects=True))
    design.set_plan(study=study, document=document, actor=study.created_by)
    study.refresh_from_db()


def put(study, *cases) -> None:
    """Write rows past every function of the project."""
    with transaction.atomic():
        for case in cases:
            StudyCase.objects.create(study=study, case=case, item=case.code)


@pytest.mark.parametrize("order", [1, -1])
def test_the_database_refuses_both_orders(study, image, trained, order):
    first, second = (image, trained)[::order]
    put(study, first)
    with pytest.raises(IntegrityError, match="cannot enter a study of its images"):
        put(study, second)
    assert study.cases.count() == 1
    put(study, real_case(roles=["t1c"]))


def test_the_database_knows_a_patient_by_a_file_under_another_name(study, image, run):
    case = real_case(roles=["t1c"])
    declare_trained_on(
        run=run, fingerprints=[case.series.get().source_sha256], actor=study.created_by
    )
    other_visit = real_case(subject=case.subject, roles=["t1c"])
    put(study, image)
    for one in (case, other_visit):
        with pytest.raises(IntegrityError, match="cannot enter"):
            put(study, one)


def test_another_generator_or_another_study_is_free(study, trained):
    put(study, trained, synthetic_case(roles=["t1c"]))
    assert StudyCase.objects.count() == 2


def test_the_protocol_can_admit_them(study, image, trained):
    admit(study)
    put(study, image, trained)
    (check,) = [c for c in checklist(study) if "trained the generator" in c.statement]
    assert (check.statement, check.status) == (
        "Patients who trained the generator are admitted",
        "passed",
    )


def test_the_draw_leaves_them_out(study, image, trained):
    other = real_case(roles=["t1c"])
    pool = pool_of(study)
    assert (pool.real, pool.synthetic, pool.barred) == ([other], [image], 1)
    chosen = choose_cases(study=study, n_real=1, n_synthetic=1, seed=1, actor=study.created_by)
    assert {case.pk for case in chosen} == {other.pk, image.pk}
    admit(study)
    assert trained in pool_of(study).real


def test_choosing_by_hand_is_refused_in_words(study, image, trained):
    with pytest.raises(ReaderStudyError) as refused:
        design.set_cases(study=study, cases=[image, trained], actor=study.created_by)
    assert refused.value.message == f"Case {trained.code}: {REASON}"
    assert study.cases.count() == 0


def test_adding_is_refused_in_words_whoever_comes_second(study, image, trained):
    adding.add_cases(study=study, cases=[image], actor=study.created_by)
    assert adding.refusals(study, [trained]) == {trained.pk: REASON}
    with pytest.raises(ReaderStudyError, match="trained a generator whose images"):
        adding.add_cases(study=study, cases=[trained], actor=study.created_by)
    other = StudyFactory()
    adding.add_cases(study=other, cases=[trained], actor=other.created_by)
    assert adding.refusals(other, [image]) == {image.pk: REASON}


def test_the_checklist_blocks_a_study_that_has_them(study, image, trained):
    admit(study)
    put(study, image, trained)
    document = document_of(ReadingDesign())
    design.set_plan(study=study, document=document, actor=study.created_by)
    study.refresh_from_db()
    (check,) = [c for c in checklist(study) if "trained the generator" in c.statement]
    assert check.statement == "1 cases of patients who trained the generator"
    assert check.status == BLOCKS


def test_the_trigger_is_taken_down_and_set_up_again():
    def there() -> bool:
        with connection.cursor() as cursor:
            table = "sqlite_master" if connection.vendor == "sqlite" else "pg_trigger"
            column = "name" if connection.vendor == "sqlite" else "tgname"
            cursor.execute(f"SELECT 1 FROM {table} WHERE {column} = %s", [triggers.NAME])
            return cursor.fetchone() is not None

    assert there()
    triggers.remove()
    assert not there()
    triggers.install()
    triggers.install()
    assert there()
