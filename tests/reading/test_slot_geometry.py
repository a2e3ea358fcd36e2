"""Series of different geometry show the same anatomy at the same place of the case frame.

The object is drawn in patient space, in closed form; where its bright spot appears on each slot is
compared with where it was put.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import zstandard

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import display
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.viewing import Overlay, OverlayLabel, Preset, Slot
from tests import scenario
from tests.scenario import HEAD_MM, SPOT_MM, Geometry

pytestmark = pytest.mark.django_db

THIN = Geometry((56, 68, 56), (1.0, 1.0, 1.0))
THICK_TILTED = Geometry((14, 64, 56), (5.0, 1.2, 1.2), degrees=(10, 0, 0))
OBLIQUE = Geometry((52, 64, 56), (1.1, 1.1, 1.1), degrees=(7, -5, 12), offset_mm=(1.3, 0.4, -0.7))
ALL_PLANES = ("axial", "coronal", "sagittal")


def prepared(geometries, *slots: Slot, n=(2, 2), **options) -> scenario.Scenario:
    """A locked study of heads with these geometries, its images encoded."""
    cases = partial(scenario.make_heads, geometries=geometries)
    made = scenario.draft(*n, cases=cases, shown=scenario.viewing_of(*slots, **options))
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    display.prepare(made.refresh(), lambda *_: None)
    return made


def slab(encoded: EncodedSeries, slot: dict) -> np.ndarray:
    """Put the stored chunks of a series together as the page does."""
    whole = np.zeros(slot["shape"], dtype=np.int16)
    names = encoded.objects_by_encoding["zstd"]
    for (first, end), name in zip(slot["chunks"], names, strict=True):
        reader = zstandard.ZstdDecompressor().stream_reader(storage.read(name))
        part = np.frombuffer(reader.read(), "<i2")
        whole[first:end] = part.reshape(end - first, *slot["shape"][1:])
    return whole


def position(slot: dict, index) -> np.ndarray:
    """Frame mm (x, y, z) of a (slice, row, column) index, by the contract of the page."""
    n, row, column = (i * mm for i, mm in zip(index, slot["spacing_mm"], strict=True))
    moved = {
        "axial": (column, row, n),
        "coronal": (column, n, -row),
        "sagittal": (n, column, -row),
    }
    return np.array(slot["origin_mm"]) + moved[slot["plane"]]


def centre_of_spot(levels: np.ndarray) -> np.ndarray:
    """Centre of mass of the bright spot, in (slice, row, column)."""
    weights = np.clip(levels.astype(float) - 1900, 0, None)  # tissue lies at 400 and 1200
    return np.array([(i * weights).sum() for i in np.indices(levels.shape)]) / weights.sum()


def slots_of(made: scenario.Scenario) -> dict[str, dict]:
    return {slot["role"]: slot for slot in DisplayForm.objects.get(study=made.study).slots}


def in_patient(encoded: EncodedSeries, at: np.ndarray) -> np.ndarray:
    return (np.array(encoded.frame_to_lps) @ [*at, 1.0])[:3]


def in_frame(encoded: EncodedSeries, lps: np.ndarray) -> np.ndarray:
    return np.linalg.solve(np.array(encoded.frame_to_lps), [*lps, 1.0])[:3]


def steps_of(slot: dict) -> np.ndarray:
    """Spacing along x, y and z of the case frame."""
    origin = position(slot, (0, 0, 0))
    return np.abs(position(slot, (1, 1, 1)) - origin)


@pytest.mark.parametrize("plane", ALL_PLANES)
@pytest.mark.parametrize(
    "geometries",
    [
        {"t1c": THIN, "flair": THICK_TILTED},
        {"t1c": OBLIQUE, "flair": THICK_TILTED},
        {"t1c": THICK_TILTED, "flair": OBLIQUE},
    ],
    ids=["thin then thick", "oblique then thick", "thick then oblique"],
)
def test_a_spot_lies_where_it_was_drawn_on_every_slot(geometries, plane):
    made = prepared(lambda _: geometries, Slot("t1c", "T1c", plane), Slot("flair", "FLAIR"))
    slots = slots_of(made)
    for case in made.study.cases.all():
        seen = {}
        for role, slot in slots.items():
            encoded = EncodedSeries.objects.get(study=made.study, case=case, role=role)
            seen[role] = position(slot, centre_of_spot(slab(encoded, slot)))
            off = np.abs(seen[role] - in_frame(encoded, SPOT_MM)) / steps_of(slot)
            assert off.max() <= 0.25, f"{role} is off by {off} voxels"
        assert np.linalg.norm(seen["t1c"] - seen["flair"]) <= 1.0


def test_the_first_slot_is_shown_as_acquired_though_it_is_oblique():
    made = prepared(lambda _: {"t1c": OBLIQUE}, Slot("t1c", "T1c"))
    (slot,) = slots_of(made).values()
    assert slot["made"]["whole_voxels"], "no voxel was interpolated"
    np.testing.assert_allclose(slot["spacing_mm"], 1.1, atol=1e-4)
    frame = np.array(EncodedSeries.objects.first().frame_to_lps)
    axes = OBLIQUE.affine[:3, :3] / 1.1
    np.testing.assert_allclose(frame[:3, :3], axes, atol=1e-6)


def test_unmoved_voxels_keep_their_place_exactly():
    """Where nothing is interpolated, each level is a monotonous function of one stored voxel."""
    made = prepared(lambda _: {"t1c": OBLIQUE}, Slot("t1c", "T1c"), n=(1, 1))
    (slot,) = slots_of(made).values()
    for encoded in EncodedSeries.objects.all():
        source = canonical.load_array(encoded.case.series.get())
        levels = slab(encoded, slot)
        inverse = np.linalg.inv(OBLIQUE.affine)
        for index in np.argwhere(levels > 0)[::4001]:
            lps = in_patient(encoded, position(slot, index))
            x, y, z = (inverse @ [*lps, 1.0])[:3]
            assert max(abs(v - round(v)) for v in (x, y, z)) < 1e-6
            brightest = levels[tuple(index)] > np.percentile(levels[levels > 0], 99.9)
            assert not brightest or source[round(z), round(y), round(x)] > 900


def test_slices_rows_and_columns_follow_the_radiological_convention():
    """The spot lies to the left, front and top of the head's middle."""
    left, back, top = SPOT_MM - HEAD_MM
    assert left > 0 > back
    assert top > 0
    shown = [Slot("t1c", "T1c", "axial"), Slot("t1", "T1", "coronal"), Slot("t2", "T2", "sagittal")]
    made = prepared(lambda _: dict.fromkeys(("t1c", "t1", "t2"), THIN), *shown, n=(1, 1))
    side = {}
    for role, slot in slots_of(made).items():
        levels = slab(EncodedSeries.objects.filter(role=role).first(), slot)
        middle = np.argwhere(levels > 0).mean(axis=0)
        side[role] = np.sign(centre_of_spot(levels) - middle).astype(int).tolist()
    assert side["t1c"] == [1, -1, 1]  # higher slice, row above, column to the right of the screen
    assert side["t1"] == [-1, -1, 1]  # slice nearer the front, row above, column to the right
    assert side["t2"] == [1, -1, -1]  # slice to the left, row above, column to the front


