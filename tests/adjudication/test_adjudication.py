"""Adjudication: discordant answers before a panel, own vote first, a consensus in versions."""

from __future__ import annotations

import csv
import io
import uuid
from collections import Counter

import pytest
from django.urls import reverse

from readerstudy.adjudication import presentation, voting
from readerstudy.adjudication.concluding import conclude, consensus_of
from readerstudy.adjudication.finding import discordances
from readerstudy.adjudication.models import Consensus, Vote
from readerstudy.adjudication.opening import open_round
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading.models import Rating, Reading
from readerstudy.reading.recording import submit
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Enrolment, Membership, Option, Question
from readerstudy.truth.unblinding import unblind
from tests import scenario

pytestmark = pytest.mark.django_db
# Quality of six cases by two readers: they agree on the first three, differ by one level on
# the fourth and by two on the fifth; the sixth one reader could not judge.
FIRST = ["low", "mid", "high", "low", "low", "mid"]
SECOND = ["low", "mid", "high", "mid", "high", {"not_evaluable": True}]


@pytest.fixture
def closed():
    made = scenario.draft(3, 3)
    Option.objects.filter(question__study=made.study).delete()
    Question.objects.filter(study=made.study).delete()
    type(made.study).objects.filter(pk=made.study.pk).update(analysis_plan=[])
    made.refresh()
    grade = Question.objects.create(
        study=made.study,
        position=1,
        code="grade",
        text="Quality",
        kind="ordinal",
        may_be_not_evaluable=True,
    )
    for position, code in enumerate(("low", "mid", "high")):
        Option.objects.create(question=grade, position=position, code=code, label=code.capitalize())
    made = scenario.started(made)
    codes = sorted(made.study.cases.values_list("code", flat=True))
    for number, grades in enumerate((FIRST, SECOND)):
        for _ in codes:
            reading = scenario.offer(made.enrolment(number))
            value = grades[codes.index(reading.case.code)]
            submit(reading=reading, key=str(uuid.uuid4()), body={"answers": {"grade": value}})
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    made.refresh()
    made.codes = codes
    return made


def panel_of(made, count: int = 3) -> list:
    users = [scenario.person(f"adjudicator{i}") for i in range(count)]
    for user in users:
        Membership.objects.create(study=made.study, user=user, role=Membership.Role.ADJUDICATOR)
    return users


def grade_of(made) -> Question:
    return made.study.questions.get(code="grade")


def opened(made, **options):
    return open_round(
        study=made.study,
        questions=[grade_of(made)],
        panel=options.pop("panel", None) or panel_of(made),
        actor=made.coordinator,
        **options,
    )


def seat(made, number: int) -> Enrolment:
    return made.study.enrolments.filter(kind="adjudicator").order_by("code")[number]


def case_of(made, number: int, item: str, period: int = 1) -> Reading:
    return Reading.objects.get(enrolment=seat(made, number), item=item, period=period)


def vote_all(made, round_, finals: dict[str, list]) -> None:
    for item, values in finals.items():
        for number, value in enumerate(values):
            reading = case_of(made, number, item, round_.number)
            voting.vote(reading=reading, stage="own", answers={"grade": "mid"})
            voting.vote(reading=reading, stage="final", answers={"grade": value})


@pytest.mark.parametrize(("least", "wanted"), [(1, [3, 4, 5]), (2, [4, 5]), (3, [5])])
def test_what_is_discordant_follows_the_rule(closed, least, wanted):
    found = discordances(closed.study, [grade_of(closed)], least)
    assert [one.item for one in found] == [closed.codes[place] for place in wanted]


def test_a_round_lays_unnamed_opinions_before_each_member_in_an_order_of_their_own(closed):
    round_ = opened(closed)
    assert round_.discordances.count() == 3
    assert "reader" not in repr(list(round_.discordances.values_list("opinions", flat=True)))
    seats = [seat(closed, number) for number in range(3)]
    orders = {
        tuple(one.readings.order_by("position").values_list("item", flat=True)) for one in seats
    }
    assert all(set(order) == set(closed.codes[3:]) for order in orders)
    tokens = [image.token for one in seats for r in one.readings.all() for image in r.images.all()]
    assert len(tokens) == len(set(tokens)) == 9


