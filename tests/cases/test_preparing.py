"""Preparing cases: proposed first, accepted or rejected by a person, and never behind a study."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image

from readerstudy.cases import canonical, deciding, preparing
from readerstudy.cases.models import Preparation, Series
from readerstudy.cases.preparation_forms import PrepareForm, chain_of
from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord, Job
from readerstudy.imaging.preparation.chain_spec import parse_chain
from readerstudy.studies.models import Study
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    SeriesFactory,
    locked_study,
    small_volume,
)
from tests.imaging.factories import brain_like

pytestmark = pytest.mark.django_db
SPACING = [{"step": "reorient"}, {"step": "resample", "spacing_mm": [1, 1, 1]}]
ALONE = [{"step": "brain_mask"}]
GIVEN = [{"step": "brain_mask", "method": "given"}]


def brain_case(*roles, **kwargs):
    """A case whose series show a ball in an empty background, as a brain that was cut out."""
    case = CaseFactory(roles=[], **kwargs)
    for seed, role in enumerate(roles):
        array = brain_like((8, 20, 18), seed=seed)
        volume = replace(small_volume(seed), array=array, source_sha256=uuid.uuid4().hex * 2)
        SeriesFactory(case=case, role=role, volume=volume)
    return case


@pytest.fixture
def case():
    return brain_case("t1", "t2", code="0412")


@pytest.fixture
def actor():
    return CoordinatorFactory()


def propose(case, actor, chain=SPACING, job="first"):
    return preparing.prepare(case=case, chain=parse_chain(chain), job=job, actor=actor)


def hashes(case):
    return {one.role: one.sha256 for one in case.series.all()}


def test_a_preparation_is_proposed_and_leaves_the_series_alone(case, actor):
    before = hashes(case)
    row = propose(case, actor)
    assert row.state == "proposed"
    assert hashes(case) == before
    outcome = row.results["series"]["t1"]
    assert outcome["columns"]["shape"] == [16, 20, 18]  # from 8 slices of 2 mm
    assert outcome["before"]["sha256"] == before["t1"]
    assert [step["step"] for step in outcome["steps"]] == ["reorient", "resample"]


def test_accepting_replaces_the_series_and_is_on_record(case, actor):
    before = hashes(case)
    row = propose(case, actor)
    deciding.accept(preparation=row, actor=actor)
    series = Series.objects.get(case=case, role="t1")
    assert series.shape == [16, 20, 18]
    assert series.spacing_mm == [1.0, 1.0, 1.0]
    assert canonical.load_array(series).shape == (16, 20, 18)
    assert [step["step"] for step in series.preparation] == ["reorient", "resample"]
    assert series.preparation[1]["version"]
    record = AuditRecord.objects.get(action="case.prepare.accept")
    assert record.old["sha256"] == before
    assert record.new["sha256"] == hashes(case)
    assert record.new["record_sha256"] == row.results["record"]["sha256"]
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("accepted", actor)


def test_rejecting_needs_a_reason_and_changes_nothing(case, actor):
    before = hashes(case)
    row = propose(case, actor)
    with pytest.raises(ReaderStudyError, match="Say why"):
        deciding.reject(preparation=row, actor=actor, reason="  ")
    deciding.reject(preparation=row, actor=actor, reason="The cerebellum is cut off.")
    assert hashes(case) == before
    row.refresh_from_db()
    assert (row.state, row.reason) == ("rejected", "The cerebellum is cut off.")
    assert AuditRecord.objects.get(action="case.prepare.reject").reason == row.reason


@pytest.mark.parametrize(
    "decide", [deciding.accept, lambda **asked: deciding.reject(**asked, reason="Late")]
)
def test_a_decision_is_made_once(case, actor, decide):
    row = propose(case, actor)
    deciding.accept(preparation=row, actor=actor)
    with pytest.raises(Conflict, match="accepted"):
        decide(preparation=row, actor=actor)


def test_what_is_prepared_twice_is_accepted_once(case, actor):
    first, second = propose(case, actor), propose(case, actor, job="second")
    deciding.accept(preparation=first, actor=actor)
    with pytest.raises(Conflict, match="changed since"):
        deciding.accept(preparation=second, actor=actor)
    second.refresh_from_db()
    assert second.state == "proposed"


def test_a_case_of_a_blinded_study_is_neither_prepared_nor_replaced(actor):
    study = locked_study()
    case = study.cases.first()
    row = propose(case, actor)
    assert row.state == "failed"
    assert "stand still" in row.reason


def test_a_study_that_locks_meanwhile_keeps_its_images(actor):
    study = locked_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    case = study.cases.first()
    before = hashes(case)
    row = propose(case, actor)
    Study.objects.filter(pk=study.pk).update(state=Study.State.RUNNING)
    with pytest.raises(Conflict, match="Not accepted"):
        deciding.accept(preparation=row, actor=actor)
    assert hashes(case) == before


def test_the_flag_of_a_face_goes_with_the_face(case, actor):
    other = brain_case("t1", "flair")
    Series.objects.update(flags=["face", "thick"])
    deciding.accept(preparation=propose(case, actor, SPACING), actor=actor)
    assert all(one.flags == ["face", "thick"] for one in case.series.all())
    deciding.accept(preparation=propose(other, actor, ALONE), actor=actor)
    assert all(one.flags == ["thick"] for one in other.series.all())


def test_a_case_that_cannot_be_prepared_fails_with_its_reason(actor):
    row = propose(CaseFactory(roles=[]), actor)
    assert row.state == "failed"
    assert "no series" in row.reason
    bad = [{"step": "register", "to": "flair"}]
    row = propose(CaseFactory(roles=["t1"]), actor, bad)
    assert "Step 1 (register)" in row.reason


def test_sets_of_pictures_are_left_alone(actor):
    case = CaseFactory(roles=["t1"])
    SeriesFactory(case=case, role="t2", source_kind="png")
    assert set(propose(case, actor).results["series"]) == {"t1"}


def test_a_brain_mask_among_the_series_is_used_and_not_prepared(actor):
    case = CaseFactory(roles=["t1"])
    mask = small_volume(1)
    mask.array[...] = 0
    mask.array[2:4, 3:7, 3:6] = 1
    SeriesFactory(case=case, role="brain-mask", volume=mask)
    row = propose(case, actor, [{"step": "brain_mask", "method": "given", "margin_mm": 0}])
    assert set(row.results["series"]) == {"t1"}
    deciding.accept(preparation=row, actor=actor)
    array = canonical.load_array(case.series.get(role="t1"))
    assert (array != 0).sum() == 2 * 4 * 3


def test_histograms_are_matched_to_the_case_that_is_named(case, actor):
    other = brain_case("t1", code="0777")
    step = {"step": "normalise", "method": "histogram", "reference": "0777", "roles": ["t1"]}
    row = propose(case, actor, [step])
    deciding.accept(preparation=row, actor=actor)
    made = canonical.load_array(case.series.get(role="t1"))
    wanted = canonical.load_array(other.series.get(role="t1"))
    assert np.median(made[made > 0]) == pytest.approx(np.median(wanted[wanted > 0]), rel=0.05)
    failed = propose(case, actor, [{**step, "reference": "9999"}], job="second")
    assert "in a case 9999" in failed.reason


def test_the_operators_command_comes_from_the_settings_alone(case, actor, monkeypatch):
    chain = [{"step": "brain_mask", "method": "command"}]
    assert "READERSTUDY_BRAIN_MASK_COMMAND" in propose(case, actor, chain).reason
    monkeypatch.setattr(settings, "BRAIN_MASK_COMMAND", "no-such-program {input} {output}")
    assert "not found" in propose(case, actor, chain, job="second").reason


def work(job):
    jobs.work_through("default")
    job.refresh_from_db()
    return job


def test_the_job_prepares_each_case_and_goes_on_after_one_that_fails(actor):
    cases = [CaseFactory(roles=["t1"]), CaseFactory(roles=[]), CaseFactory(roles=["t2"])]
    job = work(preparing.order(cases=cases, chain=SPACING, actor=actor))
    assert job.state == Job.State.DONE
    assert job.result == {"preparations": {"proposed": 2, "failed": 1}}
    assert {row.created_by for row in Preparation.objects.all()} == {actor}


def test_a_killed_worker_goes_on_with_what_is_not_done(actor, monkeypatch):
    cases = [CaseFactory(roles=["t1"]) for _ in range(3)]
    job = preparing.order(cases=cases, chain=SPACING, actor=actor)
    kept = preparing.run_chain
    calls = []

    def dies_at_the_second(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise jobs.LeaseLost("killed")
        return kept(*args, **kwargs)

    monkeypatch.setattr(preparing, "run_chain", dies_at_the_second)
    jobs.work_through("default")
    assert sorted(row.state for row in Preparation.objects.all()) == ["proposed", "running"]
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING)
    assert work(job).result == {"preparations": {"proposed": 3}}
    assert Preparation.objects.count() == 3
    assert len(calls) == 4  # the first case was not prepared again


def test_certain_brains_are_accepted_by_themselves_if_asked(actor):
    alone = brain_case("t1", "t2")
    alone.series.update(flags=["face"])
    job = work(preparing.order(cases=[alone], chain=ALONE, actor=actor, auto_accept=True))
    assert job.result == {"preparations": {"accepted": 1}}
    assert all(one.flags == [] for one in alone.series.all())
    assert AuditRecord.objects.filter(action="case.prepare.accept").count() == 1


@pytest.mark.parametrize("chain", [SPACING, [{"step": "brain_mask", "apply": False}]])
def test_what_still_shows_a_head_waits_for_a_person(actor, chain):
    cases = [brain_case("t1")]
    job = work(preparing.order(cases=cases, chain=chain, actor=actor, auto_accept=True))
    assert job.result == {"preparations": {"proposed": 1}}


def test_what_is_uncertain_waits_for_a_person(case, actor):
    row = propose(case, actor, ALONE)
    assert preparing.is_certain(row)
    row.results["warnings"] = ["t1: The mask is uncertain: a person must look."]
    assert not preparing.is_certain(row)


def test_a_chain_that_cannot_run_is_refused_before_it_is_queued(case, actor):
    with pytest.raises(ReaderStudyError, match="no step 'sharpen'"):
        preparing.order(cases=[case], chain=[{"step": "sharpen"}], actor=actor)
    with pytest.raises(ReaderStudyError, match="at least one"):
        preparing.order(cases=[], actor=actor)
    assert not Job.objects.exists()


def test_the_form_takes_a_preset_or_an_own_chain():
    assert PrepareForm({"preset": "n4-z-score"}).is_valid()
    own = PrepareForm({"preset": "own", "chain": json.dumps(SPACING)})
    assert own.is_valid(), own.errors
    assert [step["step"] for step in chain_of(own.cleaned_data)] == ["reorient", "resample"]
    for text, told in (("", "JSON"), ("[{]", "JSON"), ('[{"step": "x"}]', "no step")):
        wrong = PrepareForm({"preset": "own", "chain": text})
        assert not wrong.is_valid()
        assert told in str(wrong.errors["chain"])


@pytest.fixture
def page(client, actor):
    client.force_login(actor)
    return client


def test_a_preparation_is_asked_for_from_the_list_of_cases(page, case, actor):
    chosen = page.post(reverse("cases-select"), {"action": "prepare", "case": [case.pk]})
    shown = page.get(chosen.url).content.decode()
    assert "Like BraTS" in shown
    asked = page.post(chosen.url, {"preset": "own", "chain": json.dumps(SPACING)}, follow=True)
    revision = asked.context["change"].revision
    page.post(chosen.url, {"confirm": "1", "revision": revision})
    job = Job.objects.get(kind="prepare_cases")
    assert job.created_by == actor
    work(job)
    assert "To the preparations" in page.get(chosen.url).content.decode()
    assert "0412" in page.get(reverse("preparations"), {"state": "proposed"}).content.decode()


def test_the_page_shows_pictures_steps_and_figures(page, case, actor):
    row = propose(case, actor, ALONE)
    text = page.get(reverse("preparation", args=[row.pk])).content.decode()
    assert "Brain found" in text
    assert "brain, mL" in text
    assert "SimpleITK" in text
    for which in ("before", "after", "flicker"):
        address = reverse("preparation-picture", args=[row.pk, "t1", which])
        picture = Image.open(BytesIO(page.get(address).content))
        assert picture.size == (604, 604)
    assert page.get(reverse("preparation", args=[row.pk]), {"view": "flicker"}).status_code == 200
    missing = reverse("preparation-picture", args=[row.pk, "flair", "after"])
    assert page.get(missing).status_code == 404


def test_accept_and_reject_on_the_page(page, case, actor):
    row = propose(case, actor)
    refused = page.post(reverse("preparation-reject", args=[row.pk]), {"reason": ""})
    assert refused.status_code == 400
    page.post(reverse("preparation-accept", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == "accepted"
    again = page.post(reverse("preparation-reject", args=[row.pk]), {"reason": "Late"})
    assert again.status_code == 409
    assert "only a proposed one" in again.content.decode()
    other = propose(case, actor, job="second")
    page.post(reverse("preparation-reject", args=[other.pk]), {"reason": "Too coarse"})
    other.refresh_from_db()
    assert (other.state, other.reason) == ("rejected", "Too coarse")
    assert "Too coarse" in page.get(reverse("preparation", args=[other.pk])).content.decode()


def test_a_case_leads_to_the_preparation_that_waits(page, case, actor):
    address = reverse("case-preparation", args=[case.pk])
    assert page.get(address).url == reverse("preparations")
    row = propose(case, actor)
    assert page.get(address).url == reverse("preparation", args=[row.pk])


def test_nothing_that_tells_is_shown_while_a_study_is_blinded(page, actor):
    study = locked_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    case = study.cases.first()
    mask = replace(
        small_volume(1), array=np.pad(np.ones((2, 4, 4), np.int16), ((2, 2), (3, 3), (2, 2)))
    )
    SeriesFactory(case=case, role="brain-mask", volume=mask)
    row = propose(case, actor, GIVEN)
    Study.objects.filter(pk=study.pk).update(state=Study.State.LOCKED)
    text = page.get(reverse("preparation", args=[row.pk])).content.decode()
    assert "Brain found" not in text
    assert "brain, mL" not in text
    assert "Images stand still" in text
    role = next(iter(row.results["series"]))
    picture = reverse("preparation-picture", args=[row.pk, role, "after"])
    assert page.get(picture).status_code == 404
    assert "Brain found" not in page.get(reverse("preparations")).content.decode()


def test_a_failed_preparation_says_why(page, actor):
    row = propose(CaseFactory(roles=["t1"]), actor, [{"step": "register", "to": "flair"}])
    text = page.get(reverse("preparation", args=[row.pk])).content.decode()
    assert "there is no series flair" in text
    assert "The case stays as it was" in text