def test_all_cases_share_the_grid_of_a_slot_though_their_own_differ():
    def geometries(number):
        step = 1.0 + 0.1 * (number % 2)
        return {"t1c": Geometry((60, 72, 60), (step, step, step), degrees=(3 * number, 0, 0))}

    made = prepared(geometries, Slot("t1c", "T1c"))
    (slot,) = slots_of(made).values()
    assert not slot["made"]["whole_voxels"]
    for encoded in EncodedSeries.objects.all():
        at = position(slot, centre_of_spot(slab(encoded, slot)))
        assert np.linalg.norm(in_patient(encoded, at) - SPOT_MM) < 0.5


def test_where_one_case_needs_interpolation_all_get_it():
    """An image that happens to lie on the grid is smoothed as the others are, not left sharp."""

    def geometries(number):
        return {"t1c": Geometry((56, 68, 56), (1, 1, 1), degrees=(5 if number == 0 else 0, 0, 0))}

    made = prepared(
        lambda number: geometries(number) | {"flair": THIN if number else OBLIQUE},
        Slot("t1c", "T1c"),
        Slot("flair", "FLAIR"),
    )
    assert slots_of(made)["t1c"]["made"]["whole_voxels"], "each case has a frame of its own"
    slot = slots_of(made)["flair"]
    assert not slot["made"]["whole_voxels"]
    steps = np.array(slot["origin_mm"]) / slot["spacing_mm"][::-1]
    assert np.abs(steps - np.rint(steps)).min() > 0.2


def test_label_maps_keep_their_values_on_the_first_slot():
    labels = (OverlayLabel(1, "Core", "#ff0000"), OverlayLabel(4, "Rim", "#00ff00"))

    def cases(n_real, n_synthetic):
        scenario.make_heads(n_real, n_synthetic, lambda _: {"t1c": OBLIQUE, "flair": THIN})
        for case in Case.objects.all():
            add_mask(case, THIN)

    shown = scenario.viewing_of(
        Slot("t1c", "T1c"), Slot("flair", "FLAIR"), overlay=Overlay("mask", labels, 0.4)
    )
    made = scenario.draft(1, 1, cases=cases, shown=shown)
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    display.prepare(made.refresh(), lambda *_: None)
    slot = slots_of(made)["t1c"]
    for encoded in EncodedSeries.objects.filter(role="mask"):
        found = slab(encoded, slot)
        assert set(np.unique(found)) == {0, 1, 4}
        middle = position(slot, np.argwhere(found == 4).mean(axis=0))
        assert np.linalg.norm(in_patient(encoded, middle) - SPOT_MM) < 0.5
        volume_ml = (found > 0).sum() * np.prod(slot["spacing_mm"])
        np.testing.assert_allclose(volume_ml, 4 / 3 * np.pi * 8**3, rtol=0.05)


