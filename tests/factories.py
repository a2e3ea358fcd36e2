"""Objects for tests, made through the project's own functions where it has one."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

import factory
import numpy as np
from django.utils import timezone
from factory.django import DjangoModelFactory

from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import uploading
from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core import jobs
from readerstudy.imaging.geometry import Volume
from readerstudy.readers import display_check_recording
from readerstudy.readers.display_check_device import Device
from readerstudy.readers.display_check_targets import draw
from readerstudy.readers.display_check_verdict import Conditions
from readerstudy.readers.models import DisplayCheck, ReaderProfile, User
from readerstudy.reading import scheduling
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.sentinel.limiting import limits_of
from readerstudy.sentinel.models import SentinelRun
from readerstudy.sentinel.running import hash_of_images
from readerstudy.studies import design
from readerstudy.studies.models import Study
from readerstudy.truth import register

PASSWORD = "correct horse battery"
ROLES = ("t1", "t1c", "t2", "flair")


class UserFactory(DjangoModelFactory):
    """A person with an account and nothing else."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}@example.org")
    email = factory.SelfAttribute("username")
    display_name = factory.Sequence(lambda n: f"Dr Ada Person{n}")
    password = factory.django.Password(PASSWORD)


class CoordinatorFactory(UserFactory):
    may_coordinate = True


class ReaderFactory(UserFactory):
    @factory.post_generation
    def profile(self, _create: bool, _extracted: Any, **given: Any) -> None:
        stated = {"subspecialty": "neuroradiology", "years_of_experience": 9, **given}
        ReaderProfile.objects.create(user=self, **stated)


class SubjectFactory(DjangoModelFactory):
    class Meta:
        model = Subject

    code = factory.Sequence(lambda n: f"S-{n:04d}")
    source_key = factory.LazyFunction(lambda: uuid.uuid4().hex * 2)


def small_volume(seed: int, shape: tuple[int, int, int] = (6, 10, 8)) -> Volume:
    """A noisy box in an empty background, (z, y, x), voxels of 1 by 1 by 2 mm."""
    array = np.zeros(shape, dtype=np.int16)
    inside = tuple(slice(1, size - 1) for size in shape)
    array[inside] = np.random.default_rng(seed).integers(100, 900, array[inside].shape)
    return Volume(
        array=array,
        affine_lps=np.diag([1.0, 1.0, 2.0, 1.0]),
        kind="nifti",
        facts={},
        source_sha256=uuid.uuid4().hex * 2,
    )


class SeriesFactory(DjangoModelFactory):
    """A series with a small array in the object store."""

    class Meta:
        model = Series

    volume = factory.Sequence(small_volume)
    case = factory.SubFactory("tests.factories.CaseFactory", roles=())
    role = "t1c"
    source_orientation = "LPS"

    @classmethod
    def _create(cls, model_class: type[Series], *args: Any, **kwargs: Any) -> Series:
        columns = canonical.store_volume(kwargs.pop("volume"))
        return super()._create(model_class, *args, **{**columns, **kwargs})


class CaseFactory(DjangoModelFactory):
    """A case; ``roles`` says which series it gets (all four by default)."""

    class Meta:
        model = Case
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"{n:04d}")
    subject = factory.SubFactory(SubjectFactory)

    @factory.post_generation
    def roles(self, _create: bool, extracted: Any, **_: Any) -> None:
        for role in ROLES if extracted is None else extracted:
            SeriesFactory(case=self, role=role)


class StudyFactory(factory.Factory):
    """A draft, made as the page for new studies makes it."""

    class Meta:
        model = Study

    template = "visual-turing-test"
    name = factory.Sequence(lambda n: f"GAN against real, no. {n}")
    reader_title = factory.Sequence(lambda n: f"Brain MR reading {n}")
    actor = factory.SubFactory(CoordinatorFactory)

    @classmethod
    def _create(cls, _model: type[Study], *_args: Any, **kwargs: Any) -> Study:
        return design.create_study(**kwargs)


def real_case(**kwargs: Any) -> Case:
    """A case on record as real."""
    case = CaseFactory(**kwargs)
    register.declare_real(cases=[case], actor=None)
    return case


def synthetic_case(run: uuid.UUID | None = None, **kwargs: Any) -> Case:
    """A case on record as synthetic."""
    case = CaseFactory(**kwargs)
    made = register.Generated(generator="toy", run=run or uuid.uuid4(), record_sha256="0" * 64)
    register.declare_synthetic(case=case, generated=made, actor=None)
    return case


