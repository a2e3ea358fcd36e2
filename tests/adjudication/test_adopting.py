"""A consensus becomes the reference standard: in versions, with who, when and why."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.adjudication.adopting import adopt_consensus, reference_values
from readerstudy.adjudication.concluding import conclude
from readerstudy.adjudication.models import Adoption
from readerstudy.core.errors import Conflict, NotAllowed, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.studies.models import Membership
from readerstudy.truth.models import ReferenceStandard
from readerstudy.truth.recording_reference import record_reference
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.adjudication.test_adjudication import closed, grade_of, opened, panel_of, vote_all

pytestmark = pytest.mark.django_db
__all__ = ["closed"]  # the fixture
NE = {"not_evaluable": True}


def concluded(made, finals, panel=None):
    round_ = opened(made, panel=panel)
    three, four, five = made.codes[3:]
    vote_all(made, round_, dict(zip((three, four, five), finals, strict=True)))
    conclude(opened=round_, actor=made.coordinator)


def adopt(made, **changed):
    given = {"arm": "main", "endpoint": "quality", "actor": made.coordinator, "reason": "Panel"}
    return adopt_consensus(study=made.study, question=grade_of(made), **{**given, **changed})


def on_record(endpoint: str = "quality") -> dict[str, tuple[str, str]]:
    rows = ReferenceStandard.objects.current().filter(endpoint=endpoint).select_related("case")
    return {row.case.code: (row.value, row.method) for row in rows}


def test_what_readers_share_and_what_the_panel_agreed_on_is_recorded(closed):
    concluded(closed, [["mid"] * 3, ["low", "mid", "high"], [NE] * 3])
    made = adopt(closed)
    panel = "consensus of a panel, 3 of 3 votes, round 1, version 1"
    agreed = "agreement of 2 readers"
    wanted = [("low", agreed), ("mid", agreed), ("high", agreed), ("mid", panel)]
    assert on_record() == dict(zip(closed.codes[:4], wanted, strict=True))
    assert made.facts == {"recorded": 4, "left_out": 2, "new": 4}
    assert (made.version, made.after_unblinding) == (1, False)
    row = ReferenceStandard.objects.filter(endpoint="quality").first()
    assert (row.recorded_by, row.reason) == (closed.coordinator, "Panel")
    assert AuditRecord.objects.filter(action="adjudication.adopt", reason="Panel").count() == 1


def test_a_later_consensus_supersedes_and_keeps_what_was_there(closed):
    panel = panel_of(closed)
    record_reference(
        case=closed.study.cases.get(code=closed.codes[0]),
        endpoint="quality",
        value="high",
        method="phantom",
        actor=None,
    )
    concluded(closed, [["mid"] * 3, ["low"] * 3, ["low"] * 3], panel)
    first = adopt(closed)
    assert first.facts == {"recorded": 6, "left_out": 0, "new": 5, "corrected": 1}
    concluded(closed, [["high"] * 3, ["low"] * 3, ["low"] * 3], panel)
    second = adopt(closed, reason="Second round")
    assert second.version == 2
    chain = ReferenceStandard.objects.filter(case__code=closed.codes[3], endpoint="quality")
    assert [row.value for row in chain.order_by("recorded_at")] == ["mid", "high"]
    assert chain.get(value="high").supersedes == chain.get(value="mid")
    # The first case keeps both its histology and what superseded it.
    assert ReferenceStandard.objects.filter(case__code=closed.codes[0]).count() == 2
    assert Adoption.objects.filter(study=closed.study).count() == 2


@pytest.mark.parametrize("role", [None, *Membership.Role])
def test_only_a_coordinator_of_the_study_may(closed, role):
    concluded(closed, [["mid"] * 3] * 3)
    user = scenario.person("somebody", coordinator=True)
    if role is not None:
        Membership.objects.create(study=closed.study, user=user, role=role)
    if role == Membership.Role.COORDINATOR:
        assert adopt(closed, actor=user).adopted_by == user
    else:
        with pytest.raises(NotAllowed):
            adopt(closed, actor=user)
        assert not on_record()


def test_it_needs_a_concluded_round_and_a_reason(closed):
    with pytest.raises(Conflict, match="not adjudicated"):
        adopt(closed)
    opened(closed)
    with pytest.raises(Conflict, match="round is open"):
        adopt(closed)
    with pytest.raises(ReaderStudyError, match="reason"):
        adopt(closed, reason=" ")


def test_an_answer_takes_the_words_of_the_endpoint_it_is_judged_by(closed):
    question = grade_of(closed)
    question.truth = {"endpoint": "who_grade", "values": {"2": "low", "3": "mid", "4": "high"}}
    assert reference_values(question, "who_grade") == {"low": "2", "mid": "3", "high": "4"}
    assert reference_values(question, "panel") == {"low": "low", "mid": "mid", "high": "high"}
    question.truth["values"] = {"2": "low", "3": "mid", "4": "high", "5": "high"}
    with pytest.raises(ReaderStudyError, match="stands for 2 values"):
        reference_values(question, "who_grade")


def test_the_button_tells_no_more_than_the_number_of_cases_before_unblinding(client, closed):
    concluded(closed, [["mid"] * 3] * 3)
    client.force_login(closed.coordinator)
    page = reverse("study-adjudication", args=[closed.study.pk])
    assert "Make this the reference standard" in client.get(page).content.decode()
    sent = {"question": "grade", "arm": "main", "endpoint": "quality", "reason": "Panel"}
    address = reverse("study-adjudication-adopt", args=[closed.study.pk])
    assert client.post(address, {**sent, "reason": ""}).status_code == 400
    assert client.post(address, sent).status_code == 302
    text = client.get(page).content.decode()
    assert "Version 1 of quality is on record for 6 cases" in text
    assert "quality, version 1" in text
    assert "corrected" not in text
    unblind(study=closed.study, actor=closed.coordinator, reason="x", typed_name=closed.study.name)
    assert "6 new, 0 corrected" in client.get(page).content.decode()
    client.post(address, {**sent, "reason": "Again"})
    assert Adoption.objects.first().after_unblinding
    assert client.get(address).status_code == 405
