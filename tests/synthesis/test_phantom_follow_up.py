"""Patients followed up: the curve in closed form, and label maps that follow it."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from readerstudy.stats import time_to_progression
from synthesis.phantom import follow_up
from synthesis.phantom.follow_up import (
    Exam,
    Response,
    draw_days,
    draw_response,
    make_follow_up,
    write_follow_ups,
)

COARSE = (4.0, 2.0, 2.0)
DOUBLING = Response(resistant=1.0, kill=0.0, growth=math.log(2) / 80)


@pytest.mark.parametrize("f", [0.1, 0.3, 0.6])
def test_the_curve_is_smallest_where_its_formula_says(f: float) -> None:
    response = Response(resistant=f, kill=0.03, growth=0.004)
    assert response.relative(0) == pytest.approx(1)
    found = minimize_scalar(response.relative, bounds=(0, 1000), method="bounded")
    assert response.smallest_day == pytest.approx(found.x, abs=0.01)


def test_a_tumour_that_only_grows_or_only_shrinks() -> None:
    assert DOUBLING.smallest_day == 0
    assert DOUBLING.relative(240) == pytest.approx(8)
    assert Response(resistant=0.5, kill=0.01, growth=0.0).smallest_day == math.inf
    with pytest.raises(ValueError, match="resistant"):
        Response(resistant=0, kill=0.1, growth=0.1)


def test_draws_follow_the_seed_and_the_schedule() -> None:
    rng = [np.random.default_rng(5) for _ in range(2)]
    assert draw_response(rng[0]) == draw_response(rng[1])
    days = draw_days(rng[0], 6)
    assert days == draw_days(rng[1], 6)
    assert days[0] == 0
    assert all(abs(day - 56 * k) <= 5 for k, day in enumerate(days))
    kinds = [draw_response(np.random.default_rng(k)) for k in range(200)]
    only = [one for one in kinds if one.resistant == 1.0]
    assert 20 < len(only) < 65  # a fifth


@pytest.fixture(scope="module")
def exams() -> list[Exam]:
    return list(make_follow_up(3, (0, 50, 100), DOUBLING, spacing_mm=COARSE))


def test_label_maps_follow_the_curve(exams: list[Exam]) -> None:
    curve = [1, 2 ** (50 / 80), 2 ** (100 / 80)]
    assert [exam.relative for exam in exams] == pytest.approx(curve)
    whole = np.array([exam.subject.masks["tumour"].sum() for exam in exams])
    np.testing.assert_allclose(whole / whole[0], curve, rtol=0.06)
    measured = np.array([exam.enhancing_ml for exam in exams])  # a wall as thin as these voxels
    np.testing.assert_allclose(measured / measured[0], curve, rtol=0.2)
    read = time_to_progression([exam.day for exam in exams], measured)
    assert (read.event, read.time) == (True, 50)  # 54 % more after fifty days


def test_anatomy_stays_and_the_scanner_does_not(exams: list[Exam]) -> None:
    first, last = exams[0].subject, exams[-1].subject
    assert np.array_equal(first.brain_mask, last.brain_mask)
    away = (first.masks["oedema"] | last.masks["oedema"] | last.masks["tumour"]) == 0
    away &= first.brain_mask > 0
    a, b = (s.sequences["t1"][away].astype(float) for s in (first, last))
    assert not np.array_equal(a, b)
    assert np.corrcoef(a, b)[0, 1] > 0.9
    assert first.description["day"] == 0
    assert last.description["response"]["resistant"] == 1.0
    assert not (first.masks["tumour"] & ~last.masks["tumour"]).sum() > 20  # it grew outwards


def test_the_same_seed_gives_the_same_examination(exams: list[Exam]) -> None:
    again = next(make_follow_up(3, (0, 50, 100), DOUBLING, spacing_mm=COARSE))
    assert np.array_equal(again.subject.sequences["t1c"], exams[0].subject.sequences["t1c"])


@pytest.mark.parametrize(("days", "lesion"), [((), "glioma"), ((0, 0), "glioma"), ((0, 1), "ms")])
def test_impossible_orders_are_refused(days: tuple[int, ...], lesion: str) -> None:
    with pytest.raises(ValueError, match=r"days|lesion"):
        next(make_follow_up(1, days, DOUBLING, lesion=lesion))


def test_a_cohort_grows_and_writes_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def made(_folder: Path, seed: int, **_: Any) -> list[dict[str, Any]]:
        asked.append(seed)
        return [
            {"case": f"sub-{seed:04d}_ses-0{k}", "subject": f"sub-{seed:04d}", "day": 56 * k,
             "curve_ml": 1.0, "enhancing_ml": 1.0}
            for k in (0, 1)
        ]  # fmt: skip

    monkeypatch.setattr(follow_up, "write_follow_up", made)
    write_follow_ups(tmp_path, [1])
    table = write_follow_ups(tmp_path, [1, 2])
    assert asked == [1, 2]
    with table.open() as stream:
        assert [row["subject"] for row in csv.DictReader(stream)] == ["sub-0001"] * 2 + [
            "sub-0002"
        ] * 2
    with (tmp_path / "manifest.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 4 * 5
    assert lines[0] == {
        "path": "sub-0001_ses-00/t1n.nii.gz", "case": "sub-0001_ses-00", "subject": "sub-0001",
        "day": "0", "origin": "real",
    }  # fmt: skip
