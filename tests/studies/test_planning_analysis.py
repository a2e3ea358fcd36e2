"""The planned analysis: every entry can be edited; what does not fit is refused, nothing lost."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.studies import analysis_plan, planning_analysis
from readerstudy.studies.analysis_form import AnalysisForm, initial_of
from readerstudy.studies.models import Study
from readerstudy.studies.templates.registry import TEMPLATES
from tests.factories import StudyFactory, locked_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    made = StudyFactory()
    client.force_login(made.created_by)
    return made


def first(study: Study):
    return Study.objects.get(pk=study.pk).analyses[0]


def change(study, code=None, **wanted):
    return planning_analysis.change_analysis(
        study=study, code=code or first(study).code, wanted=wanted, actor=study.created_by
    )


def sent(study, entry, **changes) -> dict:
    form = AnalysisForm(study=study, entry=entry, initial=initial_of(entry))
    data = {
        name: "on" if value is True else value
        for name, value in form.initial.items()
        if name in form.fields and value not in (None, False, "", [])
    }
    return {**data, **changes}


def page(study, entry) -> str:
    return reverse("study-analysis", args=[study.pk, entry.code])


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_saving_any_entry_of_any_template_unchanged_changes_nothing(client, key):
    study = StudyFactory(template=key)
    client.force_login(study.created_by)
    before = study.analysis_plan
    for entry in study.analyses:
        response = client.post(page(study, entry), sent(study, entry))
        assert response.status_code == 302, response.context["form"].errors
    study.refresh_from_db()
    assert study.analysis_plan == before


def test_an_entry_is_edited_and_the_audit_log_keeps_both(client, study):
    entry = first(study)
    data = sent(study, entry, title="Accuracy of reading", margin="7.5", unit="subject")
    assert client.post(page(study, entry), data).url.endswith("#analysis")
    changed = first(study)
    assert (changed.code, changed.title, changed.margin) == (
        entry.code,
        "Accuracy of reading",
        0.075,
    )
    assert changed.methods == entry.methods
    record = AuditRecord.objects.filter(action="study.plan_analysis").last()
    assert record.old["entry"]["title"] == entry.title
    assert record.new["entry"]["unit"] == "subject"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"title": "  "}, "needs a title"),
        ({"title": "x" * 121}, "at most 120"),
        ({"title": None}, "title of a planned analysis must be a text"),
        ({"question": "nosuch"}, "“nosuch”, which the study does not ask"),
        ({"endpoint": "astrology"}, "no endpoint 'astrology'"),
        ({"unit": "slice"}, "no unit 'slice'"),
        ({"methods": []}, "at least one method"),
        ({"methods": ["no_such"]}, "no method 'no_such'"),
        ({"methods": ["cohen_kappa"]}, "cohen_kappa is no method for"),
        ({"methods": "proportion"}, "must be a list of texts"),
        ({"methods": [3]}, "must be a list of texts"),
        ({"arms": ["aided"]}, "“aided”, which the study does not have"),
        ({"confidence": "cues"}, "does not grade the answer"),
        ({"margin": 1.2}, "between 0 and 1"),
        ({"margin": "0.1"}, "margin must be a number"),
        ({"margin": True}, "margin must be a number"),
        ({"stop_below": 0}, "between 0 and 1"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"threshold": 0.5}, "has no least agreement"),
        ({"primary": "yes"}, "Primary of a planned analysis must be true or false"),
        ({"adjustment": "holm"}, "needs the family"),
        ({"adjustment": "sidak", "family": "a"}, "no adjustment 'sidak'"),
        ({"colour": "red"}, "unknown entry, colour"),
        ({"endpoint": "mrmc-difference", "methods": ["obuchowski_rockette"]}, "two arms"),
        (
            {"endpoint": "agreement", "methods": ["cohen_kappa"]},
            "not judged by a margin",
        ),
        (
            {
                "endpoint": "agreement",
                "methods": ["cohen_kappa"],
                "margin": None,
                "stop_below": 0.6,
            },
            "stop rule",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_the_plan_stays(study, wanted, words):
    before = study.analysis_plan
    with pytest.raises(ReaderStudyError, match=words):
        change(study, **wanted)
    study.refresh_from_db()
    assert study.analysis_plan == before
    assert not AuditRecord.objects.filter(action="study.plan_analysis").exists()


def test_an_entry_that_is_gone_is_named(client, study):
    with pytest.raises(NotFound, match="“gone”"):
        change(study, "gone", title="New")
    address = reverse("study-analysis", args=[study.pk, "gone"])
    assert client.get(address).status_code == 404


def test_a_refusal_stands_in_the_form_with_what_was_typed(client, study):
    entry = first(study)
    response = client.post(page(study, entry), sent(study, entry, title="Mine", margin="120"))
    assert response.status_code == 400
    text = response.content.decode()
    assert "less than or equal to 99.9" in text
    assert 'value="Mine"' in text
    assert first(study) == entry


def test_after_the_lock_the_form_is_shown_and_refuses_with_the_reason(client):
    study = locked_study()
    client.force_login(study.created_by)
    entry = first(study)
    assert "The protocol is locked" in client.get(page(study, entry)).content.decode()
    response = client.post(page(study, entry), sent(study, entry, title="Afterwards"))
    assert response.status_code == 409
    assert "must be draft; it is locked" in response.content.decode()
    with pytest.raises(Conflict, match="locked"):
        change(study, title="Afterwards")
    assert first(study) == entry


def test_an_unknown_endpoint_or_question_is_not_planned(study):
    common = {"study": study, "primary": False, "actor": study.created_by}
    before = len(study.analyses)
    with pytest.raises(ReaderStudyError, match="no endpoint called 'astrology"):
        planning_analysis.plan_analysis(question="origin", endpoint="astrology", **common)
    with pytest.raises(NotFound, match="“grade”"):
        planning_analysis.plan_analysis(question="grade", endpoint="agreement", **common)
    with pytest.raises(NotFound, match="“nosuch”"):
        planning_analysis.drop_analysis(study=study, code="nosuch", actor=study.created_by)
    assert len(Study.objects.get(pk=study.pk).analyses) == before


def test_the_same_endpoint_planned_twice_gets_two_codes(study):
    entries = [
        planning_analysis.plan_analysis(
            study=study,
            question="cues",
            endpoint="agreement",
            primary=False,
            actor=study.created_by,
        )
        for _ in range(2)
    ]
    assert entries[0].code != entries[1].code
    analysis_plan.parse(Study.objects.get(pk=study.pk).analysis_plan)


@pytest.mark.parametrize("document", [None, {}, "x", [1], [{}], [{"code": "a"}], [{"code": 1}]])
def test_a_document_of_another_shape_is_refused_in_words(document):
    with pytest.raises(ReaderStudyError, match=r"planned analysis"):
        analysis_plan.parse(document)
