"""A whole small study made through the real functions: images in, drawn, encoded, launched."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial.transform import Rotation

from readerstudy.cases import canonical
from readerstudy.cases.ingest import new_case, source_key
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.imaging.geometry import Volume
from readerstudy.readers.models import ReaderProfile, User
from readerstudy.reading import display
from readerstudy.reading.models import Reading
from readerstudy.reading.progress import state_of
from readerstudy.reading.recording import submit
from readerstudy.reading.scheduling import launch, lock_and_allocate
from readerstudy.studies import viewing
from readerstudy.studies.design import create_study, enrol, set_viewing
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.viewing import Slot
from readerstudy.truth import register, selection
from tests.factories import pass_sentinel

SHAPE = (12, 20, 16)
PASSWORD = "correct horse battery"


@dataclass
class Scenario:
    """A launched study with its people."""

    study: Study
    coordinator: User
    readers: list[User]

    def enrolment(self, number: int = 0) -> Enrolment:
        return Enrolment.objects.get(study=self.study, reader=self.readers[number])

    def refresh(self) -> Study:
        self.study.refresh_from_db()
        return self.study


def person(name: str, *, coordinator: bool = False) -> User:
    user = User(username=name, email=f"{name}@example.org", may_coordinate=coordinator)
    user.set_password(PASSWORD)
    user.save()
    if not coordinator:
        ReaderProfile.objects.create(user=user, years_of_experience=9)
    return user


def brain(seed: int, *, small: bool = False) -> np.ndarray:
    """A ball of noisy grey levels in an empty background, (z, y, x)."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(SHAPE)
    centre = np.array(SHAPE) / 2
    radius = np.sqrt(
        ((z - centre[0]) / 5) ** 2 + ((y - centre[1]) / 8) ** 2 + ((x - centre[2]) / 6) ** 2
    )
    values = 22000 - 9000 * radius + rng.normal(0, 2500.0, SHAPE)
    return np.where(radius < (0.8 if small else 1), np.clip(values, 1, 32000), 0).astype(np.int16)


