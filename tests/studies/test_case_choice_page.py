"""Cases are drawn in a ratio by a stored seed; the page never says which case is which."""

from __future__ import annotations

import re
import uuid

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.studies import design
from readerstudy.studies.reading_design import ReadingDesign, document_of
from readerstudy.truth.models import Origin
from tests.factories import (
    CaseFactory,
    StudyFactory,
    SubjectFactory,
    locked_study,
    real_case,
    synthetic_case,
)

pytestmark = pytest.mark.django_db
RUN = uuid.UUID(int=7)


@pytest.fixture
def study(client):
    study = StudyFactory()
    client.force_login(study.created_by)
    return study


@pytest.fixture
def pool():
    """Four real cases, three synthetic of two runs, one of unknown origin, one without T1c."""
    for _ in range(4):
        real_case(roles=["t1c"])
    for _ in range(2):
        synthetic_case(run=RUN, roles=["t1c"])
    synthetic_case(roles=["t1c"])
    CaseFactory(roles=["t1c"])
    real_case(roles=["t1"])


@pytest.fixture
def draw(client, study):
    address = reverse("study-cases", args=[study.pk])

    def post(**changes: object):
        data = {"n_real": 2, "n_synthetic": 2, "seed": 7, "generation_run": "", **changes}
        return client.post(address, data, follow=True)

    return post


def kinds_of(study) -> list[str]:
    return sorted(Origin.objects.filter(case__in=study.cases.all()).values_list("kind", flat=True))


def test_the_pool_is_counted_by_class(client, study, pool):
    shown = client.get(reverse("study-cases", args=[study.pk])).context["pool"]
    assert (len(shown.real), len(shown.synthetic), shown.unknown) == (4, 3, 1)


def test_the_seed_is_random_and_can_be_changed(client, study):
    address = reverse("study-cases", args=[study.pk])
    seeds = {client.get(address).context["form"]["seed"].value() for _ in range(3)}
    assert len(seeds) == 3


def test_the_draw_takes_the_ratio_and_shows_codes_without_class(study, pool, draw):
    response = draw()
    text = response.content.decode()
    assert "4 cases are chosen" in text
    assert kinds_of(study) == ["real", "real", "synthetic", "synthetic"]
    codes = sorted(study.cases.values_list("code", flat=True))
    assert response.context["codes"] == codes
    listed = re.search(r'<p class="hash">(.*?)</p>', text, re.DOTALL)[1]
    assert listed.split() == codes


def test_the_same_seed_draws_the_same_cases(study, pool, draw):
    draw()
    first = set(study.cases.values_list("pk", flat=True))
    draw(seed=8)
    draw()
    assert set(study.cases.values_list("pk", flat=True)) == first
    record = AuditRecord.objects.filter(action="truth.choose_cases").latest("sequence")
    assert record.new == {"real": 2, "synthetic": 2, "training": 0, "seed": 7}


def test_one_generation_run_can_be_asked_for(study, pool, draw):
    draw(generation_run=str(RUN))
    runs = Origin.objects.filter(case__in=study.cases.all(), kind="synthetic")
    assert set(runs.values_list("generation_run", flat=True)) == {RUN}
    refused = draw(generation_run=str(uuid.uuid4()))
    assert refused.context["form"].errors["generation_run"]


def test_asking_for_too_many_is_refused_and_keeps_what_was_typed(study, pool, draw):
    response = draw(n_real=9, seed=31)
    text = response.content.decode()
    assert response.status_code == 400
    assert "You asked for 9 real cases, but only 4 can be used" in text
    assert 'value="31"' in text
    assert not study.cases.exists()


def test_both_versions_of_a_subject_need_to_be_allowed(study, draw):
    subject = SubjectFactory()
    real_case(subject=subject, roles=["t1c"])
    synthetic_case(subject=subject, roles=["t1c"])
    refused = draw(n_real=1, n_synthetic=1)
    assert "1 more belong to subjects chosen as synthetic" in refused.content.decode()
    draw(n_real=1, n_synthetic=1, both_versions="on")
    assert kinds_of(study) == ["real", "synthetic"]


def test_a_design_of_versions_draws_both_and_asks_nothing(study, draw, client):
    design.set_plan(
        study=study, document=document_of(ReadingDesign(plan="one_version")), actor=study.created_by
    )
    subject = SubjectFactory()
    both = [
        real_case(subject=subject, roles=["t1c"]),
        synthetic_case(subject=subject, roles=["t1c"]),
    ]
    real_case(roles=["t1c"])
    page = client.get(reverse("study-cases", args=[study.pk])).content.decode()
    assert "Both versions of each patient are drawn; a reader sees one of them." in page
    assert "both_versions" not in page
    draw(n_real=1, n_synthetic=1)
    assert set(study.cases.all()) == set(both)


def test_a_locked_study_keeps_its_cases(client):
    study = locked_study()
    client.force_login(study.created_by)
    address = reverse("study-cases", args=[study.pk])
    before = set(study.cases.values_list("pk", flat=True))
    assert "Not any more" in client.get(address).content.decode()
    response = client.post(address, {"n_real": 1, "n_synthetic": 1, "seed": 1})
    assert response.status_code == 409
    assert set(study.cases.values_list("pk", flat=True)) == before