def test_nobody_sees_an_opinion_before_the_own_vote_is_sealed(client, closed):
    opened(closed)
    reading = case_of(closed, 0, closed.codes[4])
    client.force_login(reading.enrolment.reader)
    address = reverse("adjudicate-case", args=[reading.enrolment.token, reading.token])
    text = client.get(address).content.decode()
    assert "Your own vote" in text
    assert "Opinions" not in text
    assert "data-digit" in text
    sent = client.post(address, {"stage": "own", "vote-grade": "low"})
    assert sent.status_code == 302
    text = client.get(address).content.decode()
    assert "Opinions, without names" in text
    assert "R1" not in text
    again = client.post(address, {"stage": "own", "vote-grade": "high"})
    assert again.status_code == 409
    assert Vote.objects.get(stage="own").value == "low"


def test_opinions_stand_in_an_order_that_does_not_tell_whose_they_are(closed):
    round_ = opened(closed)
    laid = round_.discordances.get(item=closed.codes[4])
    assert Counter(voting.opinions_for(laid, seat(closed, 0))) == {"low": 1, "high": 1}
    voting.vote(reading=case_of(closed, 1, closed.codes[4]), stage="own", answers={"grade": "mid"})
    assert Counter(voting.opinions_for(laid, seat(closed, 0))) == {"low": 1, "high": 1, "mid": 1}
    assert Counter(voting.opinions_for(laid, seat(closed, 1))) == {"low": 1, "high": 1}


def test_a_strict_majority_is_a_consensus_and_the_readers_answers_stay(closed):
    before = list(Rating.objects.order_by("pk").values())
    round_ = opened(closed)
    three, four, five = closed.codes[3:]
    ne = {"not_evaluable": True}
    finals = {three: ["mid", "mid", "low"], four: ["low", "mid", "high"], five: [ne, ne, ne]}
    vote_all(closed, round_, finals)
    conclude(opened=round_, actor=closed.coordinator)
    held = {
        one.discordance.item: (one.value, one.votes_for, one.votes)
        for one in consensus_of(closed.study)
    }
    assert held == {three: ("mid", 2, 3), four: (None, 1, 3), five: (ne, 3, 3)}
    assert list(Rating.objects.order_by("pk").values()) == before


def test_half_of_the_votes_is_no_majority(closed):
    round_ = opened(closed, panel=panel_of(closed, 2), least_levels=2)
    four, five = closed.codes[4:]
    vote_all(closed, round_, {four: ["low", "high"], five: ["mid", "mid"]})
    found = conclude(opened=round_, actor=closed.coordinator)
    assert [one.value for one in found] == [None, "mid"]


def test_a_second_round_makes_a_new_version_and_keeps_the_first(closed):
    panel = panel_of(closed)
    round_ = opened(closed, panel=panel)
    vote_all(closed, round_, {item: ["low", "mid", "high"] for item in closed.codes[3:]})
    conclude(opened=round_, actor=closed.coordinator)
    second = opened(closed, panel=panel)
    vote_all(closed, second, {item: ["high"] * 3 for item in closed.codes[3:]})
    conclude(opened=second, actor=closed.coordinator)
    assert {(one.value, one.version) for one in consensus_of(closed.study)} == {("high", 2)}
    assert Consensus.objects.filter(version=1, value__isnull=True).count() == 3


def test_a_round_is_not_concluded_while_votes_are_missing(closed):
    round_ = opened(closed)
    with pytest.raises(Conflict, match="A1, A2, A3 are still to come"):
        conclude(opened=round_, actor=closed.coordinator)
    with pytest.raises(Conflict, match="round is open"):
        opened(
            closed, panel=list(u.reader for u in closed.study.enrolments.filter(kind="adjudicator"))
        )


def test_the_readers_may_settle_it_themselves(closed):
    round_ = opened(closed, panel=closed.readers)
    assert round_.panel.count() == 2
    assert closed.study.readers.count() == 2


def test_votes_that_do_not_fit_are_refused_and_nothing_is_kept(closed):
    opened(closed)
    reading = case_of(closed, 0, closed.codes[3])
    for answers, words in (({}, "needs a vote"), ({"grade": "superb"}, "no such choice")):
        with pytest.raises(ReaderStudyError, match=words):
            voting.vote(reading=reading, stage="own", answers=answers)
    with pytest.raises(Conflict):
        voting.vote(reading=reading, stage="final", answers={"grade": "low"})
    assert not Vote.objects.exists()


