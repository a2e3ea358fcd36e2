"""The blind with several geometries, maps and slice sets: nothing tells one class from the other.

The classes differ in how their numbers are stored (whole numbers of a scanner, fractions of a
network) and every other FLAIR lies another way in the patient, so that a leak would show.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import zstandard
from django.test import Client

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.reading import display
from readerstudy.reading.models import DisplayForm, EncodedSeries, Reading
from readerstudy.reading.scheduling import launch, lock_and_allocate
from readerstudy.studies.viewing import Preset, Slot
from readerstudy.truth.models import Origin
from tests import scenario
from tests.scenario import Geometry

pytestmark = pytest.mark.django_db

N = 4
THIN = Geometry((44, 60, 48), (1.1, 1.1, 1.1))
TILTED = Geometry((12, 60, 48), (4.5, 1.2, 1.2), degrees=(10, 3, 0))
PRESETS = (Preset("Tissue", 2, 98),)


def two_geometries(n_real: int, n_synthetic: int) -> None:
    """T1c thin, FLAIR thick and tilted; the FLAIR of every other case lies another way."""

    def geometries(number: int) -> dict[str, Geometry]:
        return {"t1c": THIN, "flair": TILTED if number % 2 else THIN, "cbv": THIN}

    scenario.make_heads(n_real, n_synthetic, geometries, smooth=False)
    store_synthetic_as_fractions()


def store_synthetic_as_fractions() -> None:
    for series in Series.objects.filter(case__in=synthetic()):
        array = canonical.load_array(series)
        tissue = array > 0
        noise = np.random.default_rng(series.shape[0]).uniform(-0.4, 0.4, array.shape)
        values = np.where(tissue, array + noise, 0).astype(np.float32)
        columns = canonical.store_volume(scenario.volume(values, np.array(series.affine_lps)))
        Series.objects.filter(pk=series.pk).update(**columns)


def synthetic() -> list[Case]:
    return [origin.case for origin in Origin.objects.filter(kind="synthetic")]


def slices(n_real: int, n_synthetic: int) -> None:
    """Single slices: smooth fractions for one class, noisy whole numbers for the other."""
    made = []
    for number in range(n_real + n_synthetic):
        key = scenario.source_key(f"slice-{number}")
        case = scenario.new_case(Subject.objects.create(source_key=key, code=f"S-{key[:8]}"))
        y, x = np.indices((64, 48))
        rng = np.random.default_rng(number)
        array = 120 + 60 * np.sin(y / 9) * np.cos(x / 7) + rng.normal(0, 6, (64, 48))
        array = array.round().astype(np.int16) if number < n_real else array.astype(np.float32)
        columns = canonical.store_volume(scenario.volume(array[None]))
        Series.objects.create(case=case, role="t1c", source_orientation="LPS", **columns)
        made.append(case)
    scenario.declare(made[:n_real], made[n_real:])


KINDS = {
    "two geometries and a map": (
        two_geometries,
        (
            Slot("t1c", "T1c"),
            Slot("flair", "FLAIR", "coronal"),
            Slot("cbv", "CBV", unit="mL/100 g", range=(0, 1600), colour="inferno"),
        ),
    ),
    "slices": (slices, (Slot("t1c", "T1c"),)),
}


@pytest.fixture(params=list(KINDS), ids=list(KINDS))
def made(request):
    cases, slots = KINDS[request.param]
    shown = scenario.viewing_of(*slots, presets=PRESETS)
    study = scenario.draft(N, N, cases=cases, shown=shown)
    lock_and_allocate(study=study.study, actor=study.coordinator, seed="seed")
    display.prepare(study.refresh(), lambda *_: None)
    scenario.pass_sentinel(study.study)
    study.study = launch(study=study.refresh(), actor=study.coordinator)
    return study


def by_class(role: str) -> dict[str, list[EncodedSeries]]:
    kinds = {origin.case_id: origin.kind for origin in Origin.objects.all()}
    groups: dict[str, list[EncodedSeries]] = {"real": [], "synthetic": []}
    for one in EncodedSeries.objects.filter(role=role).select_related("case"):
        groups[kinds[one.case_id]].append(one)
    assert {len(group) for group in groups.values()} == {N}
    return groups


def pixels(encoded: EncodedSeries) -> np.ndarray:
    parts = []
    for name in encoded.objects_by_encoding["zstd"]:
        reader = zstandard.ZstdDecompressor().stream_reader(storage.read(name))
        parts.append(np.frombuffer(reader.read(), "<i2"))
    return np.concatenate(parts)


def slots(made) -> list[dict]:
    return DisplayForm.objects.get(study=made.study).slots


def overlaps(first: list[float], second: list[float]) -> bool:
    """Do the ranges of two groups meet? Four against four apart would happen once in 35 by luck;
    so a gap must also be large beside the spread."""
    low, high = sorted((first, second), key=np.mean)
    gap = min(high) - max(low)
    return gap <= 0.5 * (np.ptp(first) + np.ptp(second)) or gap <= 0.02 * np.mean(high)


def test_headers_and_lengths_are_the_same_for_every_case(made):
    browser = Client()
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    path = f"/api/read/{made.enrolment().token}/state"
    layout = browser.get(path).json()["forms"][0]["layout"]
    Reading.objects.filter(enrolment=made.enrolment()).update(offered_at=made.study.running_at)
    for slot in layout["slots"]:
        for index in range(len(slot["chunks"])):
            seen = set()
            for reading in Reading.objects.filter(enrolment=made.enrolment()):
                token = reading.images.get(role=slot["role"]).token
                answer = browser.get(f"/i/{token}/{index}", headers={"accept-encoding": "zstd"})
                body = b"".join(answer.streaming_content)
                seen.add((json.dumps(sorted(answer.headers.items())), len(body)))
            assert len(seen) == 1


def test_every_case_has_one_shape_and_one_range(made):
    for slot in slots(made):
        groups = by_class(slot["role"])
        for one in [*groups["real"], *groups["synthetic"]]:
            array = pixels(one)
            assert array.size == np.prod(slot["shape"])
            assert array.min() >= 0
            assert array.max() <= 4095


def test_the_share_of_background_does_not_tell_the_class(made):
    for slot in slots(made):
        shares = {
            kind: [float((pixels(one) == 0).mean()) for one in group]
            for kind, group in by_class(slot["role"]).items()
        }
        assert overlaps(*shares.values()), f"{slot['role']}: {shares}"


def test_distinct_values_and_last_digits_do_not_tell_the_class(made):
    for slot in slots(made):
        distinct: dict[str, list[float]] = {}
        digits: dict[str, np.ndarray] = {}
        for kind, group in by_class(slot["role"]).items():
            inside = [array[array > 0] for array in map(pixels, group)]
            distinct[kind] = [float(np.unique(array).size) for array in inside]
            joined = np.concatenate(inside)
            digits[kind] = np.bincount(joined % 10, minlength=10) / joined.size
        assert overlaps(*distinct.values()), f"{slot['role']}: {distinct}"
        assert np.abs(digits["real"] - digits["synthetic"]).max() < 0.02, slot["role"]


def test_the_comb_of_whole_numbers_is_gone_or_the_same_for_all(made):
    """Before the dither, whole numbers fall on every third level or so; afterwards on all."""
    for slot in slots(made):
        for group in by_class(slot["role"]).values():
            array = np.concatenate([pixels(one) for one in group])
            inside = array[array > 0]
            low, high = np.percentile(inside, [20, 45]).astype(int)
            counts = np.bincount(inside, minlength=4096)[low:high]
            assert (counts > 0).mean() > 0.97, f"{slot['role']} has gaps between its levels"


def test_the_same_work_is_done_for_every_series(made, monkeypatch):
    """The same steps in the same number, whatever the class: what takes time takes it for all."""
    calls: dict[int, list[str]] = {}
    current: list[int] = []
    for owner, name in (
        (display, "canonicalise"),
        (display.encoding, "encode_display"),
        (display.encoding, "encode_linear"),
        (display.encoding, "compress"),
    ):
        real = getattr(owner, name)

        def counted(*args, real=real, name=name, **kwargs):
            calls[current[-1]].append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)
    encode = display._encode

    def noted(series, work):
        current.append(series.pk)
        calls[series.pk] = []
        encode(series, work)

    monkeypatch.setattr(display, "_encode", noted)
    display.prepare(made.refresh(), lambda *_: None)
    for slot in slots(made):
        done = {
            tuple(sorted(calls[series.pk]))
            for series in Series.objects.filter(case__in=made.study.cases.all(), role=slot["role"])
        }
        assert len(done) == 1
