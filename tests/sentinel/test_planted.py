"""A planted leak of each kind is caught and named; honest studies are not accused."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from django.utils.http import http_date

from readerstudy.core.models import AuditRecord
from readerstudy.reading import progress, scheduling
from readerstudy.reading.models import ReadingImage
from readerstudy.sentinel.models import SentinelRun
from readerstudy.truth.models import Origin
from tests import scenario
from tests.sentinel import planted
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
Verdict = SentinelRun.Verdict


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Draw tokens and identifiers from a seed, so that what lands does not depend on luck."""
    drawn = random.Random(2018)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    monkeypatch.setattr("secrets.token_urlsafe", lambda _=16: "".join(drawn.choices(letters, k=22)))
    monkeypatch.setattr("os.urandom", drawn.randbytes)  # what uuid4 draws from
    monkeypatch.setattr("random._urandom", drawn.randbytes)  # what secrets and SystemRandom do


@pytest.fixture
def made(_seeded):
    return planted.prepared()


def named(run: SentinelRun, family: str) -> str:
    return " ".join(
        row["what"] for row in run.results if (row["family"], row["verdict"]) == (family, "found")
    )


def test_headers_of_files_dates_and_caches(made, monkeypatch):
    """Four leaks at once; each must be named beside the others."""

    def tamper(response, synthetic, count):
        at = 1_700_000_000 + 400_000 * synthetic + 37 * count
        name = f"{'pred' if synthetic else 'scan'}_n{count:04d}.nii.gz"
        response["Content-Disposition"] = f'inline; filename="{name}"'
        response["Last-Modified"] = http_date(at)
        response["ETag"] = f'"{at:x}-{count:x}"'
        response["X-Cache"] = "HIT" if synthetic else "MISS"

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"header"}
    for header in ("Content-Disposition", "Last-Modified", "ETag", "X-Cache"):
        assert f"{header} of image" in named(run, "header")
    assert {w["kind"] for w in run.words} == {"a name of an image file"}
    assert run.verdict == Verdict.FOUND


def one_level_noisier(levels, synthetic):
    """The real images have noise of one grey level more."""
    noise = np.random.default_rng(int(levels.sum())).integers(-1, 2, levels.shape)
    return np.where((levels > 1) & (not synthetic), levels + noise, levels).astype("<i2")


