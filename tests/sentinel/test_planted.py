"""A planted leak of each kind is caught and named; honest studies are not accused."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from django.utils.http import http_date

from readerstudy.core.models import AuditRecord
from readerstudy.reading import progress, scheduling
from readerstudy.reading.models import Reading, ReadingImage
from readerstudy.sentinel.models import SentinelRun
from readerstudy.truth.models import Origin
from tests import scenario
from tests.sentinel import planted

pytestmark = pytest.mark.django_db
Verdict = SentinelRun.Verdict


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Draw tokens and identifiers from a seed, so that what lands does not depend on luck."""
    drawn = random.Random(2018)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    monkeypatch.setattr("secrets.token_urlsafe", lambda _=16: "".join(drawn.choices(letters, k=22)))
    monkeypatch.setattr("os.urandom", drawn.randbytes)  # what uuid4 draws from


@pytest.fixture
def made(_seeded):
    return planted.prepared()


def named(run: SentinelRun, family: str) -> str:
    return " ".join(
        row["what"] for row in run.results if (row["family"], row["verdict"]) == (family, "found")
    )


def test_a_file_name_in_a_header(made, monkeypatch):
    def tamper(response, synthetic, count):
        name = f"{'pred' if synthetic else 'scan'}_n{count:04d}.nii.gz"
        response["Content-Disposition"] = f'inline; filename="{name}"'

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"header"}
    assert "Content-Disposition of image" in named(run, "header")
    assert {w["kind"] for w in run.words} == {"a name of an image file"}
    assert run.verdict == Verdict.FOUND


@pytest.mark.parametrize("header", ["Last-Modified", "ETag"])
def test_a_date_of_the_stored_file(made, monkeypatch, header):
    def tamper(response, synthetic, count):
        at = 1_700_000_000 + 400_000 * synthetic + 37 * count
        response[header] = http_date(at) if header == "Last-Modified" else f'"{at:x}-{count:x}"'

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"header"}
    assert f"{header} of image" in named(run, "header")


def test_a_header_of_a_cache(made, monkeypatch):
    def tamper(response, synthetic, _count):
        response["X-Cache"] = "HIT" if synthetic else "MISS"

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"header"}
    assert named(run, "header") == "X-Cache of image"


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
    assert planted.found(planted.walked(made)) == set()
    planted.recode(made, lambda levels, _: levels.astype("<i2"), padded=False)
    assert planted.found(planted.walked(made)) == {"length"}


def test_all_real_cases_first(made):
    planted.real_first(made)
    run = planted.walked(made)
    assert planted.found(run) == {"order"}
    assert "of all readers" in named(run, "order")


def test_one_class_takes_longer(made, monkeypatch):
    def tamper(_response, synthetic, _count):
        if synthetic:
            time.sleep(0.04)

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert planted.found(run) == {"time"}
    assert "time to answer, images" in named(run, "time")


def test_a_field_of_the_page(made, monkeypatch):
    honest = progress._reading

    def told(reading, number):
        shown = honest(reading, number)
        shown["batch"] = 7 if planted.is_synthetic(reading.case_id) else 4
        return shown

    monkeypatch.setattr(progress, "_reading", told)
    run = planted.walked(made)
    assert planted.found(run) == {"fields"}
    assert named(run, "fields") == "reading.batch"


def test_the_beginning_of_a_token(made, monkeypatch):
    honest = scheduling.store_rows

    def stored(*arguments):
        readings = honest(*arguments)
        for image in ReadingImage.objects.filter(reading__in=readings):
            image.token = ("q" if planted.is_synthetic(image.case_id) else "d") + image.token[1:]
            image.save()
        return readings

    monkeypatch.setattr(scheduling, "store_rows", stored)
    run = planted.walked(made)
    assert planted.found(run) == {"address"}
    assert named(run, "address") == "address of the image"


def test_another_type_of_number(made):
    planted.recode(made, lambda levels, syn: levels.astype("<f4" if syn else "<i2"))
    assert "shape" in planted.found(planted.walked(made))


def test_another_background(made):
    planted.recode(made, lambda levels, syn: np.where((levels == 0) & syn, 2, levels).astype("<i2"))
    run = planted.walked(made)
    assert "background" in planted.found(run)


def test_a_missing_slice(made):
    def drop(levels, synthetic):
        changed = levels.astype("<i2")
        changed[len(changed) // 2] *= not synthetic
        return changed

    planted.recode(made, drop)
    assert "slices" in planted.found(planted.walked(made))


def test_a_comb_of_grey_levels(made):
    planted.recode(made, lambda levels, syn: (levels // 2 * 2 if syn else levels).astype("<i2"))
    run = planted.walked(made)
    assert planted.found(run) == {"comb"}


@pytest.mark.parametrize("word", ["generator", "run", "case", "subject"])
def test_a_word_of_truth_is_found_and_not_repeated(made, monkeypatch, word):
    def tamper(response, _synthetic, _count):
        origin = Origin.objects.filter(kind="synthetic").select_related("case__subject").first()
        words = {
            "generator": origin.generator,
            "run": str(origin.generation_run),
            "case": origin.case.code,
            "subject": origin.case.subject.code,
        }
        response["X-Origin"] = f"from {words[word]}"
        response.hidden = words[word]

    planted.answering(monkeypatch, tamper)
    run = planted.walked(made)
    assert run.verdict == Verdict.FOUND
    assert [w["place"] for w in run.words] == ["headers of an image"]
    assert "toy" not in str(run.words)


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

    run = planted.walked(planted.prepared(20, 20, cases=cases))
    assert planted.found(run) == set()
    noise = next(row for row in run.results if row["family"] == "noise")
    assert (noise["verdict"], noise["auc"]) == ("information", 1.0)


def test_few_cases_are_not_accused_and_said_to_be_few():
    run = planted.walked(planted.prepared(4, 4, small=True))
    assert (run.verdict, planted.found(run)) == (Verdict.UNDEFINED, set())


def test_the_robot_reads_every_case_and_is_switched_off_afterwards(made):
    planted.walked(made)
    robot = made.study.enrolments.get(kind="robot")
    assert robot.reader.is_active is False
    assert robot.reader.has_usable_password() is False
    readings = Reading.objects.filter(enrolment=robot)
    assert readings.filter(completed_at__isnull=True).count() == 0
    assert {r.case_id for r in readings} == set(made.study.cases.values_list("pk", flat=True))


def test_a_run_of_another_seed_takes_another_order_and_another_robot(made):
    orders = []
    for seed in (1, 2):
        planted.walked(made, seed=seed)
        robot = made.study.enrolments.filter(kind="robot").last()
        orders.append([reading.item for reading in robot.readings.all()])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert made.study.enrolments.filter(kind="robot").count() == 2
