"""What is described of every study: counts by hand, and every bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from readerstudy.analysis.carrying_out import carry_out
from readerstudy.analysis.document import Passage, from_dict
from readerstudy.analysis.endpoints.cues import called, described_cues
from readerstudy.analysis.endpoints.described_answers import described_answers
from readerstudy.analysis.endpoints.described_difficulty import described_difficulty
from readerstudy.analysis.endpoints.described_reads import described_reads
from readerstudy.analysis.endpoints.described_repeats import described_repeats
from readerstudy.analysis.endpoints.described_times import described_times, look_seconds
from readerstudy.studies.reading_design import ReadingDesign
from tests.analysis.making import CONFIDENCE, ORIGIN, dataset, item, question, read

CUES = question("cues", "vessels", "texture", "sulci", kind="multi")
VOLUME = replace(question("volume", kind="number"), unit="mL")
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
OTHER = {"real": "synthetic", "synthetic": "real"}
ITEMS = [
    item(f"C{n}", "synthetic" if n % 2 else "real", stratum="left" if n < 4 else "right",
         generator=("A" if n < 4 else "B") if n % 2 else "")
    for n in range(8)
]  # fmt: skip


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def one(section, code):
    return next(found for found in section.blocks if getattr(found, "code", "") == code)


def cells(table, **wanted):
    return next(row.cells for row in table.rows if wanted.items() <= row.cells.items())


def study(**more):
    """Two readers; R1 errs on the first three cases, R2 on none. Seconds rise with the place."""
    reads = []
    for reader, wrong in (("R1", 3), ("R2", 0)):
        for n, case in enumerate(ITEMS):
            said = case.origin if n >= wrong else OTHER[case.origin]
            made = read(
                reader,
                case,
                {"origin": said, "cues": ["vessels"] if n >= wrong else ["texture", "sulci"]},
                position=n + 1,
                clocks=[{"look_ms": 1000 * (n + 1)}],
                received_at=at(n),
                viewer={"t1c": {"slice": 3, "slices_seen": [[0, 4], [6, 7]]}},
            )
            reads.append(made)
    return dataset(reads, ITEMS, questions=(ORIGIN, CUES), years={"R1": 14}, **more)


def test_readers_reads_and_gaps_are_counted():
    data = study(planned=10, missing=4)
    data.reads.append(read("R1", ITEMS[0], {"origin": "real"}, repeat=1))
    (section,) = described_reads(replace(data, late=2, withdrawn=1))
    first = cells(one(section, "readers"), reader="R1")
    assert [first[name].value for name in ("years", "planned", "first", "repeats", "missing")] == [
        14, 10, 8, 1, 1,
    ]  # fmt: skip
    second = cells(one(section, "readers"), reader="R2")
    assert second["years"].reason == "not stated"
    assert second["missing"].value == 2
    assert "Late answers 2, duplicates 0, reads of withdrawn cases 1" in section.lead[1]
    assert section.lead[0].startswith("2 readers gave 17 answers to 21 planned reads")


def test_slices_seen_are_those_of_the_ranges():
    found = one(described_reads(study())[0], "slices")
    assert cells(found, reader="R1", series="t1c")["median"].value == 5
    assert one(described_reads(study())[0], "slices").n == "16 series shown"


@pytest.mark.parametrize(("break_days", "kept"), [(28, "yes"), (27, "no")])
def test_the_washout_of_a_crossover_is_measured_and_its_order_counted(break_days, kept):
    reads = [
        read("R1", case, {"origin": "real"}, arm=arm, period=period, received_at=at(day))
        for arm, period, day in (("a", 1, 0), ("b", 2, break_days))
        for case in ITEMS
    ]
    data = dataset(
        reads,
        ITEMS,
        arms=(("a", "Standard"), ("b", "With map")),
        design=ReadingDesign(schedule="crossover", washout_days=28),
    )
    (section,) = described_reads(data)
    row = cells(one(section, "washout"), reader="R1")
    assert row["days"].value == break_days
    assert row["kept"] == kept
    order = one(section, "order")
    assert cells(order, arm="Standard")["reads_1"].value == 8
    assert cells(order, arm="Standard")["reads_2"].value == 0


def test_a_study_without_clocks_dates_or_viewer_says_so_and_has_no_empty_table():
    data = dataset([read("R1", case, {"origin": "real"}) for case in ITEMS], ITEMS)
    codes = [getattr(block, "code", "") for block in described_reads(data)[0].blocks]
    assert codes == ["readers"]
    (times,) = described_times(data)
    assert [b.text for b in times.blocks if isinstance(b, Passage)] == [
        "No clock was recorded with the answers: no times can be given."
    ]


def test_times_are_medians_and_quartiles_of_the_look_with_corrections_added():
    (section,) = described_times(study())
    row = cells(one(section, "seconds"), reader="R1")
    # R: quantile(1:8)
    assert [row[name].value for name in ("low", "median", "high")] == [2.75, 4.5, 6.25]
    twice = read("R1", ITEMS[0], clocks=[{"look_ms": 4000}, {"look_ms": 1500}])
    assert look_seconds(twice) == 5.5
    assert look_seconds(read("R1", ITEMS[0], clocks=[{}])) is None
    figures = {figure.code for figure in section.figures}
    assert figures == {"pace", "learning_origin"}


def test_parts_that_were_harder_are_shares_with_clustered_intervals():
    (section,) = described_difficulty(study())
    found = one(section, "harder_origin")
    left = cells(found, part="left")
    assert (left["right"].value, left["reads"].value) == (5, 8)
    assert left["correct"].low < 5 / 8 < left["correct"].high
    assert left["right"].behind == {"question": "origin", "stratum": "left", "right": "yes"}
    assert cells(found, part="First half of a reader")["right"].value == 5
    assert cells(found, part="Last half of a reader")["right"].value == 8
    assert cells(found, by="Generator", part="A")["reads"].value == 4
    thirds = [row.cells["reads"].value for row in found.rows if row.cells["by"] == "Time"]
    assert sum(thirds) == 16
    assert section.tests == ()


def test_nothing_is_harder_where_no_answer_can_be_right():
    items = [item(f"C{n}") for n in range(3)]
    assert (
        described_difficulty(dataset([read("R1", i, {"origin": "real"}) for i in items], items))
        == []
    )
    assert called(dataset([], items)) is None
    assert described_cues(dataset([], items)) == []


def test_answers_are_counted_by_reader_with_shares_and_numbers_with_their_middle():
    reads = [
        read("R1", case, {"origin": "real", "volume": float(n), "cues": ["vessels", "texture"]})
        for n, case in enumerate(ITEMS[:5])
    ]
    reads.append(read("R1", ITEMS[5], not_evaluable=("origin", "volume")))
    data = dataset(reads, ITEMS, questions=(ORIGIN, VOLUME, CUES), readers=("R1", "R2"))
    (section,) = described_answers(data)
    first = cells(one(section, "answers_origin"), reader="R1")
    assert (first["n_real"].value, first["share_real"].value) == (5, 1.0)
    assert first["not_evaluable"].value == 1
    none = cells(one(section, "answers_origin"), reader="R2")
    assert none["share_real"].reason == "no answer"
    volume = cells(one(section, "answers_volume"), reader="R1")
    # R: mean(0:4), sd(0:4), median(0:4)
    assert [volume[n].value for n in ("mean", "median")] == [2, 2]
    assert volume["sd"].value == pytest.approx(1.5811388300841898)
    assert cells(one(section, "answers_volume"), reader="R2")["sd"].reason == "no number"
    named = cells(one(section, "answers_cues"), reader="R1")
    assert (named["n_vessels"].value, named["n_sulci"].value) == (5, 0)


def test_many_levels_have_their_shares_in_a_row_of_all_readers():
    reads = [read("R1", case, {"confidence": "2"}) for case in ITEMS]
    (section,) = described_answers(dataset(reads, ITEMS))
    found = one(section, "answers_confidence")
    assert found.rows[-1].cells["reader"] == "All readers, %"
    assert found.rows[-1].cells["n_2"].value == 1
    assert len(CONFIDENCE.levels) == 5


def test_texts_and_places_are_told_by_their_number_alone():
    note = replace(question("note"), kind="text")
    data = dataset([read("R1", ITEMS[0], {"note": "a cyst"})], ITEMS, questions=(note,))
    (section,) = described_answers(data)
    assert [block.text for block in section.blocks] == ["Note 1 text, in the export in full."]


def test_hidden_repeats_are_compared_with_the_first_answer():
    data = study()
    data.reads.extend(
        read("R1", case, {"origin": case.origin}, repeat=1, position=20 + n)
        for n, case in enumerate(ITEMS[:5])
    )
    (section,) = described_repeats(data)
    row = cells(section.tables[0], reader="R1")
    assert (row["n"].value, row["same"].value) == (5, 2)  # the first three were wrong at first
    # R: prop.test(2, 5, correct = FALSE)$conf.int
    assert (row["share"].low, row["share"].high) == pytest.approx((0.1176208, 0.7692757), abs=1e-6)
    assert described_repeats(study()) == []


# Cues and marked spots


def test_cues_are_counted_with_right_and_wrong_calls():
    (section,) = described_cues(study())
    texture = cells(one(section, "cues_cues"), cue="Texture")
    assert (texture["real_right"].value, texture["real_wrong"].value) == (0, 2)
    assert texture["synthetic_wrong"].value == 1
    assert texture["right"].value == 0
    vessels = cells(one(section, "cues_cues"), cue="Vessels")
    assert vessels["reads"].value == 13
    assert vessels["right"].value == 1
    assert one(section, "cues_cues").n == "16 reads of 16 calls name a cue"


def mark(*point: float) -> dict:
    return {"kind": "point", "role": "t1c", "plane": "axial", "points_mm": [list(point)]}


def drawn_in(figure) -> list[dict]:
    """The places in a specification; it holds its data by name."""
    return [row for rows in figure.spec["datasets"].values() for row in rows if "a" in row]


def test_marks_lie_where_they_were_put_scaled_to_the_median_head():
    items = [replace(case, head_scale=2.0) for case in ITEMS[:2]]
    answer = {"origin": "real", "spot": mark(5.0, 0.0, 1.0)}
    reads = [
        read(
            "R1", items[0], answer, viewer={"measures": [mark(1.0, -2.0, 3.0), {"kind": "length"}]}
        ),
        read("R1", items[1], {"origin": "real"}, viewer={"measures": "damaged"}),
    ]
    (section,) = described_cues(dataset(reads, items))
    maps = {figure.code: figure for figure in section.figures}
    assert set(maps) == {"cue_map_axial", "cue_map_sagittal"}
    assert "scaled to the median size of head" in maps["cue_map_axial"].method
    drawn = [(row["a"], row["b"]) for row in drawn_in(maps["cue_map_axial"])]
    assert sorted(drawn) == [(2.0, -4.0), (10.0, 0.0)]
    row = cells(one(section, "marks"), truth="real", verdict="right")
    assert [row[name].value for name in ("calls", "with", "marks")] == [1, 1, 2]
    # distances √(4 + 16 + 36) = 7.483 and √(100 + 4) = 10.198: their mean is the median of two
    assert row["distance"].value == pytest.approx((56**0.5 + 104**0.5) / 2)


def test_marks_that_are_no_places_are_left_out():
    bad = [{"kind": "point", "points_mm": [[1.0, float("nan"), 2.0]]}, {"kind": "point"}, 7]
    reads = [read("R1", ITEMS[0], {"origin": "real"}, viewer={"measures": bad})]
    assert described_cues(dataset(reads, ITEMS)) == []


def test_thousands_of_marks_are_counted_in_squares():
    rng = np.random.default_rng(1)
    marks = [mark(*point) for point in rng.normal(0, 20, (2000, 3)).tolist()]
    reads = [read("R1", ITEMS[0], {"origin": "real"}, viewer={"measures": marks})]
    (section,) = described_cues(dataset(reads, ITEMS))
    rows = drawn_in(section.figures[0])
    assert sum(row["n"] for row in rows) == 2000
    assert len(rows) < 1000


def test_every_description_survives_json_and_an_empty_study():
    document = carry_out(study(), [])
    assert from_dict(json.loads(json.dumps(document.to_dict()))).to_dict() == document.to_dict()
    codes = [section.code for section in document.sections]
    assert len(codes) == len(set(codes))
    empty = carry_out(dataset([], [], questions=()), [])
    assert [section.code for section in empty.sections] == ["described_reads", "described_times"]
    only_named = carry_out(dataset([], ITEMS, readers=("R1", "R2")), [])
    assert only_named.section("described_reads").tables[0].rows[0].cells["first"].value == 0
