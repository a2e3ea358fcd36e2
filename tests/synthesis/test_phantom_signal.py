"""The signal equations against their closed forms and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthesis.phantom import signal, tissue


def test_inversion_recovery_is_null_at_t1_ln_2_for_long_tr() -> None:
    t1 = 1.3
    value = signal.inversion_recovery(t1, ti=t1 * math.log(2.0), tr=1000.0)
    assert float(value) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("tr", [6.0, 9.0, 12.0])
def test_null_inversion_time_nulls_fluid(tr: float) -> None:
    ti = signal.null_inversion_time(4.3, tr)
    assert float(signal.inversion_recovery(4.3, ti=ti, tr=tr)) == pytest.approx(0.0, abs=1e-6)


def test_null_inversion_time_tends_to_t1_ln_2() -> None:
    assert signal.null_inversion_time(2.0, 1e3) == pytest.approx(2.0 * math.log(2.0))


def test_spoiled_gradient_echo_at_90_degrees_is_saturation_recovery() -> None:
    got = signal.spoiled_gradient_echo(0.8, 1.0, tr=0.5, flip=math.pi / 2)
    assert float(got) == pytest.approx(0.8 * (1 - math.exp(-0.5)), rel=1e-6)


def test_ernst_angle_gives_the_largest_signal() -> None:
    tr, t1 = 0.02, 0.9
    angles = np.deg2rad(np.linspace(1.0, 60.0, 2000))
    signals = [float(signal.spoiled_gradient_echo(1.0, t1, tr=tr, flip=a)) for a in angles]
    assert angles[int(np.argmax(signals))] == pytest.approx(signal.ernst_angle(tr, t1), abs=2e-3)


def test_signal_at_the_ernst_angle_has_its_closed_form() -> None:
    tr, t1 = 0.02, 0.9
    decay = math.exp(-tr / t1)
    got = signal.spoiled_gradient_echo(1.0, t1, tr=tr, flip=signal.ernst_angle(tr, t1))
    assert float(got) == pytest.approx(math.sqrt((1 - decay) / (1 + decay)), rel=1e-4)


def test_turbo_spin_echo_with_long_tr_and_no_echo_time_shows_density() -> None:
    assert float(signal.turbo_spin_echo(0.7, 1.0, 0.08, tr=100.0, te=0.0)) == pytest.approx(0.7)


def test_turbo_spin_echo_decays_by_e_per_t2() -> None:
    short = signal.turbo_spin_echo(1.0, 1.0, 0.08, tr=5.0, te=0.08)
    long = signal.turbo_spin_echo(1.0, 1.0, 0.08, tr=5.0, te=0.16)
    assert float(short / long) == pytest.approx(math.e, rel=1e-5)


def test_flair_is_inversion_recovery_times_t2_decay() -> None:
    expected = 0.8 * (1 - 2 * math.exp(-2.0) + math.exp(-9.0)) * math.exp(-1.5)
    got = signal.flair(0.8, 1.0, 0.1, tr=9.0, te=0.15, ti=2.0)
    assert float(got) == pytest.approx(expected, rel=1e-5)


def test_mprage_with_tiny_flip_is_repeated_inversion_recovery() -> None:
    """Without saturation by the pulses: M(TI) = 1 - 2 exp(-TI/T1) / (1 + exp(-TR/T1))."""
    t1, tr, ti, flip = 1.2, 2.3, 0.95, 1e-4
    expected = 1 - 2 * math.exp(-ti / t1) / (1 + math.exp(-tr / t1))
    got = signal.mprage(1.0, t1, tr=tr, ti=ti, echo_spacing=0.007, pulses=160, flip=flip)
    assert float(got) / math.sin(flip) == pytest.approx(expected, rel=1e-3)


def test_mprage_equals_a_bloch_simulation() -> None:
    t1, tr, ti, spacing, pulses, flip = 0.85, 2.2, 0.95, 0.007, 160, math.radians(9)
    half = pulses // 2 * spacing
    magnetisation, seen = 1.0, 0.0

    def relax(value: float, time: float) -> float:
        return 1 + (value - 1) * math.exp(-time / t1)

    for _ in range(12):
        magnetisation = relax(-magnetisation, ti - half)
        for pulse in range(pulses):
            if pulse == pulses // 2:
                seen = magnetisation * math.sin(flip)
            magnetisation = relax(magnetisation * math.cos(flip), spacing)
        magnetisation = relax(magnetisation, tr - ti - half)
    got = signal.mprage(1.0, t1, tr=tr, ti=ti, echo_spacing=spacing, pulses=pulses, flip=flip)
    assert float(got) == pytest.approx(seen, rel=1e-4)


def test_mprage_refuses_a_train_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="use fewer pulses"):
        signal.mprage(1.0, 1.0, tr=2.0, ti=0.4, echo_spacing=0.01, pulses=160, flip=0.1)


def test_gadolinium_adds_rates() -> None:
    assert float(signal.with_gadolinium(1.0, 1.0, 4.0)) == pytest.approx(0.2)
    assert float(signal.with_gadolinium(1.3, 0.0, 4.0)) == pytest.approx(1.3)


def test_tissues_order_as_radiologists_expect() -> None:
    white, grey, csf = tissue.WHITE, tissue.GREY, tissue.CSF
    t1 = [
        float(
            signal.mprage(
                t.density, t.t1, tr=2.1, ti=0.95, echo_spacing=0.0072, pulses=176, flip=0.157
            )
        )
        for t in (white, grey, csf)
    ]
    assert t1[0] > t1[1] > abs(t1[2])
    t2 = [
        float(signal.turbo_spin_echo(t.density, t.t1, t.t2, tr=5.0, te=0.1))
        for t in (csf, grey, white)
    ]
    assert t2[0] > t2[1] > t2[2]