def test_a_round_needs_a_closed_study_a_panel_and_a_difference(closed):
    with pytest.raises(ReaderStudyError, match="Choose adjudicators"):
        opened(closed, panel=[closed.coordinator])
    with pytest.raises(ReaderStudyError, match="readers agree"):
        open_round(
            study=closed.study, questions=[], panel=panel_of(closed), actor=closed.coordinator
        )
    unblind(study=closed.study, actor=closed.coordinator, reason="x", typed_name=closed.study.name)
    with pytest.raises(Conflict, match="before unblinding"):
        opened(closed, panel=closed.readers)


def test_a_panel_gets_its_images_and_no_reading_page(client, closed):
    opened(closed)
    reading = case_of(closed, 0, closed.codes[3])
    client.force_login(reading.enrolment.reader)
    image = reverse("image", args=[reading.images.first().token, 0])
    assert client.get(image).status_code == 404
    address = reverse("adjudicate-case", args=[reading.enrolment.token, reading.token])
    text = client.get(address).content.decode()
    sent = client.get(image)
    assert sent.status_code == 200
    assert b"".join(sent.streaming_content)
    for word in (closed.study.name, *closed.codes, "synthetic"):
        assert word not in text
    assert client.get(reverse("read", args=[reading.enrolment.token])).status_code == 404
    client.force_login(closed.readers[0])
    assert client.get(address).status_code == 404
    assert client.get(image).status_code == 404


def test_the_coordinator_sees_values_only_after_unblinding(client, closed):
    round_ = opened(closed)
    vote_all(closed, round_, {item: ["mid"] * 3 for item in closed.codes[3:]})
    client.force_login(closed.coordinator)
    client.post(reverse("study-adjudication-conclude", args=[closed.study.pk]))
    page = reverse("study-adjudication", args=[closed.study.pk])
    table = reverse("study-consensus", args=[closed.study.pk])
    text = client.get(page).content.decode()
    assert "shown after unblinding" in text
    assert "Mid" not in text
    assert client.get(table).status_code == 403
    unblind(study=closed.study, actor=closed.coordinator, reason="x", typed_name=closed.study.name)
    assert "Mid" in client.get(page).content.decode()
    rows = list(csv.DictReader(io.StringIO(client.get(table).content.decode())))
    assert [row["value"] for row in rows if row["round"]] == ["mid"] * 3


def test_the_pages_open_a_round_and_lead_through_it(client, closed):
    panel = panel_of(closed, 1)
    client.force_login(closed.coordinator)
    page = reverse("study-adjudication", args=[closed.study.pk])
    assert "3 cases differ" in client.get(page).content.decode()
    refused = client.post(page, {"questions": ["grade"], "more_than": 0})
    assert refused.status_code == 400
    sent = {"questions": ["grade"], "panel": [panel[0].pk], "more_than": 0}
    assert client.post(page, sent).status_code == 302
    client.force_login(panel[0])
    assert "3 cases left" in client.get(reverse("adjudicate")).content.decode()
    for _ in range(3):
        case = client.get(reverse("adjudicate-next", args=[seat(closed, 0).token])).url
        client.post(case, {"stage": "own", "vote-grade": "mid"})
        client.post(case, {"stage": "final", "vote-grade": "-", "comment": "motion"})
    assert "Nothing is before you" not in client.get(reverse("adjudicate")).content.decode()
    assert (
        client.get(reverse("adjudicate-next", args=[seat(closed, 0).token])).url == "/adjudicate/"
    )
    assert AuditRecord.objects.filter(action="adjudication.final_vote").count() == 3
    assert {vote.comment for vote in Vote.objects.filter(stage="final")} == {"motion"}
    assert presentation.tally_of(closed.study) == []


def test_levels_stand_highest_first_and_keep_their_keys(closed):
    shown = presentation.choices_of(grade_of(closed))
    assert [(one.code, one.digit) for one in shown] == [("high", "3"), ("mid", "2"), ("low", "1")]
    Option.objects.filter(question=grade_of(closed), code="low").update(code="0")
    Option.objects.filter(question=grade_of(closed), code="mid").update(code="1")
    Option.objects.filter(question=grade_of(closed), code="high").update(code="2")
    own = presentation.choices_of(closed.study.questions.get(code="grade"))
    assert [one.digit for one in own] == ["2", "1", "0"]
