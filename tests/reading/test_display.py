"""Preparing the images of a study: one form for all, and a crash changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Series
from readerstudy.core import jobs
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging import encoding
from readerstudy.reading import display, surveying
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.studies.models import Study
from tests import scenario

pytestmark = pytest.mark.django_db


class Died(BaseException):
    """Nothing catches this on the way, as nothing catches SIGKILL."""


@pytest.fixture
def study() -> Study:
    """A locked study of six cases whose images wait to be prepared."""
    made = scenario.draft()
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    return made.refresh()


def silent(*_: Any) -> None:
    """Take no notice of progress."""


def prepared(study: Study) -> dict[tuple[str, str], tuple[str, Any]]:
    return {
        (one.case.code, one.role): (one.pixel_sha256, one.objects_by_encoding)
        for one in EncodedSeries.objects.filter(study=study).select_related("case")
    }


def scratch() -> list[Path]:
    return [path for path in Path(settings.WORK_ROOT).rglob("*") if path.is_file()]


def test_every_image_gets_the_same_grid_and_the_same_lengths(study):
    assert display.prepare(study, silent)["series"] == 6
    form = DisplayForm.objects.get(study=study)
    (slot,) = form.slots
    for name, lengths in slot["buckets"].items():
        assert len(lengths) == len(slot["chunks"])
        for one in EncodedSeries.objects.filter(study=study):
            objects = one.objects_by_encoding[name]
            assert [len(storage.read(stored)) for stored in objects] == lengths
    assert len(prepared(study)) == 6
    assert scratch() == []


def test_the_job_of_a_study_prepares_it_once(study):
    job = Job.objects.get(key=f"encode_study:{study.pk}")
    assert jobs.work_through("default") == 2  # the leak sentinel follows by itself
    job.refresh_from_db()
    assert (job.state, job.step, job.of) == (Job.State.DONE, 18, 18)
    assert job.message == "Stored 6 of 6 series"


@pytest.mark.parametrize("step", [1, 6, 7, 11, 12, 13, 17, 18])
def test_a_worker_that_dies_at_any_step_changes_nothing_of_the_outcome(study, step):
    display.prepare(study, silent)
    whole = (prepared(study), DisplayForm.objects.get(study=study).slots)
    EncodedSeries.objects.all().delete()
    DisplayForm.objects.all().delete()

    def dying(done: int, *_: Any) -> None:
        if done == step:
            raise Died

    with pytest.raises(Died):
        display.prepare(study, dying)
    assert not DisplayForm.objects.exists(), "the form says that all is there"
    display.prepare(study, silent)
    assert (prepared(study), DisplayForm.objects.get(study=study).slots) == whole
    assert scratch() == []


@pytest.mark.parametrize("number", range(4))
def test_a_worker_that_dies_while_it_writes_a_file_leaves_no_half_of_it(study, number, monkeypatch):
    display.prepare(study, silent)
    whole = prepared(study)
    EncodedSeries.objects.all().delete()
    write, written = Path.write_bytes, []

    def dying(self: Path, content: bytes) -> int:
        written.append(self)
        if len(written) > number:
            write(self, content[: len(content) // 2])
            raise Died
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", dying)
        with pytest.raises(Died):
            display.prepare(study, silent)
    display.prepare(study, silent)
    assert prepared(study) == whole


def test_images_already_encoded_are_not_encoded_again(study, monkeypatch):
    compress, compressed = encoding.compress, []

    def counted(content: bytes, name: Any) -> bytes:
        compressed.append(name)
        return compress(content, name)

    def dying(done: int, *_: Any) -> None:
        if done == 12:  # the last of the second pass
            raise Died

    monkeypatch.setattr(encoding, "compress", counted)
    with pytest.raises(Died):
        display.prepare(study, dying)
    before = len(compressed)
    display.prepare(study, silent)
    assert before == len(compressed) > 0


def test_an_image_without_anything_in_it_is_named_by_its_case(study, monkeypatch):
    monkeypatch.setattr(surveying, "foreground", lambda array: np.zeros(array.shape, bool))
    case = study.cases.order_by("code").first()
    with pytest.raises(ReaderStudyError, match=f"Case {case.code}: no head or brain was found"):
        display.prepare(study, silent)
    assert not EncodedSeries.objects.exists()


def test_a_damaged_image_stops_the_preparation_in_words(study):
    one = Series.objects.filter(case__in=study.cases.all(), role="t1c").first()
    path = storage.path_of(one.object_name)
    path.chmod(0o600)
    path.write_bytes(b"changed on disk")
    jobs.work_through("default")
    job = Job.objects.get(key=f"encode_study:{study.pk}")
    assert job.state == Job.State.FAILED
    assert "is damaged. Restore it from a backup." in job.error


def test_an_image_that_was_stored_inverted_is_shown_as_the_others(study):
    display.prepare(study, silent)
    upright = prepared(study)
    for one in Series.objects.filter(case__in=study.cases.all()):
        volume = canonical.load_volume(one)
        wide = volume.array.astype(int)
        columns = canonical.store_volume(replace(volume, array=wide.max() - wide + wide.min()))
        Series.objects.filter(pk=one.pk).update(flags=["monochrome1"], **columns)
    EncodedSeries.objects.all().delete()
    DisplayForm.objects.all().delete()
    display.prepare(study, silent)
    assert {k: sha for k, (sha, _) in prepared(study).items()} == {
        k: sha for k, (sha, _) in upright.items()
    }
