"""Which voxels are brain: given, computed, or found by an external command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.preparation import external
from readerstudy.imaging.preparation.faces import brain_only, find_head
from readerstudy.imaging.preparation.head_model import SHRINK, Fit, fit_head
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)
from readerstudy.imaging.preparation.resample import grid_of, mask_onto
from readerstudy.imaging.preparation.template import template_sha256

Method = Literal["computed", "given", "command"]
METHODS: tuple[str, ...] = get_args(Method)
UNCERTAIN = "The mask is uncertain: a person must look."
SMALLEST_ML, LARGEST_ML = 900.0, 2000.0
LOWEST_METRIC = 0.35
LOWEST_STANDING = 0.25
LOWEST_COVERED = 0.9
LOWEST_AGREEMENT = 0.88
SCALE_LIMITS = (0.8, 1.25)
_PRIOR_MM = 2.0
_EVIDENCE_LIMITS = (-1.5, 3.0)
_OUTER_MM, _CORE_MM = 8.0, 10.0
_SURE_INSIDE_MM = 4.0
_SHELL_MM = (4.0, 16.0)
_BINS = 48
_ROUNDS = 6
_NEIGHBOURS = 2.0
_NEIGHBOUR_MM = 1.5
_BRIDGE_MM, _GAP_MM, _SMOOTH_MM = 3.0, 4.0, 1.2


@dataclass(frozen=True, eq=False)
class MaskFinding:
    """A brain mask and how far it can be trusted.

    Attributes
    ----------
    mask : ndarray of bool, shape of the volume
    method : str
        "computed", "given", "command", or "cut out" where the volume is a brain already.
    figures : mapping
    warnings : tuple of str
        Empty for a certain mask.
    """

    mask: Mask
    method: str
    figures: Mapping[str, Any]
    warnings: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Whether nothing speaks against the mask."""
        return not self.warnings


def compute_brain_mask(volume: Volume, *, seed: int = 0) -> MaskFinding:
    """Find the brain in a head without learned weights.

    Parameters
    ----------
    volume : Volume
        LPS order (`readerstudy.imaging.orientation.to_lps`), any MR contrast.
    seed : int
        Of the registration.

    Returns
    -------
    MaskFinding

    Raises
    ------
    PreparationError
        No foreground, or no brain found.

    Notes
    -----
    A volume that shows a brain alone keeps its foreground. Else the model of
    `readerstudy.imaging.preparation.head_model` is fitted, and its border is moved by up to 10 mm
    to where the grey values inside and around it differ: log odds of the position (distance / 2
    mm), of the grey value (histograms inside and in the shell around) and of the neighbours,
    relaxed six times; then bridges thinner than 6 mm are cut and gaps closed.
    """
    finding = find_head(volume)
    if not finding.shows_head:
        mask = foreground(volume.array)
        return MaskFinding(mask, "cut out", _volumes(mask, volume), ())
    fit = fit_head(volume, seed=seed)
    refined = refine(fit)
    mask = mask_onto(refined, fit.work, grid_of(volume))
    figures = {**_volumes(mask, volume), **_fit_figures(fit, refined)}
    return MaskFinding(mask, "computed", figures, _doubts(figures))


def _volumes(mask: Mask, volume: Volume) -> dict[str, float]:
    return {"volume_ml": round(float(mask.sum()) * float(np.prod(volume.spacing_mm)) / 1e3, 1)}


def _fit_figures(fit: Fit, refined: Mask) -> dict[str, Any]:
    start = fit.prior > 0
    agreement = 2 * float((start & refined).sum()) / float(start.sum() + refined.sum())
    scales = SHRINK * np.linalg.svd(fit.alignment.matrix[:3, :3])[1]
    return {
        "metric": round(fit.alignment.metric, 4),
        "standing": round(fit.alignment.standing, 4),
        "covered": round(fit.covered, 4),
        "agreement": round(agreement, 4),
        "scales": [round(float(scale), 4) for scale in scales],
        "matrix": np.round(fit.alignment.matrix, 6).tolist(),
    }


