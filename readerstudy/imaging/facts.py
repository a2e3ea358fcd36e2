"""The few facts about an acquisition that may leave a DICOM header.

Everything not listed here stays behind. Values are numbers inside a plausible range or codes of a
closed list, so free text, and with it a name or a date, cannot pass.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

Fact = float | str | bool
Facts = Mapping[str, Fact]

_NUMBERS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "field_strength_t": (("MagneticFieldStrength",), 0.01, 20.0),
    "echo_time_ms": (("EchoTime", "EffectiveEchoTime"), 0.0, 10_000.0),
    "repetition_time_ms": (("RepetitionTime",), 0.0, 100_000.0),
    "inversion_time_ms": (("InversionTime", "InversionTimes"), 0.0, 100_000.0),
    "flip_angle_deg": (("FlipAngle",), 0.0, 360.0),
    "slice_thickness_mm": (("SliceThickness",), 0.01, 100.0),
}
_CODES: dict[str, tuple[str, frozenset[str]]] = {
    "acquisition": ("MRAcquisitionType", frozenset({"2D", "3D"})),
    "scanning_sequence": ("ScanningSequence", frozenset({"SE", "IR", "GR", "EP", "RM"})),
}
FACT_NAMES = frozenset({*_NUMBERS, *_CODES, "contrast_agent"})
_GROUPS = (
    "MRTimingAndRelatedParametersSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "PixelMeasuresSequence",
)


def facts_from_dicom(dataset: Any) -> dict[str, Fact]:
    """Allowed facts of one DICOM dataset, classic or enhanced.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of any instance of the series.

    Returns
    -------
    dict
        Names of `FACT_NAMES` only. A fact that is absent, not a number or out of range is left out.
    """
    places = list(_places(dataset))
    facts: dict[str, Fact] = {}
    for name, (keywords, low, high) in _NUMBERS.items():
        value = _first(places, keywords, partial(_number, low=low, high=high))
        if value is not None:
            facts[name] = value
    for name, (keyword, allowed) in _CODES.items():
        code = _first(places, (keyword,), partial(_codes, allowed=allowed))
        if code is not None:
            facts[name] = code
    if has_contrast_agent(dataset):
        facts["contrast_agent"] = True
    return facts


def has_contrast_agent(dataset: Any) -> bool:
    """Whether the header names a contrast agent; the name itself is not kept."""
    agent = str(dataset.get("ContrastBolusAgent") or "").strip().lower()
    return agent not in {"", "no", "none", "n", "0"} or bool(
        dataset.get("ContrastBolusAgentSequence")
    )


def _places(dataset: Any) -> Iterator[Any]:
    yield dataset
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for item in list(dataset.get(groups) or [])[:1]:
            for name in _GROUPS:
                yield from list(item.get(name) or [])[:1]


def _first(
    places: list[Any], keywords: tuple[str, ...], read: Callable[[Any], Fact | None]
) -> Fact | None:
    for place in places:
        for keyword in keywords:
            value = read(place.get(keyword))
            if value is not None:
                return value
    return None


def _number(raw: Any, low: float, high: float) -> float | None:
    values = _as_list(raw)
    try:
        value = float(values[0])
    except (IndexError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) and low <= value <= high else None


def _codes(raw: Any, allowed: frozenset[str]) -> str | None:
    codes = [str(value) for value in _as_list(raw) if str(value) in allowed]
    return " ".join(codes) or None


def _as_list(raw: Any) -> list[Any]:
    if raw is None:
        return []
    return [raw] if isinstance(raw, str | float | int) else list(raw)