def volume(array: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    return Volume(
        array=array,
        affine_lps=np.diag([1.0, 1.0, 2.0, 1.0]) if affine is None else affine,
        kind="nifti",
        facts={},
        source_sha256=uuid.uuid4().hex * 2,
    )


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of a series lie: (z, y, x) sizes, turned about the middle of the head."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    degrees: tuple[float, float, float] = (0, 0, 0)
    offset_mm: tuple[float, float, float] = (0, 0, 0)

    @property
    def affine(self) -> np.ndarray:
        turn = Rotation.from_euler("xyz", self.degrees, degrees=True).as_matrix()
        affine = np.eye(4)
        affine[:3, :3] = turn * np.array(self.spacing_mm[::-1])
        middle = (np.array(self.shape[::-1]) - 1) / 2
        affine[:3, 3] = HEAD_MM + self.offset_mm - affine[:3, :3] @ middle
        return affine


HEAD_MM = np.array([7.0, -12.0, 31.0])
# Middle of a bright spot in patient LPS, off the head's middle in every direction.
SPOT_MM = HEAD_MM + np.array([9.0, -6.0, 5.0])
HALF_AXES_MM = np.array([22.0, 28.0, 20.0])


def head(geometry: Geometry, seed: int, *, smooth: bool = False) -> Volume:
    """A head of two tissues, 600 within 300, with one bright spot to 1500, drawn in
    patient space, so that any geometry shows the same."""
    z, y, x = np.indices(geometry.shape)
    ones = np.ones(z.size)
    at = (geometry.affine @ np.stack([x.ravel(), y.ravel(), z.ravel(), ones]))[:3].T
    radius = (((at - HEAD_MM) / HALF_AXES_MM) ** 2).sum(axis=1)
    spot = 900 * np.exp(-((at - SPOT_MM) ** 2).sum(axis=1) / (2 * 3.0**2))
    noise = np.random.default_rng(seed).normal(0, 4 if smooth else 12, len(at))
    tissue = np.where(radius < 0.5, 600, 300)
    values = np.where(radius < 1, tissue + spot + noise, 0)
    return volume(values.reshape(geometry.shape).astype(np.int16), geometry.affine)


def make_heads(
    n_real: int,
    n_synthetic: int,
    geometries: Callable[[int], dict[str, Geometry]],
    *,
    smooth: bool = True,
) -> None:
    """Cases of both classes; ``geometries(number)`` gives the roles of a case and their grids.

    ``smooth``: the synthetic images have less noise than the real ones.
    """
    made = []
    for number in range(n_real + n_synthetic):
        key = source_key(f"head-{number}")
        case = new_case(Subject.objects.create(source_key=key, code=f"S-{key[:10]}"))
        for offset, (role, geometry) in enumerate(geometries(number).items()):
            shown = head(geometry, 10 * number + offset, smooth=smooth and number >= n_real)
            columns = canonical.store_volume(shown)
            Series.objects.create(case=case, role=role, source_orientation="LPS", **columns)
        made.append(case)
    declare(made[:n_real], made[n_real:])


def declare(real: list[Case], synthetic: list[Case]) -> None:
    """Put the classes of cases on record."""
    register.declare_real(cases=real, actor=None)
    generated = register.Generated(generator="toy", run=uuid.uuid4(), record_sha256="0" * 64)
    for case in synthetic:
        register.declare_synthetic(case=case, generated=generated, actor=None)


def make_case(name: str, seed: int, *, small: bool = False, roles=("t1", "t1c")) -> Case:
    """A case of a new subject with one series per role."""
    key = source_key(name)
    subject, _ = Subject.objects.get_or_create(source_key=key, defaults={"code": f"S-{key[:10]}"})
    case = new_case(subject)
    for offset, role in enumerate(roles):
        columns = canonical.store_volume(volume(brain(seed + offset, small=small)))
        Series.objects.create(case=case, role=role, source_orientation="LPS", **columns)
    return case


def make_cases(n_real: int, n_synthetic: int, *, small: bool = False) -> None:
    """Cases of both classes with their origins on record."""
    real = [make_case(f"real-{i}", 10 * i) for i in range(n_real)]
    synthetic = [
        make_case(f"synthetic-{i}", 5000 + 10 * i, small=small) for i in range(n_synthetic)
    ]
    declare(real, synthetic)


def viewing_of(*slots: Slot, **options) -> dict:
    """A display of these series, as stored with a study."""
    return viewing.document_of(viewing.Viewing(slots=slots, **options))


def draft(
    n_real: int = 3,
    n_synthetic: int = 3,
    n_readers: int = 2,
    *,
    cases: Callable[[int, int], None] | None = None,
    shown: dict | None = None,
    **options,
) -> Scenario:
    """A draft with cases and readers.

    ``cases(n_real, n_synthetic)`` makes the cases in place of the usual ones; ``shown`` is the
    display in place of the template's.
    """
    coordinator = person("coordinator", coordinator=True)
    readers = [person(f"reader{i + 1}") for i in range(n_readers)]
    (cases or partial(make_cases, **options))(n_real, n_synthetic)
    study = create_study(
        template="visual-turing-test",
        name="Turing, T1c",
        reader_title="Brain MR reading A",
        actor=coordinator,
    )
    if shown:
        set_viewing(study=study, document=shown, actor=coordinator)
        study.refresh_from_db()
    selection.choose_cases(
        study=study, n_real=n_real, n_synthetic=n_synthetic, seed=1, actor=coordinator
    )
    for reader in readers:
        enrol(study=study, reader=reader, actor=coordinator)
    return Scenario(study, coordinator, readers)


def running(*args, seed: str = "seed", **options) -> Scenario:
    """A launched study, its images encoded."""
    return started(draft(*args, **options), seed=seed)


def started(made: Scenario, *, seed: str = "seed") -> Scenario:
    """Lock, encode and launch a draft."""
    lock_and_allocate(study=made.study, actor=made.coordinator, seed=seed)
    display.prepare(made.refresh(), lambda *_: None)
    pass_sentinel(made.study)
    made.study = launch(study=made.refresh(), actor=made.coordinator)
    return made


def body(origin: str = "real", confidence: str = "3", **more) -> dict:
    """What the page sends for one case."""
    return {
        "answers": {"origin": origin, "confidence": confidence, **more},
        "clock": {"load_ms": 500, "look_ms": 8000, "idle_ms": 0, "away_ms": 0},
        "viewer": {},
    }


def offer(enrolment: Enrolment) -> Reading:
    """The reading that is before the reader now."""
    token = state_of(enrolment)["reading"]["token"]
    return Reading.objects.get(token=token)


def read_all(enrolment: Enrolment, answer) -> None:
    """Answer every case; ``answer(case)`` gives the answers."""
    while (state := state_of(enrolment))["reading"] is not None:
        reading = Reading.objects.get(token=state["reading"]["token"])
        submit(reading=reading, key=str(uuid.uuid4()), body=answer(reading.case))
