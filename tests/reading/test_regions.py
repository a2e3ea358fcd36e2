"""A place on the image is an answer like any other, kept in the case frame and in the patient."""

from __future__ import annotations

import csv
import io
import uuid

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from readerstudy.analysis import datasets, export
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import recording
from readerstudy.reading.models import EncodedSeries, Rating
from readerstudy.reading.progress import state_of
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Question
from readerstudy.truth import unblinding
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db

ELLIPSE = {"mean": 410.5, "sd": 20.25, "area_mm2": 12.0, "n": 12}
# The made-up images are 12 by 20 by 16 voxels of 2 by 1 by 1 mm, so nearly 8 mm to each side.


def running(kind: str = "length", role: str | None = "t1c", **options) -> scenario.Scenario:
    """A launched study that also asks for a place."""
    made = scenario.draft(1, 1)
    Question.objects.create(
        study=made.study,
        position=9,
        code="spot",
        text="Measure the lesion",
        kind=Question.Kind.REGION,
        region={"kind": kind, "role": role},
        **options,
    )
    scenario.lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    scenario.display.prepare(made.refresh(), lambda *_: None)
    scenario.pass_sentinel(made.study)
    made.study = scenario.launch(study=made.refresh(), actor=made.coordinator)
    return made


def drawn(**changes):
    region = {
        "kind": "length",
        "role": "t1c",
        "plane": "axial",
        "points_mm": [[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]],
        "measured": {"length_mm": 5.0},
    }
    return {"region": {**region, **changes}}


def submit(made, value):
    reading = scenario.offer(made.enrolment())
    body = scenario.body(spot=value)
    return recording.submit(reading=reading, key=str(uuid.uuid4()), body=body)[0]


def test_a_length_is_stored_with_its_ends_in_the_patient():
    made = running()
    submission = submit(made, drawn())
    region = submission.ratings.get(question__code="spot").region
    encoded = EncodedSeries.objects.get(case=submission.reading.case, role="t1c")
    frame = np.array(encoded.frame_to_lps)
    assert region["points_mm"] == [[0, 0, 0], [3, 4, 0]]
    np.testing.assert_allclose(region["points_lps_mm"][0], frame[:3, 3])
    np.testing.assert_allclose(region["points_lps_mm"][1], frame[:3, 3] + [3, 4, 0])
    assert region["measured"] == {"length_mm": 5.0}


