"""The spreading front and the plan of lesions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthesis.phantom import growth, lesions
from synthesis.phantom.anatomy import load_template


def front_distance(reach_mm: float) -> float:
    """Distance, mm, from a plane source to where the front has fallen to one half."""
    source = np.zeros((9, 9, 101), np.float32)
    source[:, :, :5] = 1.0
    line = growth.spread(source, np.ones_like(source), reach_mm)[4, 4]
    last = int(np.flatnonzero(line > 0.5)[-1])
    return last + float((line[last] - 0.5) / (line[last] - line[last + 1])) - 4.0


def test_front_travels_at_the_fisher_speed_with_the_delay_of_bramson() -> None:
    """x(t) = 2 sqrt(D rho) t - 3/2 sqrt(D/rho) ln t for a plane front from a step.

    One step of 0.6 mm is 0.3 voxels of 2 mm with D = rho = 0.15.
    """
    for early, late in ((18.0, 36.0), (24.0, 60.0)):
        voxels = 0.3 * (late - early) / 0.6 - 1.5 * math.log(late / early)
        advance = front_distance(late) - front_distance(early)
        assert advance == pytest.approx(2.0 * voxels, rel=0.12)


def test_front_does_not_cross_a_barrier() -> None:
    source = np.zeros((60, 60, 60), np.float32)
    source[28:32, 28:32, 18:22] = 1.0
    flow = np.ones_like(source)
    flow[:, :, 30:34] = 0.0
    state = growth.spread(source, flow, 24.0)
    assert state[30, 30, 28] > 0.7
    assert state[30, 30, 38:].max() < 0.1


def test_source_stays_full() -> None:
    source = np.zeros((30, 30, 30), np.float32)
    source[12:18, 12:18, 12:18] = 1.0
    state = growth.spread(source, np.full_like(source, 0.5), 5.0)
    assert state[14, 14, 14] == pytest.approx(1.0)
    assert state.min() >= 0.0
    assert state.max() <= 1.0 + 1e-5


def test_kinds_are_drawn_with_their_shares() -> None:
    drawn = [lesions.choose_kind(np.random.default_rng(seed)) for seed in range(4000)]
    for kind, share in zip(lesions.KINDS, lesions.SHARES, strict=True):
        assert drawn.count(kind) / 4000 == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_gliomas_start_in_hemispheric_white_matter(seed: int) -> None:
    template = load_template()
    plan = lesions.plan_lesions(np.random.default_rng(seed), "glioma", template)
    z, _, x = plan.foci[0].centre_mm
    assert abs(x) > 14
    assert -27 < z < 53


@pytest.mark.parametrize("seed", range(6))
def test_plaques_are_many_and_metastases_few(seed: int) -> None:
    template = load_template()
    rng = np.random.default_rng(seed)
    assert 6 <= len(lesions.plan_lesions(rng, "ms", template).foci) <= 90
    assert 1 <= len(lesions.plan_lesions(rng, "metastases", template).foci) <= 7
    assert lesions.plan_lesions(rng, "none", template).foci == ()


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="glioma, metastases, ms, none"):
        lesions.plan_lesions(np.random.default_rng(0), "stroke", load_template())