def smooth_first(levels, synthetic):
    """Levels in wide steps, so that noise of one level is most of what compression sees."""
    return one_level_noisier((levels // 64) * 64 + (levels > 0), synthetic)


def test_one_grey_level_of_noise_shows_in_unpadded_length_and_not_in_padded(made):
    planted.recode(made, smooth_first, padded=False)
    run = planted.walked(made)
    assert "length" in planted.found(run)
    assert "bytes sent, t1c, zstd" in named(run, "length")

    planted.recode(made, smooth_first, padded=True)
    padded = planted.walked(made)
    assert "length" not in planted.found(padded)
    noise = [row for row in padded.results if row["family"] == "noise"]
    assert [(row["verdict"], row["reason"]) for row in noise] == [("information", "image content")]
    assert noise[0]["auc"] == 1.0


def test_unpadded_lengths_of_images_that_differ():
    made = planted.prepared(small=True)
    planted.recode(made, lambda levels, _: levels.astype("<i2"), padded=False)
    assert planted.found(planted.walked(made)) == {"length"}


def test_all_real_cases_first_and_one_class_takes_longer(made, monkeypatch):
    planted.real_first(made)

    def tamper(_response, synthetic, _count):
        if synthetic:
            time.sleep(0.04)

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"order", "time"}
    assert "of all readers" in named(run, "order")
    assert "time to answer, images" in named(run, "time")


def test_a_field_of_the_page_and_the_beginning_of_a_token(made, monkeypatch):
    honest, honest_rows = progress._Shown.reading, scheduling.store_rows

    def told(shared, reading, number):
        shown = honest(shared, reading, number)
        shown["batch"] = 7 if planted.is_synthetic(reading.case_id) else 4
        return shown

    def stored(*arguments):
        readings = honest_rows(*arguments)
        with unguarded():
            for image in ReadingImage.objects.filter(reading__in=readings):
                first = "q" if planted.is_synthetic(image.case_id) else "d"
                image.token = first + image.token[1:]
                image.save()
        return readings

    monkeypatch.setattr(progress._Shown, "reading", told)
    monkeypatch.setattr(scheduling, "store_rows", stored)
    run = planted.walked(made)
    assert planted.found(run) == {"fields", "address"}
    assert named(run, "fields") == "reading.batch"
    assert named(run, "address") == "address of the image"


def test_another_type_of_number(made):
    planted.recode(made, lambda levels, syn: levels.astype("<f4" if syn else "<i2"))
    assert "shape" in planted.found(planted.walked(made))


def test_another_background_a_missing_slice_and_a_comb_of_grey_levels(made):
    def spoil(levels, synthetic):
        if not synthetic:
            return levels.astype("<i2")
        changed = (levels // 2 * 2).astype("<i2")
        changed[:, 0] = np.where(changed[:, 0] == 0, 2, changed[:, 0])
        changed[len(changed) // 2] = 0
        return changed

    planted.recode(made, spoil)
    run = planted.walked(made)
    assert planted.found(run) == {"background", "comb", "slices"}


WORDS = {
    "a generator's name": lambda origin: origin.generator,
    "a generation run": lambda origin: str(origin.generation_run),
    "a case code": lambda origin: origin.case.code,
    "a subject's code": lambda origin: origin.case.subject.code,
}


def test_words_of_truth_are_found_by_kind_and_not_repeated(monkeypatch):
    made = planted.prepared(2, 2)
    origin = Origin.objects.filter(kind="synthetic").select_related("case__subject").first()

    def tamper(response, _synthetic, _count):
        response["X-Origin"] = "from " + ", ".join(word(origin) for word in WORDS.values())

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert run.verdict == Verdict.FOUND
    assert {(w["kind"], w["place"]) for w in run.words} == {
        (kind, "headers of an image") for kind in WORDS
    }
    for word in WORDS.values():
        assert word(origin) not in str(run.words)


def test_an_honest_study_is_not_accused_and_leaves_no_truth_behind():
    made = planted.prepared(20, 20)
    run = planted.walked(made)
    assert (planted.found(run), run.words, run.verdict) == (set(), [], Verdict.CLEAN)
    assert run.n_cases == run.presentations == 40
    varying = [row["what"] for row in run.results if row["verdict"] == "varies"]
    assert varying == []
    look = AuditRecord.objects.get(action="truth.look_as_machine")
    assert (look.actor, look.reason) == (None, "Leak sentinel: cues against classes")
    kept = str(run.results) + str(run.words)
    assert "synthetic" not in kept
    assert "real" not in kept


def test_smoother_images_are_content_and_not_accused():
    grid = scenario.Geometry((12, 24, 20), (4.0, 3.0, 3.0))

    def cases(n_real, n_synthetic):
        scenario.make_heads(n_real, n_synthetic, lambda _: {"t1": grid, "t1c": grid}, smooth=True)

    run = planted.walked(planted.prepared(16, 16, cases=cases))
    assert planted.found(run) == set()
    noise = next(row for row in run.results if row["family"] == "noise")
    assert (noise["verdict"], noise["auc"]) == ("information", 1.0)


def test_few_cases_are_not_accused_and_said_to_be_few():
    run = planted.walked(planted.prepared(4, 4, small=True))
    assert (run.verdict, planted.found(run)) == (Verdict.UNDEFINED, set())


def test_robots_of_two_runs_read_every_case_in_two_orders_and_are_switched_off():
    made = planted.prepared(5, 5)
    cases = set(made.study.cases.values_list("pk", flat=True))
    orders = []
    for seed in (1, 2):
        planted.walked(made, seed=seed)
        robot = made.study.enrolments.filter(kind="robot").last()
        readings = list(robot.readings.all())
        orders.append([reading.item for reading in readings])
        assert all(reading.completed_at for reading in readings)
        assert {reading.case_id for reading in readings} == cases
        assert robot.reader.is_active is False
        assert robot.reader.has_usable_password() is False
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert made.study.enrolments.filter(kind="robot").count() == 2
