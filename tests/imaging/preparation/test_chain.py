"""Chains: errors are named, series move together, the record tells all and repeats."""

from __future__ import annotations

import json

import numpy as np
import pytest

from readerstudy.imaging.preparation.chain import run_chain
from readerstudy.imaging.preparation.chain_spec import (
    PRESETS,
    STEPS,
    ChainError,
    load_chain,
    parse_chain,
)
from readerstudy.imaging.preparation.chain_steps import Tools, reference_role
from readerstudy.imaging.preparation.resample import grid_of, onto
from tests.imaging.preparation.heads import as_volume, icbm_brain, rotation, scanned

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def small(seed=0, shape=(10, 12, 14)):
    array = np.zeros(shape, np.float32)
    array[2:-2, 2:-2, 2:-2] = np.random.default_rng(seed).gamma(4, 50, [n - 4 for n in shape])
    return as_volume(array, AFFINE)


def run(series, *steps, **lent):
    return run_chain(series, parse_chain(list(steps)), lent=Tools(**lent))


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        ([], "not a list of steps"),
        ("reorient", "not a list of steps"),
        ({"step": "reorient"}, "no list named steps"),
        ([{"name": "reorient"}], "Step 1 has no name"),
        ([{"step": "reorient"}, {"step": "sharpen"}], "Step 2: there is no step 'sharpen'"),
        ([{"step": "resample", "spacing": 1}], r"Step 1 \(resample\) knows no 'spacing'"),
        ([{"step": "resample"}], "needs spacing_mm or to"),
        ([{"step": "resample", "spacing_mm": 1, "to": "t1"}], "needs spacing_mm or to"),
        ([{"step": "resample", "spacing_mm": [1, 1]}], "one number, or three"),
        ([{"step": "resample", "spacing_mm": True}], "must be a number"),
        ([{"step": "resample", "spacing_mm": 0}], "between 0.05 and 50"),
        ([{"step": "register"}], "lacks to"),
        ([{"step": "register", "to": "t1", "kind": "elastic"}], "kind must be one of rigid"),
        ([{"step": "register", "to": "t1", "seed": -1}], "seed must be a whole number"),
        ([{"step": "brain_mask", "apply": "yes"}], "apply must be true or false"),
        ([{"step": "brain_mask", "command": "rm -rf /"}], "knows no 'command'"),
        ([{"step": "normalise", "method": "histogram"}], "needs a reference"),
        ([{"step": "bias", "iterations": []}], "1 to 8 whole numbers"),
        ([{"step": "reorient", "roles": "t1"}], "roles is not a list"),
        ([{"step": "reorient"}] * 21, "has 21 steps"),
    ],
)
def test_a_chain_is_checked_before_it_runs(chain, reason):
    with pytest.raises(ChainError, match=reason):
        parse_chain(chain)