@pytest.mark.parametrize(
    ("kind", "points", "measured"),
    [
        ("point", [[1, 2, 3]], {"level": 812}),
        ("ellipse", [[-2, -2, 0], [2, 2, 0]], ELLIPSE),
    ],
)
def test_points_and_ellipses_are_stored(kind, points, measured):
    made = running(kind, role=None)
    value = drawn(kind=kind, points_mm=points, measured=measured)
    region = submit(made, value).ratings.get(question__code="spot").region
    assert (region["kind"], region["points_mm"], region["measured"]) == (kind, points, measured)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "ellipse"}, "needs a length on the image"),
        ({"role": "flair"}, "must be marked on t1c"),
        ({"plane": "oblique"}, "unknown plane"),
        ({"plane": ["axial"]}, "unknown plane"),
        ({"points_mm": [[0, 0, 0]]}, "needs 2 point"),
        ({"points_mm": [[0, 0], [1, 1]]}, "needs 2 point"),
        ({"points_mm": [[0, 0, 0], [0, 0, "1"]]}, "not numbers"),
        ({"points_mm": [[0, 0, 0], [0, 0, float("nan")]]}, "not numbers"),
        ({"points_mm": [[0, 0, 0], [0, 0, 10**400]]}, "not numbers"),
        ({"points_mm": [[0, 0, 0], [0, 0, True]]}, "not numbers"),
        ({"points_mm": [[0, 0, 0], [100, 0, 0]]}, "outside the image"),
        ({"measured": {}}, "needs length_mm as measured"),
        ({"measured": {"length_mm": -1}}, "no valid length_mm"),
        ({"measured": {"length_mm": "5"}}, "no valid length_mm"),
        ({"measured": {"length_mm": 5, "mean": 1}}, "needs length_mm as measured"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(changes, words):
    made = running()
    with pytest.raises(ReaderStudyError, match=words) as refused:
        submit(made, drawn(**changes))
    assert refused.value.details["field"] == "spot"
    assert not Rating.objects.exists()


@pytest.mark.parametrize("value", ["t1c", ["x"], {"region": None}, 5])
def test_another_kind_of_answer_is_no_place(value):
    with pytest.raises(ReaderStudyError, match="needs a length on the image"):
        submit(running(), value)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", [-1, 1])
def test_a_point_may_lie_a_millimetre_off_the_image_and_no_farther(axis, side):
    made = running("point")
    slot = state_of(made.enrolment())["forms"][0]["layout"]["slots"][0]
    steps = np.array(slot["spacing_mm"][::-1])
    counts = np.array(slot["shape"][::-1])
    low = np.array(slot["origin_mm"]) - steps / 2
    edge = low if side < 0 else low + steps * counts
    at = np.zeros(3)
    at[axis] = edge[axis] + 0.9 * side
    measured = {"level": 0}
    submit(made, drawn(kind="point", points_mm=[at.tolist()], measured=measured))
    at[axis] = edge[axis] + 1.1 * side
    with pytest.raises(ReaderStudyError, match="outside the image"):
        submit(made, drawn(kind="point", points_mm=[at.tolist()], measured=measured))


def test_a_place_may_be_optional_or_not_evaluable():
    made = running(required=False, may_be_not_evaluable=True)
    assert not submit(made, None).ratings.filter(question__code="spot").exists()
    rating = submit(made, {"not_evaluable": True}).ratings.get(question__code="spot")
    assert rating.not_evaluable
    assert rating.region is None


def test_undo_gives_the_drawing_back_and_the_correction_supersedes():
    made = running()
    first = submit(made, drawn())
    recording.undo(reading=first.reading)
    draft = state_of(made.enrolment())["reading"]["draft"]
    assert draft["answers"]["spot"] == drawn()
    again = submit(made, drawn(measured={"length_mm": 6.5}))
    assert again.supersedes == first
    assert first.ratings.get(question__code="spot").region["measured"] == {"length_mm": 5.0}


def test_the_page_is_told_what_to_draw_and_where():
    made = running("ellipse")
    asked = {q["code"]: q for q in state_of(made.enrolment())["forms"][0]["questions"]}
    assert asked["spot"]["kind"] == "region"
    assert asked["spot"]["region"] == {"kind": "ellipse", "role": "t1c", "many": False}
    assert "region" not in asked["origin"]


def test_the_database_refuses_a_rating_of_two_forms():
    rating = submit(running(), drawn()).ratings.get(question__code="spot")
    rating.choices = ["x"]
    with unguarded(), pytest.raises(IntegrityError), transaction.atomic():
        rating.save()


def test_the_export_writes_points_and_measures():
    made = running()
    for number in range(2):
        scenario.read_all(made.enrolment(number), lambda _: scenario.body(spot=drawn()))
    lifecycle.close(study=made.study, actor=made.coordinator, reason="All read")
    unblinding.unblind(
        study=made.refresh(),
        actor=made.coordinator,
        reason="All read",
        typed_name=made.study.name,
    )
    data = datasets.load(made.refresh(), actor=made.coordinator)
    text = export.to_csv(export.long_rows(data), export.LONG_COLUMNS)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["question"] == "spot"]
    assert len(rows) == 4
    assert {row["question_kind"] for row in rows} == {"region"}
    assert {row["value"] for row in rows} == {"length t1c axial"}
    assert {row["points_mm"] for row in rows} == {"0.0 0.0 0.0|3.0 4.0 0.0"}
    assert {row["measured"] for row in rows} == {"length_mm=5.0"}
    for row in rows:
        frame = EncodedSeries.objects.get(case__code=row["case"], role="t1c").frame_to_lps
        ends = [np.array(one.split(), float) for one in row["points_lps_mm"].split("|")]
        np.testing.assert_allclose(ends[0], np.array(frame)[:3, 3])
        np.testing.assert_allclose(np.linalg.norm(ends[1] - ends[0]), 5)
    others = [r for r in csv.DictReader(io.StringIO(text)) if r["question"] == "origin"]
    assert {row["points_mm"] + row["measured"] for row in others} == {""}
    wide = next(iter(export.wide_rows(data)))
    assert wide["points_mm_spot"] == "0.0 0.0 0.0|3.0 4.0 0.0"
    known = {row["name"] for row in export.codebook_rows(data)}
    assert set(export.LONG_COLUMNS) <= known
