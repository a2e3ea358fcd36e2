"""The reads behind a number, and the private debrief of a reader."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.analysis import datasets
from readerstudy.analysis.debriefing import are_open, decide_debriefs
from readerstudy.analysis.endpoints.cues import described_cues
from readerstudy.analysis.endpoints.turing import turing
from readerstudy.analysis.reads_behind import Behind, Filters
from readerstudy.core.errors import Conflict, NotAllowed, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading.models import Reading
from readerstudy.studies import lifecycle
from readerstudy.studies.design import create_study, enrol
from readerstudy.studies.models import Enrolment, Membership, Study, StudyCase
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.factories import ReaderFactory

pytestmark = pytest.mark.django_db
OTHER = {"real": "synthetic", "synthetic": "real"}
# Of four real and four synthetic cases, which numbers each reader calls wrongly.
WRONG = ({0, 4, 5}, {1})


def finished(made) -> None:
    lifecycle.close(study=made.refresh(), actor=made.coordinator, reason="Read")
    unblind(study=made.refresh(), actor=made.coordinator, reason="Planned",
            typed_name=made.study.name)  # fmt: skip
    made.refresh()


def read_with(made, wrong=WRONG) -> None:
    kinds = {one.case_id: one.kind for one in Origin.objects.all()}
    ordered = sorted(kinds, key=lambda pk: (kinds[pk], str(pk)))
    for number, missed in enumerate(wrong):

        def answer(case, missed=missed):
            truth = kinds[case.pk]
            said = OTHER[truth] if ordered.index(case.pk) in missed else truth
            cue = "vessels" if said == truth else "texture"
            return scenario.body(said, "3", cues=[cue])

        scenario.read_all(made.enrolment(number), answer)


@pytest.fixture
def made():
    made = scenario.running(4, 4)
    read_with(made)
    finished(made)
    return made


def signed_in(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def behind(made, **filters: str) -> Behind:
    return Behind(made.study, Filters.of(filters), actor=made.coordinator)


def test_marks_of_the_reading_page_are_mapped_in_a_head_of_known_size():
    made = scenario.running(2, 2, 1)

    def answer(case):
        mark = {"kind": "point", "role": "t1c", "plane": "axial", "points_mm": [[3.0, 4.0, 2.0]]}
        return {**scenario.body("real"), "viewer": {"measures": [mark]}}

    scenario.read_all(made.enrolment(0), answer)
    finished(made)
    data = datasets.load(made.study, actor=made.coordinator)
    scales = sorted(one.head_scale for one in data.items.values())
    assert scales[0] <= 1 <= scales[-1]
    (section,) = described_cues(data)
    marks = next(one for one in section.tables if one.code == "marks")
    assert sum(row.cells["marks"].value for row in marks.rows) == 4
    assert "scaled to the median size of head" in section.figures[0].method


def test_each_number_of_the_endpoint_leads_to_as_many_reads_as_it_counts(made):
    data = datasets.load(made.study, actor=made.coordinator)
    section = turing(data, made.study.analyses[0])
    readers = next(one for one in section.tables if one.code == "readers")
    checked = 0
    for row in readers.rows:
        for name, cell in row.cells.items():
            if isinstance(cell, str) or not cell.behind or cell.form != "count":
                continue
            assert len(behind(made, **cell.behind).keys()) == cell.value, (name, cell.behind)
            checked += 1
    assert checked >= 12
    right = readers.rows[0].cells["correct"]
    assert len(behind(made, **right.behind).keys()) == 5


LEFT = (
    ({}, 16),
    ({"reader": "R2"}, 8),
    ({"origin": "synthetic"}, 8),
    ({"generator": "toy"}, 8),
    ({"generator": "another"}, 0),
    ({"question": "cues", "answer": "texture"}, 4),
    ({"question": "origin", "right": "no"}, 4),
    ({"period": "1"}, 16),
    ({"period": "2"}, 0),
    ({"repeat": "yes", "reader": "R1"}, 8),
)


def test_filters_leave_the_reads_that_have_all_of_it(made):
    found = [len(behind(made, **filters).keys()) for filters, _ in LEFT]
    assert found == [count for _, count in LEFT]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"answer": "real"}, "Name the question"),
        ({"question": "origin", "right": "perhaps"}, "yes or no"),
        ({"period": "first"}, "whole number"),
    ],
)
def test_filters_that_cannot_be_are_refused_in_words(filters, words):
    with pytest.raises(ReaderStudyError, match=words):
        Filters.of(filters)


def test_the_page_shows_images_answers_truth_and_time_and_records_the_look(made):
    browser = signed_in(made.coordinator)
    address = reverse("study-reads", args=[made.study.pk])
    page = browser.get(address, {"reader": "R1", "question": "origin", "right": "no"})
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("position ") == 3
    assert text.count("synthetic, toy</span>") == 2
    assert "right is Real" in text
    assert "Noise, texture" in text
    assert "/results/pictures/" in text
    assert "8\N{NARROW NO-BREAK SPACE}s" in text
    looks = AuditRecord.objects.filter(action="truth.look", actor=made.coordinator)
    assert looks.count() >= 1
    assert browser.get(address, {"question": "no-such-question"}).status_code == 400
    assert "No such read" in browser.get(address, {"reader": "R9"}).content.decode()


def test_statisticians_see_the_reads_and_others_and_strangers_do_not(made):
    series = made.study.cases.first().series.first()
    paths = [
        reverse("study-reads", args=[made.study.pk]),
        reverse("study-read-picture", args=[made.study.pk, series.pk]),
    ]
    statuses = {}
    for role in ("statistician", "auditor", "blinded", "adjudicator"):
        user = ReaderFactory()
        Membership.objects.create(study=made.study, user=user, role=role)
        statuses[role] = [signed_in(user).get(path).status_code for path in paths]
    assert statuses.pop("statistician") == [200, 200]
    assert set(map(tuple, statuses.values())) == {(403, 403)}
    assert [signed_in(made.readers[0]).get(path).status_code for path in paths] == [404, 404]


def test_pictures_of_other_studies_cases_are_none_of_this_one(made):
    other = scenario.make_case("elsewhere", 99)
    path = reverse("study-read-picture", args=[made.study.pk, other.series.first().pk])
    assert signed_in(made.coordinator).get(path).status_code == 404


# Debriefs


def opened(made) -> None:
    decide_debriefs(study=made.study, is_open=True, actor=made.coordinator, note="Thank you all.")


def test_a_reader_sees_the_own_debrief_once_it_is_open_and_nothing_of_others(made):
    own, other = made.enrolment(0), made.enrolment(1)
    browser = signed_in(made.readers[0])
    path = reverse("debrief", args=[own.token])
    assert browser.get(path).status_code == 404
    assert "Your debrief" not in browser.get(reverse("reader-home")).content.decode()
    opened(made)
    assert path in browser.get(reverse("reader-home")).content.decode()
    text = browser.get(path).content.decode()
    assert "Thank you all." in text
    # R: prop.test(5, 8, correct = FALSE)$conf.int is 0.305742 to 0.863156
    assert "<strong>62.5 %</strong> of the answers (5 of 8, 95 % interval 30.6 to 86.3)" in text
    assert text.count("right is ") == 3
    assert 'Noise, texture</th><td class="num">0</td><td class="num">3</td>' in text
    assert "toy" not in text
    assert browser.get(reverse("debrief", args=[other.token])).status_code == 404
    looks = AuditRecord.objects.filter(action="truth.look", actor=made.readers[0])
    assert looks.count() == 1


def test_pictures_of_a_debrief_are_those_of_own_readings_alone(made):
    opened(made)
    browser = signed_in(made.readers[0])
    own, other = made.enrolment(0), made.enrolment(1)
    mine = Reading.objects.filter(enrolment=own).first()
    theirs = Reading.objects.filter(enrolment=other).first()
    assert (
        browser.get(reverse("debrief-picture", args=[own.token, mine.token, 0])).status_code == 200
    )
    for token, number in ((theirs.token, 0), (mine.token, 7)):
        path = reverse("debrief-picture", args=[own.token, token, number])
        assert browser.get(path).status_code == 404


def test_debriefs_are_opened_by_the_coordinator_after_unblinding_and_can_be_closed(made):
    path = reverse("study-debriefs", args=[made.study.pk])
    browser = signed_in(made.coordinator)
    assert "Open the debriefs" in browser.get(path).content.decode()
    assert browser.post(path, {"note": "Well read"}).status_code == 302
    assert are_open(made.study)
    with pytest.raises(Conflict):
        opened(made)
    browser.post(path, {})
    assert not are_open(made.study)
    actions = AuditRecord.objects.filter(action__startswith="debrief.")
    assert list(actions.order_by("sequence").values_list("action", flat=True)) == [
        "debrief.open",
        "debrief.close",
    ]


def test_before_unblinding_nobody_opens_a_debrief():
    made = scenario.running(2, 2)
    with pytest.raises(NotAllowed, match="once the study is unblinded"):
        opened(made)
    browser = signed_in(made.coordinator)
    path = reverse("study-debriefs", args=[made.study.pk])
    assert "Not yet" in browser.get(path).content.decode()
    assert browser.post(path, {}).status_code == 409
    own = made.enrolment(0)
    assert signed_in(made.readers[0]).get(reverse("debrief", args=[own.token])).status_code == 404


def test_a_reader_of_the_same_cases_in_a_blinded_study_waits(made):
    opened(made)
    again = create_study(template="visual-turing-test", name="Again", reader_title="Reading B",
                         actor=made.coordinator)  # fmt: skip
    case = made.study.cases.first()
    StudyCase.objects.create(study=again, case=case, item=case.code)
    enrol(study=again, reader=made.readers[0], actor=made.coordinator)
    Study.objects.filter(pk=again.pk).update(state=Study.State.LOCKED)
    own = made.enrolment(0)
    browser = signed_in(made.readers[0])
    refused = browser.get(reverse("debrief", args=[own.token]))
    assert refused.status_code == 403
    assert "not open to you yet" in refused.content.decode()
    assert "Your debrief" not in browser.get(reverse("reader-home")).content.decode()
    mine = Reading.objects.filter(enrolment=own).first()
    picture = reverse("debrief-picture", args=[own.token, mine.token, 0])
    assert browser.get(picture).status_code == 403
    second = made.enrolment(1)
    path = reverse("debrief", args=[second.token])
    assert signed_in(made.readers[1]).get(path).status_code == 200


def test_a_preview_has_no_debrief(made):
    opened(made)
    preview = Enrolment.objects.create(
        study=made.study, reader=made.coordinator, kind=Enrolment.Kind.PREVIEW, code="P1"
    )
    path = reverse("debrief", args=[preview.token])
    assert signed_in(made.coordinator).get(path).status_code == 404