def _doubts(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """What speaks against a computed mask, as sentences."""
    volume, covered = figures["volume_ml"], figures["covered"]
    low, high = SCALE_LIMITS[0] * SHRINK, SCALE_LIMITS[1] * SHRINK
    reasons = {
        f"The brain in it has {volume:.0f} mL; {SMALLEST_ML:.0f} to {LARGEST_ML:.0f} are usual.": (
            not SMALLEST_ML <= volume <= LARGEST_ML
        ),
        f"The model fits badly (metric {figures['metric']:.2f}, at least {LOWEST_METRIC}).": (
            figures["metric"] < LOWEST_METRIC or figures["standing"] < LOWEST_STANDING
        ),
        f"Only {100 * covered:.0f} % of the brain are in the image.": covered < LOWEST_COVERED,
        "The grey values do not follow the model.": figures["agreement"] < LOWEST_AGREEMENT,
        "The model had to be stretched much.": (
            min(figures["scales"]) < low or max(figures["scales"]) > high
        ),
    }
    found = tuple(text for text, applies in reasons.items() if applies)
    return (UNCERTAIN, *found) if found else ()


def refine(fit: Fit) -> Mask:
    """Move the border of the model to where the grey values change.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    ndarray of bool
        One filled piece on the grid of `fit.work`.
    """
    spacing = fit.work.spacing_mm
    start = fit.prior / _PRIOR_MM + _evidence(fit.work.array, fit.prior)
    odds = start
    sigma = [_NEIGHBOUR_MM / step for step in spacing]
    for _ in range(_ROUNDS):
        belief = 1 / (1 + np.exp(-np.clip(odds, -20, 20)))
        odds = start + _NEIGHBOURS * (2 * ndimage.gaussian_filter(belief, sigma) - 1)
    core = fit.prior >= _CORE_MM
    found = ((odds > 0) | core) & (fit.prior > -_OUTER_MM) & fit.head
    return _one_piece(found, core, spacing)


def _evidence(values: NDArray[np.float32], prior: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log odds of brain against surroundings by grey value."""
    inside = prior > _SURE_INSIDE_MM
    shell = (prior < -_SHELL_MM[0]) & (prior > -_SHELL_MM[1])
    if not inside.any() or not shell.any():
        return np.zeros(values.shape, np.float32)
    top = 1.3 * float(np.percentile(values[prior > 0], 99.5)) or 1.0
    index = np.clip((values / top * _BINS).astype(int), 0, _BINS - 1)
    ours, theirs = (_shares(index[area]) for area in (inside, shell))
    low, high = _EVIDENCE_LIMITS
    return np.clip(np.log(ours / theirs), low, high).astype(np.float32)[index]


def _shares(index: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(index, minlength=_BINS).astype(float)
    smooth = ndimage.gaussian_filter1d(counts, 1.0) + counts.sum() * 1e-3
    shares: NDArray[np.float64] = smooth / smooth.sum()
    return shares


def _one_piece(found: Mask, core: Mask, spacing: tuple[float, float, float]) -> Mask:
    """Cut thin bridges, keep the largest piece, close gaps, fill holes, smooth the border."""
    opened = ndimage.binary_opening(found, structure=_ball(_BRIDGE_MM, spacing)) | core
    ball = _ball(min(spacing) * 1.01, spacing)
    grown = ndimage.binary_dilation(_largest(opened), structure=ball) & found
    pad = 4
    closed = ndimage.binary_closing(np.pad(grown, pad), structure=_ball(_GAP_MM, spacing))
    filled = ndimage.binary_fill_holes(closed[pad:-pad, pad:-pad, pad:-pad])
    sigma = [_SMOOTH_MM / step for step in spacing]
    soft = ndimage.gaussian_filter(filled.astype(np.float32), sigma, mode="nearest")
    return _largest(soft > 0.5)


def _largest(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def _ball(radius_mm: float, spacing: tuple[float, float, float]) -> Mask:
    reach = [int(radius_mm / step) for step in spacing]
    axes = np.ogrid[tuple(slice(-length, length + 1) for length in reach)]
    square = sum((axis * step) ** 2 for axis, step in zip(axes, spacing, strict=True))
    return np.asarray(square <= radius_mm**2 + 1e-6)


def given_brain_mask(volume: Volume, given: Volume) -> MaskFinding:
    """Bring a given mask onto the grid of a volume.

    Parameters
    ----------
    volume : Volume
    given : Volume
        Positive inside; any grid.

    Raises
    ------
    PreparationError
        The mask is empty, covers everything, or lies elsewhere.
    """
    mask = mask_onto(given.array > 0, given, grid_of(volume))
    _check(mask, "the given mask")
    figures = _volumes(mask, volume)
    return MaskFinding(mask, "given", figures, _odd_volume(figures["volume_ml"]))


def command_brain_mask(
    volume: Volume, command: str, *, timeout_s: float = external.TIMEOUT_S
) -> MaskFinding:
    """Let an external command such as ``hd-bet -i {input} -o {output}`` find the brain.

    Raises
    ------
    PreparationError
        See `readerstudy.imaging.preparation.external.run`; or its mask is empty or full.
    """
    found = external.run(command, volume, timeout_s=timeout_s)
    mask = np.asarray(found.array > 0)
    _check(mask, "the mask of the command")
    figures = _volumes(mask, volume)
    return MaskFinding(mask, "command", figures, _odd_volume(figures["volume_ml"]))


def _check(mask: Mask, name: str) -> None:
    if not mask.any():
        advice = "Check that it belongs to this image."
        raise PreparationError(f"{name} is empty or lies outside the image", advice)
    if mask.all():
        raise PreparationError(f"{name} covers the whole image", "Check that it is a mask.")


def _odd_volume(volume_ml: float) -> tuple[str, ...]:
    if SMALLEST_ML <= volume_ml <= LARGEST_ML:
        return ()
    usual = f"{SMALLEST_ML:.0f} to {LARGEST_ML:.0f} are usual"
    return (UNCERTAIN, f"The brain in it has {volume_ml:.0f} mL; {usual}.")


def find_brain_mask(
    volume: Volume,
    *,
    method: Method = "computed",
    given: Volume | None = None,
    command: str = "",
    timeout_s: float = external.TIMEOUT_S,
    seed: int = 0,
) -> MaskFinding:
    """Find the brain mask by one of the three ways.

    Raises
    ------
    PreparationError
        Unknown method, or what it needs was not given.
    """
    if method == "computed":
        return compute_brain_mask(volume, seed=seed)
    if method == "given":
        if given is None:
            raise PreparationError("no mask was given", "Name the file or series with the mask.")
        return given_brain_mask(volume, given)
    if method == "command":
        if not command:
            advice = "Set READERSTUDY_BRAIN_MASK_COMMAND, or use the computed mask."
            raise PreparationError("no command for brain masks is configured", advice)
        return command_brain_mask(volume, command, timeout_s=timeout_s)
    allowed = ", ".join(METHODS)
    raise PreparationError(f"there is no way {method!r} to a brain mask", f"Use {allowed}.")


def brain_mask(
    volume: Volume,
    *,
    method: Method = "computed",
    apply: bool = True,
    margin_mm: float = 1.0,
    given: Volume | None = None,
    command: str = "",
    timeout_s: float = external.TIMEOUT_S,
    seed: int = 0,
) -> Prepared:
    """Find the brain and, where asked for, clear everything else.

    Parameters
    ----------
    volume : Volume
        Any orientation; the result is in LPS order.
    method : {"computed", "given", "command"}
    apply : bool
        Clear what lies outside, with a margin; else the mask is only handed on.
    margin_mm : float
        The mask is widened by this before clearing, so that no cortex is lost.
    given : Volume, optional
        The mask for "given".
    command : str
        The command line for "command", see `readerstudy.imaging.preparation.external`.
    seed : int
        Of the registration for "computed".

    Returns
    -------
    Prepared
        `mask` is the brain without the margin.
    """
    with timed() as watch:
        standing = to_lps(volume)
        finding = find_brain_mask(
            standing, method=method, given=given, command=command, timeout_s=timeout_s, seed=seed
        )
        result = apply_mask(standing, finding.mask, apply=apply, margin_mm=margin_mm)
    parameters = {"method": method, "apply": apply, "margin_mm": margin_mm, "seed": seed}
    return Prepared(result, record_of(finding, parameters, watch.seconds), finding.mask)


def apply_mask(volume: Volume, mask: Mask, *, apply: bool, margin_mm: float) -> Volume:
    """Clear outside the mask where asked for; integers keep their type."""
    return brain_only(volume, mask, margin_mm=margin_mm) if apply else replace(volume)


def record_of(finding: MaskFinding, parameters: Mapping[str, Any], seconds: float) -> StepRecord:
    """The account of a mask."""
    tool, version = "readerstudy", version_of("readerstudy")
    figures: dict[str, Any] = {"found_by": finding.method, **finding.figures}
    if finding.method == "computed":
        figures["template_sha256"] = template_sha256()
    if finding.method == "command":
        tool, version = "external command", ""
    return StepRecord("brain_mask", parameters, tool, version, seconds, figures, finding.warnings)
