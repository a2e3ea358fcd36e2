"""Whole patients: contrast, masks, enhancement, orientation and repeatability."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from synthesis.phantom import composition
from synthesis.phantom.subject import (
    SEQUENCES,
    Scene,
    Subject,
    make_scene,
    make_subject,
    scene_signals,
)

COARSE = (4.0, 4.0, 4.0)
Signals = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def glioma() -> Subject:
    return make_subject(1, spacing_mm=COARSE, lesion="glioma")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(2, "glioma")


@pytest.fixture(scope="module")
def signals(scene: Scene) -> Signals:
    protocol = composition.draw_protocol(np.random.default_rng(4))
    return scene_signals(scene, protocol)


@pytest.fixture(scope="module", params=["metastases", "ms", "none"])
def other(request: pytest.FixtureRequest) -> Subject:
    return make_subject(3, spacing_mm=COARSE, lesion=request.param)


def check_volumes(subject: Subject) -> None:
    brain = subject.brain_mask > 0
    assert tuple(subject.sequences) == SEQUENCES
    for volume in subject.sequences.values():
        assert volume.dtype == np.int16
        assert volume.shape == brain.shape == (40, 54, 44)
        assert not volume[~brain].any()
        assert (volume[brain] > 0).all()
    for mask in subject.masks.values():
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 1}
        assert not mask[~brain].any()


def test_glioma_has_four_sequences_and_masks_inside_the_brain(glioma: Subject) -> None:
    check_volumes(glioma)
    assert set(glioma.masks) == {"tumour", "enhancing", "necrosis", "oedema"}
    assert all(mask.any() for mask in glioma.masks.values())


def test_other_kinds_have_their_masks(other: Subject) -> None:
    check_volumes(other)
    kind = other.description["lesion"]
    main = {"metastases": "tumour", "ms": "plaque"}.get(kind)
    assert bool(other.masks) == (kind != "none")
    assert main is None or other.masks[main].any()


def test_brain_has_the_size_of_a_brain(glioma: Subject) -> None:
    """Brain with its cisterns: 1.1 to 2.1 litres at 64 microlitres a voxel."""
    litres = int(glioma.brain_mask.sum()) * 64e-6
    assert 1.1 < litres < 2.1


def test_same_seed_gives_the_same_bits(glioma: Subject) -> None:
    again = make_subject(1, spacing_mm=COARSE, lesion="glioma")
    for name in SEQUENCES:
        assert np.array_equal(glioma.sequences[name], again.sequences[name])
    for name, mask in glioma.masks.items():
        assert np.array_equal(mask, again.masks[name])
    assert glioma.description == again.description


def test_another_seed_gives_another_patient(glioma: Subject, other: Subject) -> None:
    overlap = (glioma.brain_mask & other.brain_mask) > 0
    one, two = glioma.sequences["t1"][overlap], other.sequences["t1"][overlap]
    assert np.corrcoef(one, two)[0, 1] < 0.9


def test_affine_is_ras_and_the_lesion_lies_where_described(glioma: Subject) -> None:
    assert nib.aff2axcodes(glioma.affine) == ("R", "A", "S")
    k, j, i = np.argwhere(glioma.masks["tumour"]).mean(axis=0)
    found = (glioma.affine @ [i, j, k, 1.0])[:3]
    main = glioma.description["foci"][0]
    assert np.linalg.norm(found - main["centre_ras_mm"]) < main["radius_mm"]


def test_description_is_plain_and_complete(glioma: Subject) -> None:
    told = glioma.description
    assert told["seed"] == 1
    assert told["lesion"] == "glioma"
    assert told["spacing_mm"] == list(COARSE)
    assert {"version", "age", "protocol", "foci"} <= set(told)


def regions(scene: Scene) -> dict[str, np.ndarray]:
    """Clear white matter, cortex and ventricle, away from lesions and vessels."""
    found, vessels, maps = scene.lesions, scene.vessels, scene.head.maps
    lesion = found.tumour + found.oedema + found.infiltration > 0.01
    vessel = vessels.artery + vessels.vein + vessels.plexus + vessels.dura > 0.01
    free = (scene.fractions.inside > 0.99) & ~lesion & ~vessel
    white, csf = scene.fractions.white, scene.fractions.csf
    cerebral = maps.deep < 0.05
    return {
        "white": free & cerebral & (white > 0.9) & (csf < 0.01),
        "grey": free & cerebral & (white < 0.05) & (csf < 0.01),
        "csf": free & (csf > 0.99) & (maps.ventricle > 1.0),
    }


def test_contrast_orders_tissues(scene: Scene, signals: Signals) -> None:
    where = regions(scene)
    mean = {
        name: {part: float(np.abs(signals[name][mask]).mean()) for part, mask in where.items()}
        for name in SEQUENCES
    }
    assert mean["t1"]["white"] > mean["t1"]["grey"] > mean["t1"]["csf"]
    assert mean["t2"]["csf"] > mean["t2"]["grey"] > mean["t2"]["white"]
    assert mean["flair"]["grey"] > mean["flair"]["white"] > mean["flair"]["csf"]
    assert mean["flair"]["csf"] < 0.2 * mean["flair"]["white"]


def test_contrast_agent_shows_only_where_it_goes(scene: Scene, signals: Signals) -> None:
    gain = signals["t1c"] - signals["t1"]
    typical = float(np.median(signals["t1"][regions(scene)["white"]]))
    found, vessels = scene.lesions, scene.vessels
    inside = scene.fractions.inside > 0.9
    assert (gain[(found.enhancing > 0.5) & inside] > 0).all()
    assert np.median(gain[(found.enhancing > 0.9) & inside]) > 0.1 * typical
    assert (gain[(vessels.vein > 0.5) & inside] > 0.2 * typical).all()
    assert (gain[(vessels.artery > 0.5) & inside] > 0.2 * typical).all()
    taken = found.uptake + vessels.artery + vessels.vein + vessels.plexus + vessels.dura
    assert np.abs(gain[taken == 0]).max() < 1e-5 * typical


def test_oedema_respects_fluid_and_prefers_white_matter(scene: Scene) -> None:
    oedema, fractions = scene.lesions.oedema, scene.fractions
    assert oedema[fractions.csf > 0.98].max() < 0.03
    near = oedema > 0.05
    white = oedema[near & (fractions.white > 0.8) & (fractions.csf < 0.05)].mean()
    grey = oedema[near & (fractions.white < 0.1) & (fractions.csf < 0.05)].mean()
    assert white > 2 * grey


def test_tumour_keeps_out_of_the_ventricles(scene: Scene) -> None:
    deep_inside = scene.head.maps.ventricle > 1.5
    assert scene.lesions.tumour[deep_inside].max(initial=0.0) < 0.05


def test_brain_is_not_symmetric(scene: Scene) -> None:
    """The template is a mirror image of itself; a patient must not be."""
    white = scene.fractions.white * (1 - scene.fractions.csf) * scene.fractions.inside
    x = scene.head.grid.axis(2)
    middle = int(np.argmin(np.abs(x)))
    reach = min(middle, len(x) - middle - 1)
    left, right = white[:, :, middle - reach : middle], white[:, :, middle + 1 : middle + reach + 1]
    assert np.corrcoef(left.ravel(), right[:, :, ::-1].ravel())[0, 1] < 0.9


@pytest.mark.parametrize(
    ("seed", "lesion", "message"),
    [(-1, None, "at least 0"), (1, "stroke", "lesion must be one of")],
)
def test_wrong_input_is_refused(seed: int, lesion: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_subject(seed, spacing_mm=COARSE, lesion=lesion)
