"""A study is started from a template and described; refusals stand in the form."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.studies.models import Study
from readerstudy.studies.steps import steps_of
from tests.factories import CoordinatorFactory, StudyFactory, locked_study, ready_study

pytestmark = pytest.mark.django_db
NEW = {
    "template": "visual-turing-test",
    "name": "StyleGAN2 against real",
    "reader_title": "Brain MR reading",
}


@pytest.fixture
def coordinator(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


def described(study: Study, **changes: str) -> dict[str, str]:
    fields = ("name", "reader_title", "instructions")
    return {**{f: getattr(study, f) for f in fields}, "margin_points": "10", **changes}


def test_the_page_warns_about_the_title_that_readers_see(client, coordinator):
    text = client.get(reverse("study-new")).content.decode()
    assert "It must not tell what is compared" in text
    assert "After Han et al., ISBI 2018" in text


def test_a_draft_is_made_from_the_template(client, coordinator):
    response = client.post(reverse("study-new"), NEW)
    study = Study.objects.get()
    assert response.url == reverse("study", args=[study.pk])
    assert (study.name, study.state) == ("StyleGAN2 against real", "draft")
    assert study.questions.count() == 3
    assert study.memberships.get().user == coordinator


def test_a_missing_name_is_told_in_place_and_the_rest_is_kept(client, coordinator):
    response = client.post(reverse("study-new"), {**NEW, "name": ""})
    text = response.content.decode()
    assert response.status_code == 400
    assert "This field is required" in text
    assert 'value="Brain MR reading"' in text
    assert not Study.objects.exists()


def test_an_unknown_template_is_refused(client, coordinator):
    response = client.post(reverse("study-new"), {**NEW, "template": "other"})
    assert response.status_code == 400
    assert not Study.objects.exists()


def test_the_description_is_changed_with_a_record(client):
    study = StudyFactory()
    client.force_login(study.created_by)
    data = described(study, reader_title="Brain MR reading Z", margin_points="7.5")
    response = client.post(reverse("study-describe", args=[study.pk]), data, follow=True)
    assert "The description is saved" in response.content.decode()
    study.refresh_from_db()
    assert (study.reader_title, study.margin) == ("Brain MR reading Z", 0.075)
    assert AuditRecord.objects.filter(action="study.describe", actor=study.created_by).exists()


def test_the_form_starts_with_what_is_stored(client):
    study = StudyFactory()
    client.force_login(study.created_by)
    form = client.get(reverse("study-describe", args=[study.pk])).context["form"]
    assert form["margin_points"].value() == "10"
    assert form["name"].value() == study.name


@pytest.mark.parametrize("margin", ["0", "50", "a lot"])
def test_a_margin_out_of_range_is_told_in_place(client, margin):
    study = StudyFactory()
    client.force_login(study.created_by)
    data = described(study, name="Kept while wrong", margin_points=margin)
    response = client.post(reverse("study-describe", args=[study.pk]), data)
    assert response.status_code == 400
    assert response.context["form"].errors["margin_points"]
    assert "Kept while wrong" in response.content.decode()


def test_a_locked_protocol_is_not_changed(client):
    study = locked_study()
    client.force_login(study.created_by)
    address = reverse("study-describe", args=[study.pk])
    assert "Not any more" in client.get(address).content.decode()
    response = client.post(address, described(study, name="Another"))
    assert response.status_code == 409
    assert "The protocol is locked" in response.content.decode()
    study.refresh_from_db()
    assert study.name != "Another"


def test_the_draft_shows_its_steps_with_their_state():
    empty, ready = StudyFactory(), ready_study()
    assert [step.done for step in steps_of(empty)] == [True, True, True, True, False, False, False]
    assert steps_of(empty)[6].evidence == "Not yet: No cases chosen; No readers"
    assert [step.evidence for step in steps_of(ready)[2:]] == [
        "3 questions, 2 planned analyses",
        "Every reader reads every case; One reading of each case",
        "4 cases",
        "2 readers",
        "Nothing blocks the lock",
    ]


def test_the_draft_shows_the_questions_as_readers_see_them(client):
    study = StudyFactory()
    client.force_login(study.created_by)
    text = client.get(reverse("study", args=[study.pk])).content.decode()
    for shown in ("Is this image real or synthetic?", "Certain", "Noise, texture"):
        assert shown in text
