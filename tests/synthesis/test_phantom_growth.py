"""The spreading front and the plan of lesions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from synthesis.phantom import growth, lesions
from synthesis.phantom.anatomy import load_template


def front_distance(reach_mm: float) -> float:
    """Distance, mm, from a plane source to where the front has fallen to one half."""
    source = np.zeros((9, 9, 101), np.float32)
    source[:, :, :5] = 1.0
    line = growth.spread(source, np.ones_like(source), reach_mm)[4, 4]
    last = int(np.flatnonzero(line > 0.5)[-1])
    return last + float((line[last] - 0.5) / (line[last] - line[last + 1])) - 4.0


def test_front_travels_at_the_speed_of_the_lattice_with_the_delay_of_bramson() -> None:
    """A plane front advances by s (t2 - t1) - 3/(2 k) ln(t2/t1) with the slowest speed s.

    On the lattice s(k) = ln(1 + rho + D (2 cosh k - 2)) / k, k its minimum, D = rho = 0.15.
    """

    def speed(k: float) -> float:
        return math.log(1 + 0.15 + 0.15 * (2 * math.cosh(k) - 2)) / k

    steepness = float(optimize.minimize_scalar(speed, bounds=(0.3, 3.0), method="bounded").x)
    slowest = speed(steepness)
    assert 2.0 * slowest == pytest.approx(growth.MM_PER_STEP, abs=0.005)
    for early, late in ((18.0, 36.0), (24.0, 60.0)):
        steps = round(late / growth.MM_PER_STEP) - round(early / growth.MM_PER_STEP)
        voxels = slowest * steps - 1.5 / steepness * math.log(late / early)
        advance = front_distance(late) - front_distance(early)
        assert advance == pytest.approx(2.0 * voxels, rel=0.05)


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