def ready_study(n_readers: int = 2, n_each: int = 2, **kwargs: Any) -> Study:
    """A draft that nothing keeps from the lock."""
    study = StudyFactory(**kwargs)
    cases = [real_case(roles=["t1c"]) for _ in range(n_each)]
    cases += [synthetic_case(roles=["t1c"]) for _ in range(n_each)]
    design.set_cases(study=study, cases=cases, actor=study.created_by)
    for _ in range(n_readers):
        design.enrol(study=study, reader=ReaderFactory(), actor=study.created_by)
    return study


def locked_study(**kwargs: Any) -> Study:
    """A study with its allocation drawn; the images wait for their job."""
    study = ready_study(**kwargs)
    scheduling.lock_and_allocate(study=study, actor=study.created_by, seed="seed")
    return Study.objects.get(pk=study.pk)


def prepare_images(study: Study) -> None:
    """Stand in for the job that encodes the images: rows and tiny stored chunks."""
    names = {"zstd": [storage.put(b"zstd")], "gzip": [storage.put(b"gzip")]}
    EncodedSeries.objects.bulk_create(
        EncodedSeries(
            study=study,
            case=case,
            role=role,
            objects_by_encoding=names,
            pixel_sha256="0" * 64,
            frame_to_lps=np.eye(4).tolist(),
            facts={"voxels": 100, "clipped": 0},
        )
        for case in study.cases.all()
        for role in study.slots
    )
    slot = {
        "plane": "axial",
        "shape": [6, 10, 8],
        "spacing_mm": [2, 1, 1],
        "origin_mm": [-4, -5, -6],
        "chunks": [[0, 6]],
        "buckets": {},
        "window": {"width": 1000, "level": 500},
        "presets": [],
        "value": None,
        "colour": None,
    }
    slots = [{"role": one.role, "label": one.label, **slot} for one in study.display.slots]
    DisplayForm.objects.create(study=study, slots=slots, rule={"flat": False})
    pass_sentinel(study)


def pass_sentinel(study: Study) -> SentinelRun:
    """Stand in for a run of the leak sentinel that found nothing."""
    return SentinelRun.objects.create(
        study=study,
        at=timezone.now(),
        seed=1,
        limits=asdict(limits_of(study)),
        images_hash=hash_of_images(study),
        software="test",
        requests=100,
        presentations=4,
        n_cases=4,
        results=[],
        words=[],
        verdict=SentinelRun.Verdict.CLEAN,
    )


def running_study(**kwargs: Any) -> Study:
    """A launched study."""
    study = locked_study(**kwargs)
    prepare_images(study)
    return scheduling.launch(study=study, actor=study.created_by)


def body(seconds: float = 20.0, **answers: Any) -> dict[str, Any]:
    """What the reading page sends for one case that took so many seconds."""
    return {
        "answers": {"origin": "real", "confidence": "3", **answers},
        "clock": {"load_ms": 1000, "look_ms": 1000 * seconds - 1000, "idle_ms": 0, "away_ms": 0},
        "viewer": {},
    }


def make_job(**kwargs: Any) -> jobs.Job:
    """A stored job in any state."""
    return jobs.Job.objects.create(**{"kind": "encode_study", "title": "Prepare", **kwargs})


def make_ratings(actor: User) -> RatingsImport:
    """A draft of ratings from elsewhere: two readers call four images real or synthetic."""
    rows = [f"{reader},{n},{kind},real" for reader in "AB" for n, kind in enumerate(("r", "s") * 2)]
    table = "\n".join(["Reader,Case,Origin,Call", *rows, "A,9,s,synthetic"])
    ratings = uploading.File("ratings.csv", table.encode())
    return uploading.upload(name="On paper", ratings=ratings, actor=actor)


DEVICE = Device("0123456789abcdef" * 2, 1440, 900, 1.0, 24)
GOOD_ROOM = Conditions(width=1440, height=900, colour_depth=24, zoom=1.0, light="dim")


def make_display_check(
    user: User | None = None, *, device: Device = DEVICE, missed: tuple[int, ...] = ()
) -> DisplayCheck:
    """A stored display check; ``missed`` are the places of the targets that were not seen."""
    answers = ["" if place in missed else t.character for place, t in enumerate(draw("seed"))]
    return display_check_recording.record(
        user=user or ReaderFactory(),
        device=device,
        seed="seed",
        answers=answers,
        conditions=GOOD_ROOM,
        facts={"browser": "Chrome 140", "seconds": 80},
    )
