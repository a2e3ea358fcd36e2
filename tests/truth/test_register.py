"""Origins of cases made elsewhere: named generator, optional run, and a place in the draw."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.truth import register, selection
from readerstudy.truth.models import Origin
from readerstudy.truth.runs import ExternalRun, generation_runs, parse_run
from tests.factories import CaseFactory, StudyFactory, real_case, synthetic_case

pytestmark = pytest.mark.django_db
RECORD = "0123456789ABCDEF" * 4


def made_elsewhere(generator="BraTS-GAN v2", run="", record="", **kwargs):
    case = CaseFactory(roles=["t1c"], **kwargs)
    generated = register.GeneratedElsewhere(generator, run, record)
    register.declare_made_elsewhere(case=case, generated=generated, actor=None)
    return case


def test_a_case_made_elsewhere_names_its_generator_run_and_record():
    case = made_elsewhere("  BraTS-GAN   v2 ", " epoch 80 ", RECORD)
    origin = Origin.objects.get(case=case)
    assert (origin.kind, origin.generator) == ("synthetic", "BraTS-GAN v2")
    assert (origin.generation_run, origin.external_run) == (None, "epoch 80")
    assert origin.record_sha256 == RECORD.lower()
    record = AuditRecord.objects.get()
    assert record.action == "truth.declare_synthetic"
    assert record.new == {"generator": "BraTS-GAN v2", "run": "epoch 80"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"generator": " "}, "needs the name of its generator"),
        ({"generator": "x" * 121}, "at most 120 characters"),
        ({"run": "x" * 121}, "name of a run"),
        ({"record": "abc"}, "SHA-256"),
    ],
)
def test_what_cannot_be_told_apart_later_is_refused(given, said):
    with pytest.raises(ReaderStudyError, match=said):
        made_elsewhere(**given)
    assert not Origin.objects.exists()


def test_declaring_the_same_again_changes_nothing_and_another_run_is_a_conflict():
    case = made_elsewhere("gan", "run 1")
    again = register.GeneratedElsewhere("gan", "run 1")
    register.declare_made_elsewhere(case=case, generated=again, actor=None)
    assert AuditRecord.objects.count() == 1
    for other in (("gan", "run 2"), ("diffusion", "run 1")):
        with pytest.raises(Conflict, match="synthetic already"):
            register.declare_made_elsewhere(
                case=case, generated=register.GeneratedElsewhere(*other), actor=None
            )
    with pytest.raises(Conflict, match="synthetic already"):
        register.declare_real(cases=[case], actor=None)


def test_a_run_of_ours_is_told_from_one_of_the_same_name_elsewhere():
    run = uuid.uuid4()
    case = synthetic_case(run=run)
    elsewhere = register.GeneratedElsewhere("toy", str(run))
    with pytest.raises(Conflict):
        register.declare_made_elsewhere(case=case, generated=elsewhere, actor=None)


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "real", "generator": "gan"},
        {"kind": "real", "external_run": "1"},
        {"kind": "real", "generation_run": uuid.UUID(int=1)},
        {"kind": "synthetic"},
        {"kind": "synthetic", "generation_run": uuid.UUID(int=1)},
        {
            "kind": "synthetic",
            "generator": "gan",
            "generation_run": uuid.UUID(int=1),
            "external_run": "1",
        },
    ],
)
def test_the_database_refuses_half_an_origin(columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        Origin.objects.create(case=CaseFactory(roles=()), **columns)


def test_runs_elsewhere_can_be_chosen_for_a_draw(client):
    run = uuid.UUID(int=7)
    synthetic_case(run=run, roles=["t1c"])
    one, two = made_elsewhere("gan", "1"), made_elsewhere("gan", "1")
    other = made_elsewhere("gan")
    real_case(roles=["t1c"])
    choices = dict(generation_runs())
    assert sorted(choices.values()) == [
        "gan, made elsewhere, 1 cases",
        "gan, run 1 made elsewhere, 2 cases",
        "toy, run 00000000, 1 cases",
    ]
    assert {parse_run(key) for key in choices} == {
        run,
        ExternalRun("gan", "1"),
        ExternalRun("gan", ""),
    }
    study = StudyFactory()
    pool = selection.pool_of(study, generation_run=ExternalRun("gan", "1"))
    assert set(pool.synthetic) == {one, two}
    assert other in selection.pool_of(study).synthetic
    client.force_login(study.created_by)
    key = next(key for key, text in choices.items() if "run 1" in text)
    drawn = {"n_real": 1, "n_synthetic": 2, "seed": 1, "generation_run": key}
    client.post(reverse("study-cases", args=[study.pk]), drawn)
    assert {one, two} < set(study.cases.all())
