"""Closed-form signal equations of the four sequences. Times in seconds, angles in radians."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]


def _single(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float32)


def with_gadolinium(t1: ArrayLike, concentration: ArrayLike, relaxivity: float) -> Array:
    """Relaxation time under a contrast agent: 1/T = 1/T0 + r C.

    Parameters
    ----------
    t1 : array_like
        T1 or T2 without the agent, s, > 0.
    concentration : array_like
        mmol/l, >= 0.
    relaxivity : float
        1/(mmol/l)/s.
    """
    base = _single(t1)
    return base / (1.0 + np.float32(relaxivity) * _single(concentration) * base)


def spoiled_gradient_echo(density: ArrayLike, t1: ArrayLike, *, tr: float, flip: float) -> Array:
    """Steady state of a spoiled gradient echo (Ernst): PD sin a (1 - E) / (1 - E cos a)."""
    decay = np.exp(-np.float32(tr) / _single(t1))
    ratio = (1.0 - decay) / (1.0 - decay * np.float32(np.cos(flip)))
    return _single(density) * np.float32(np.sin(flip)) * ratio


def ernst_angle(tr: float, t1: float) -> float:
    """Flip angle of the largest spoiled gradient echo: arccos(exp(-TR/T1)), radians."""
    return float(np.arccos(np.exp(-tr / t1)))


def inversion_recovery(t1: ArrayLike, *, ti: float, tr: float) -> Array:
    """Signed spin-echo inversion recovery factor: 1 - 2 exp(-TI/T1) + exp(-TR/T1)."""
    relaxation = _single(t1)
    return 1.0 - 2.0 * np.exp(-np.float32(ti) / relaxation) + np.exp(-np.float32(tr) / relaxation)


def null_inversion_time(t1: float, tr: float) -> float:
    """TI that nulls a tissue under ``inversion_recovery``: T1 (ln 2 - ln(1 + exp(-TR/T1)))."""
    return float(t1 * (np.log(2.0) - np.log1p(np.exp(-tr / t1))))


def turbo_spin_echo(
    density: ArrayLike, t1: ArrayLike, t2: ArrayLike, *, tr: float, te: float
) -> Array:
    """PD (1 - exp(-TR/T1)) exp(-TE/T2) with the effective echo time."""
    recovery = 1.0 - np.exp(-np.float32(tr) / _single(t1))
    return _single(density) * recovery * np.exp(-np.float32(te) / _single(t2))


def flair(
    density: ArrayLike, t1: ArrayLike, t2: ArrayLike, *, tr: float, te: float, ti: float
) -> Array:
    """Signed FLAIR signal: PD IR(TI, TR) exp(-TE/T2)."""
    weight = inversion_recovery(t1, ti=ti, tr=tr)
    return _single(density) * weight * np.exp(-np.float32(te) / _single(t2))


def mprage(
    density: ArrayLike,
    t1: ArrayLike,
    *,
    tr: float,
    ti: float,
    echo_spacing: float,
    pulses: int,
    flip: float,
) -> Array:
    """Signed MPRAGE signal at the middle of the echo train, in the periodic steady state.

    A perfect inversion, a wait of ``ti - pulses/2 * echo_spacing``, ``pulses`` spoiled pulses
    and a recovery up to ``tr``. During the train the magnetisation approaches
    ``M* = (1 - E)/(1 - E cos a)`` by the factor ``q = E cos a`` per pulse; the condition that
    the cycle repeats is linear in the magnetisation before the inversion and is solved exactly.

    Raises
    ------
    ValueError
        If the train does not fit between inversion and repetition.
    """
    half = pulses / 2 * echo_spacing
    wait, rest = ti - half, tr - ti - half
    if wait < 0 or rest < 0:
        msg = "the echo train is longer than the time before TI or after it; use fewer pulses"
        raise ValueError(msg)
    relaxation = _single(t1)
    rate = np.float32(np.log(np.cos(flip))) - np.float32(echo_spacing) / relaxation
    steady = -np.expm1(-np.float32(echo_spacing) / relaxation) / -np.expm1(rate)
    before, after = np.exp(-np.float32(wait) / relaxation), np.exp(-np.float32(rest) / relaxation)
    train_half = np.exp(np.float32(pulses / 2) * rate)
    train = train_half * train_half
    # M = 1 + (Mn - 1) after, Mn = M* + (1 - (1 + M) before - M*) train, solved for M
    constant = 1.0 + (steady - 1.0 + (1.0 - before - steady) * train) * after
    start = constant / (1.0 + before * train * after)
    arrived = 1.0 - (1.0 + start) * before
    centre = steady + (arrived - steady) * train_half
    return _single(density) * np.float32(np.sin(flip)) * centre