def test_chains_are_read_from_json_and_toml(tmp_path):
    steps = [{"step": "resample", "spacing_mm": [1, 1, 3]}, {"step": "bias", "roles": ["t1"]}]
    (tmp_path / "a.json").write_text(json.dumps({"steps": steps}))
    (tmp_path / "b.toml").write_text(
        '[[steps]]\nstep = "resample"\nspacing_mm = [1, 1, 3]\n'
        '[[steps]]\nstep = "bias"\nroles = ["t1"]\n'
    )
    assert load_chain(tmp_path / "a.json") == load_chain(tmp_path / "b.toml") == parse_chain(steps)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", "[{", "not valid"),
        ("a.toml", "steps = ", "not valid"),
        ("a.json", "[" * 100_000, "not valid"),
        ("gone.json", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_chain_is_refused(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ChainError, match=reason):
        load_chain(tmp_path / name)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_chains_and_survive_being_written(name):
    chain = parse_chain(PRESETS[name]["steps"])
    assert parse_chain([spec.as_dict() for spec in chain]) == chain
    assert PRESETS[name]["explained"].endswith(".")


def test_defaults_pass_their_own_checks():
    for parameters in STEPS.values():
        for default, check in parameters.values():
            if isinstance(default, str | int | float | list):
                assert check(default) == default


def test_the_reference_is_t1_if_there_is_one():
    assert reference_role(["flair", "t2", "t1"]) == "t1"
    assert reference_role(["flair", "adc", "t2"]) == "t2"
    assert reference_role(["mask", "other"]) == "other"
    assert reference_role(["adc"]) == "adc"


def test_roles_limit_a_step_and_absent_ones_are_passed_over():
    series = {"t1": small(1), "t2": small(2)}
    done = run(series, {"step": "resample", "spacing_mm": 1.5, "roles": ["t2", "flair"]})
    assert done.items["t1"].volume is series["t1"]
    assert done.items["t2"].volume.shape == (20, 24, 28)
    with pytest.raises(ChainError, match="there is no series flair"):
        run(series, {"step": "resample", "spacing_mm": 1.5, "roles": ["flair"]})


def test_an_error_names_step_and_series():
    series = {"t1": small(1), "t2": as_volume(np.full((6, 6, 6), -1.0, np.float32), AFFINE)}
    with pytest.raises(ChainError, match=r"Step 2 \(bias, t2\)"):
        run(series, {"step": "reorient"}, {"step": "bias"})
    with pytest.raises(ChainError, match=r"Step 1 \(register\): there is no series t1c"):
        run(series, {"step": "register", "to": "t1c"})
    with pytest.raises(ChainError, match="no series"):
        run_chain({}, parse_chain([{"step": "reorient"}]))


def test_segmentations_keep_their_labels_and_maps_their_units():
    labels = np.zeros((10, 12, 14), np.int16)
    labels[4:7, 4:7, 4:7] = 3
    series = {"t1": small(1), "adc": small(3), "mask": as_volume(labels, AFFINE)}
    done = run(series, {"step": "resample", "spacing_mm": 2}, {"step": "normalise"})
    assert set(np.unique(done.items["mask"].volume.array)) == {0, 3}
    assert [len(item.records) for item in done.items.values()] == [2, 1, 1]
    assert done.items["adc"].volume.array.max() > 100


def test_a_given_mask_serves_every_series_and_their_normalisation():
    mask = np.zeros((10, 12, 14), np.uint8)
    mask[3:7, 3:8, 3:10] = 1
    series = {"t1": small(1), "t2": small(2)}
    steps = ({"step": "brain_mask", "method": "given"}, {"step": "normalise"})
    done = run(series, *steps, given={"": as_volume(mask, AFFINE)})
    for item in done.items.values():
        inside = item.volume.array[mask > 0]
        assert inside.mean() == pytest.approx(0, abs=1e-5)
        assert item.volume.array[0, 0, 0] == item.volume.array.min()
    assert done.warnings  # 140 voxels of 27 mm³ are no brain


def test_histogram_matching_asks_for_its_reference():
    reference = small(7)
    asked = []

    def resolve(name, role):
        asked.append((name, role))
        return reference

    step = {"step": "normalise", "method": "histogram", "reference": "0412"}
    run({"t1": small(1), "t2": small(2)}, step, resolve=resolve)
    assert asked == [("0412", "t1"), ("0412", "t2")]
    with pytest.raises(ChainError, match="looked up"):
        run({"t1": small(1)}, step)


def test_the_record_names_tools_and_inputs_and_its_digest_ignores_the_clock():
    steps = parse_chain([{"step": "resample", "spacing_mm": 2}, {"step": "normalise"}])
    once, again = (run_chain({"t1": small(1)}, steps).record for _ in range(2))
    assert {"readerstudy", "numpy", "SimpleITK"} <= set(once["tools"])
    assert once["sha256"] == again["sha256"]
    assert json.loads(json.dumps(once)) == once
    other = run_chain({"t1": small(2)}, steps).record
    assert other["sha256"] != once["sha256"]
    changed = run_chain({"t1": small(1)}, parse_chain([{"step": "resample", "spacing_mm": 2.5}]))
    assert changed.record["sha256"] != once["sha256"]


def test_inputs_are_never_changed():
    volume = small(1)
    before = volume.array.copy()
    volume.array.flags.writeable = False
    run({"t1": volume}, {"step": "reorient"}, {"step": "bias"}, {"step": "normalise"})
    assert (volume.array == before).all()


def test_progress_is_told_step_by_step():
    told = []
    chain = parse_chain([{"step": "reorient"}, {"step": "normalise"}])
    run_chain({"t1": small(1)}, chain, progress=lambda *said: told.append(said))
    assert told == [(0, 2, "Step 1 of 2: reorient"), (1, 2, "Step 2 of 2: normalise")]


def test_a_segmentation_moves_with_the_series_on_whose_grid_it_lies():
    share, brain = icbm_brain("t1")
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    cut = (slice(23, -7), slice(10, -6), slice(5, -5))
    fixed = as_volume(scanned(share[cut], bias=0.05, seed=1), affine)
    other = as_volume(icbm_brain("t2")[0][cut], affine)
    away = np.eye(4)
    away[:3, :3] = rotation(4, 3, -6)
    away[:3, 3] = (9.0, -8.0, 7.0)
    moved = onto(other, grid_of(other), matrix=np.linalg.inv(away), outside=0.0)
    t2 = as_volume(scanned(moved.array, bias=0.05, seed=2), affine)
    labels = as_volume((moved.array > 0).astype(np.uint8), affine)
    # half a voxel apart, so that the segmentation shares its grid with T2 alone
    t1 = as_volume(fixed.array, affine.copy())
    t1.affine_lps[:3, 3] = 0.01
    done = run({"t1": t1, "t2": t2, "mask": labels}, {"step": "register", "to": "t1"})
    found = done.items["mask"].volume
    assert found.array.dtype == np.uint8
    overlap = 2 * (found.array.astype(bool) & brain[cut]).sum() / (found.array.sum() + brain.sum())
    assert overlap > 0.94
    assert done.items["mask"].records[0].figures["follows"] == "t2"
