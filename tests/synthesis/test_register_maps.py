"""A generated map stands in the store as an acquired one does: values in its unit."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import numpy as np
import pydicom
import pytest

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.truth.models import Origin
from synthesis import run_images
from synthesis.exporting import files_of
from synthesis.first_scores import store_first_scores
from synthesis.levels import ZSCORE_MAPPING, OutputMapping
from synthesis.models import Checkpoint, GenerationRun, Score
from synthesis.register import register_generated
from synthesis.scales import ras
from synthesis.score_orders import default_presets

pytestmark = pytest.mark.django_db
HUNDREDTHS = OutputMapping(offset=0.0, scale=1000.0, low=0, high=32767, slope=0.01)
IMAGE = "5d9e0a55-6d5b-4d5c-9b58-4c57a1a2f0c3"


@pytest.fixture
def source(sources: list[Case]) -> Case:
    """A real case with an acquired CBV map, and one input that was stored inverted."""
    case = sources[0]
    t1 = case.series.get(role="t1")
    t1.flags = ["monochrome1"]
    t1.save()
    volume = canonical.load_volume(t1)
    values = np.linspace(0, 12.5, volume.array.size).reshape(volume.array.shape)
    columns = canonical.store_volume(
        type(volume)(values.astype(np.float32), volume.affine_lps, "nifti", {}, "0" * 64)
    )
    Series.objects.create(
        case=case, role="cbv", source_orientation="LPS", unit="mL/100 g", **columns
    )
    return case


def run_of(checkpoint: Checkpoint, mapping: OutputMapping) -> GenerationRun:
    image = {"uuid": IMAGE, "pixel_sha256": "1" * 64, "seed": 3, "sources": {"t1": "2" * 64}}
    generator = {"output_mapping": asdict(mapping)}
    generation = {"generator": generator, "environment": {}, "images": [image]}
    return GenerationRun.objects.create(
        checkpoint=checkpoint, role="cbv", seed=3, record={"generation": generation, "cases": {}}
    )


def registered(
    checkpoint: Checkpoint, source: Case, mapping: OutputMapping
) -> tuple[GenerationRun, Case, np.ndarray[Any, Any]]:
    run = run_of(checkpoint, mapping)
    like = canonical.load_volume(source.series.get(role="t1"))
    levels = np.arange(like.array.size, dtype=np.int16).reshape(like.array.shape) % 1300
    volume = type(like)(levels, like.affine_lps, "nifti", {}, "1" * 64)
    case = register_generated(
        run=run, source=source, levels=volume, mapping=mapping, record_sha256="3" * 64, actor=None
    )
    return run, case, levels


def test_a_map_is_stored_in_its_unit_beside_inputs_that_lose_nothing(checkpoint, source):
    _, case, levels = registered(checkpoint, source, HUNDREDTHS)
    made = case.series.get(role="cbv")
    assert made.unit == "mL/100 g"
    np.testing.assert_allclose(canonical.load_array(made), levels / 100, rtol=1e-6)
    assert case.series.get(role="t1").flags == ["monochrome1"]
    assert Origin.objects.get(case=case).kind == "synthetic"


def test_a_map_that_was_learnt_in_z_scores_claims_no_unit(checkpoint, source):
    _, case, levels = registered(checkpoint, source, ZSCORE_MAPPING)
    made = case.series.get(role="cbv")
    assert made.unit == ""
    np.testing.assert_array_equal(canonical.load_array(made), levels)


def test_it_is_scored_in_its_unit_against_the_acquired_map(checkpoint, source):
    run, case, _ = registered(checkpoint, source, HUNDREDTHS)
    one = run_images.load_case(run, source, case)
    acquired = canonical.load_array(source.series.get(role="cbv"))[:, ::-1, ::-1]
    np.testing.assert_array_equal(one.truth, np.where(one.brain, acquired, 0))
    assert float(one.made.max()) == pytest.approx(12.99)


def test_it_is_handed_out_in_its_unit(checkpoint, source):
    run, case, levels = registered(checkpoint, source, HUNDREDTHS)
    files = dict(files_of(run, IMAGE, case))
    name = next(name for name in files if name.endswith("map.dcm"))
    told = pydicom.dcmread(io.BytesIO(files[name]))
    frames = told.PerFrameFunctionalGroupsSequence
    heights = [float(f.PlanePositionSequence[0].ImagePositionPatient[2]) for f in frames]
    np.testing.assert_allclose(told.pixel_array[np.argsort(heights)], levels / 100, rtol=1e-6)


MOMENTS = {"target_mean": 4.0, "target_sd": 2.0}


def with_moments(checkpoint: Checkpoint, **more: float) -> Checkpoint:
    checkpoint.card = {
        **checkpoint.card,
        "architecture": {"settings": {"inputs": ["t1", "flair"]}},
        "more": more,
    }
    checkpoint.save()
    return checkpoint


def scored_at_once(
    checkpoint: Checkpoint, source: Case, gain: float
) -> dict[tuple[str, str, str], float | None]:
    """Scores of an image that is the acquired map times ``gain``, stored as it is made."""
    run = run_of(checkpoint, HUNDREDTHS)
    inputs = {role: ras(source.series.get(role=role)) for role in ("t1", "flair")}
    acquired = ras(source.series.get(role="cbv"))
    levels = np.rint(100 * gain * acquired).astype(np.int16)
    store_first_scores(run, source, levels, inputs, source)
    return {(s.candidate, s.preset, s.metric): s.value for s in Score.objects.all()}


def test_a_new_map_is_scored_in_its_unit_and_a_wrong_gain_shows(checkpoint, source):
    found = scored_at_once(with_moments(checkpoint, **MOMENTS), source, gain=1.5)
    inputs = [ras(source.series.get(role=role)) for role in ("t1", "flair")]
    brain = (inputs[0] != 0) | (inputs[1] != 0)
    acquired = ras(source.series.get(role="cbv"))[brain]
    made = "synthetic", "quantitative/1"
    assert found[*made, "bias"] == pytest.approx(0.5 * acquired.mean(), abs=0.01)
    assert found[*made, "mae"] == pytest.approx(0.5 * acquired.mean(), abs=0.01)
    assert found[*made, "relative_bias"] == pytest.approx(0.5, abs=0.005)
    mean, spread = acquired.mean(), acquired.std()
    ccc = 2 * 1.5 * spread**2 / (spread**2 * (1 + 1.5**2) + (0.5 * mean) ** 2)
    assert found[*made, "ccc"] == pytest.approx(ccc, abs=0.005)
    t1 = inputs[0][inputs[0] != 0].astype(float)
    nothing = np.where(inputs[0] != 0, 4 + 2 * (inputs[0] - t1.mean()) / t1.std(), 4 - 0.0)[
        brain & (inputs[0] != 0)
    ]
    assert found["do nothing", "quantitative/1", "bias"] == pytest.approx(
        nothing.mean() - acquired.mean(), abs=0.1
    )
    assert {preset for _, preset, _ in found} == {"quantitative/1", "wang2023/1"}


def test_an_older_card_gives_a_map_no_baseline(checkpoint, source):
    found = scored_at_once(with_moments(checkpoint), source, gain=1.0)
    assert {candidate for candidate, _, _ in found} == {"synthetic"}
    assert found["synthetic", "quantitative/1", "mae"] == pytest.approx(0, abs=0.006)


def test_what_is_offered_depends_on_the_unit(checkpoint, source):
    in_unit = registered(checkpoint, source, HUNDREDTHS)[0]
    assert default_presets(in_unit) == ("quantitative", "wang2023")
    in_unit.record["generation"]["generator"]["output_mapping"]["slope"] = 1.0
    assert default_presets(in_unit) == ("plain", "brasyn", "calabrese2021")