def add_mask(case: Case, geometry: Geometry) -> None:
    """A ball of 8 mm around the spot, label 1, with a core of 4 mm of label 4."""
    z, y, x = np.indices(geometry.shape)
    at = geometry.affine @ np.stack([x.ravel(), y.ravel(), z.ravel(), np.ones(z.size)])
    distance = np.linalg.norm(at[:3].T - SPOT_MM, axis=1).reshape(geometry.shape)
    array = np.where(distance < 4, 4, np.where(distance < 8, 1, 0)).astype(np.int16)
    columns = canonical.store_volume(scenario.volume(array, geometry.affine))
    Series.objects.create(case=case, role="mask", source_orientation="LPS", **columns)


def test_a_quantitative_map_keeps_its_values_within_a_level():
    def cases(n_real, n_synthetic):
        scenario.make_heads(n_real, n_synthetic, lambda _: {"t1c": THIN, "cbv": OBLIQUE})

    shown = scenario.viewing_of(
        Slot("t1c", "T1c"),
        Slot("cbv", "CBV", unit="mL/100 g", range=(0, 1200), colour="inferno"),
        presets=(Preset("Whole", 0, 100),),
    )
    made = scenario.draft(1, 1, cases=cases, shown=shown)
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    display.prepare(made.refresh(), lambda *_: None)
    slot = slots_of(made)["cbv"]
    assert slot["value"] == {"unit": "mL/100 g", "slope": 1200 / 4095, "intercept": 0}
    assert slot["colour"] == {"map": "inferno", "range": [0, 4095]}
    assert slot["window"] == {"width": 4095, "level": 2047}
    for encoded in EncodedSeries.objects.filter(role="cbv"):
        values = slab(encoded, slot) * slot["value"]["slope"]
        outer, inner = np.percentile(values[values > 0], [30, 85])
        assert abs(outer - 300) < 8
        assert abs(inner - 600) < 12
        assert encoded.facts["clipped"] > 0
        assert encoded.facts["clipped"] < 0.02 * encoded.facts["voxels"]


def slices(sizes, *, kind=np.int16, top=255):
    """Make single slices with these (rows, columns), one case each."""

    def make(n_real, n_synthetic):
        made = []
        for number, (rows, columns) in enumerate(sizes):
            key = scenario.source_key(f"slice-{number}")
            case = scenario.new_case(Subject.objects.create(source_key=key, code=f"S-{key[:8]}"))
            rng = np.random.default_rng(number)
            array = rng.integers(0, top, (1, rows, columns), endpoint=True).astype(kind)
            array[0, 0, :2] = 0, top
            columns_of = canonical.store_volume(scenario.volume(array))
            Series.objects.create(case=case, role="t1c", source_orientation="LPS", **columns_of)
            made.append(case)
        scenario.declare(made[:n_real], made[n_real:])

    return make


def test_slice_sets_are_neither_resampled_nor_masked_and_share_one_linear_map():
    shown = scenario.viewing_of(Slot("t1c", "T1c"), interpolation="nearest")
    made = scenario.draft(2, 2, cases=slices([(64, 48)] * 4), shown=shown)
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    display.prepare(made.refresh(), lambda *_: None)
    (slot,) = slots_of(made).values()
    assert slot["shape"] == [1, 64, 48]
    assert slot["chunks"] == [[0, 1]]
    for encoded in EncodedSeries.objects.all():
        source = canonical.load_array(encoded.case.series.get())
        expected = np.rint(source * (4095 / 255))
        np.testing.assert_array_equal(slab(encoded, slot), expected)


def test_slices_of_several_sizes_are_refused_in_words():
    made = scenario.draft(1, 2, cases=slices([(64, 64), (64, 64), (128, 128)]))
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    with pytest.raises(ReaderStudyError, match=r"128×128 \(1 cases\), 64×64 \(2 cases\)"):
        display.prepare(made.refresh(), lambda *_: None)


def test_slices_among_volumes_are_refused_in_words():
    made = scenario.draft(1, 1)
    slices([(20, 16)])(1, 0)
    slice_of_one = Case.objects.latest("created_at")
    volume = made.study.cases.first()
    design.set_cases(study=made.study, cases=[slice_of_one, volume], actor=made.coordinator)
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    with pytest.raises(ReaderStudyError, match="single slices and others volumes"):
        display.prepare(made.refresh(), lambda *_: None)
