"""The few facts about an acquisition that may leave a DICOM header.

Everything not listed here stays behind. Values are numbers inside a plausible range or codes of a
closed list, so free text, and with it a name or a date, cannot pass.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

Fact = float | str | bool
Facts = Mapping[str, Fact]

BURNED_IN = "burned_in"

_NUMBERS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "field_strength_t": (("MagneticFieldStrength",), 0.01, 20.0),
    "echo_time_ms": (("EchoTime", "EffectiveEchoTime"), 0.0, 10_000.0),
    "repetition_time_ms": (("RepetitionTime",), 0.0, 100_000.0),
    "inversion_time_ms": (("InversionTime", "InversionTimes"), 0.0, 100_000.0),
    "flip_angle_deg": (("FlipAngle",), 0.0, 360.0),
    "slice_thickness_mm": (("SliceThickness",), 0.01, 100.0),
    "slice_distance_mm": (("SpacingBetweenSlices",), 0.01, 100.0),
    "echo_train_length": (("EchoTrainLength", "RFEchoTrainLength"), 0.0, 10_000.0),
    "averages": (("NumberOfAverages",), 0.0, 1_000.0),
    "bandwidth_hz_per_pixel": (("PixelBandwidth",), 0.0, 1_000_000.0),
    "b_value_s_per_mm2": (("DiffusionBValue",), 0.0, 100_000.0),
    "tube_voltage_kv": (("KVP",), 1.0, 1_000.0),
}
_CODES: dict[str, tuple[str, frozenset[str]]] = {
    "modality": ("Modality", frozenset({"MR", "CT", "PT", "NM", "US", "XA", "CR", "DX", "MG"})),
    "acquisition": ("MRAcquisitionType", frozenset({"2D", "3D"})),
    "scanning_sequence": ("ScanningSequence", frozenset({"SE", "IR", "GR", "EP", "RM"})),
    "sequence_variant": (
        "SequenceVariant",
        frozenset({"SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP"}),
    ),
    "patient_position": (
        "PatientPosition",
        frozenset({"HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"}),
    ),
}
_MANUFACTURERS = {
    "siemens": "Siemens",
    "ge": "GE",
    "philips": "Philips",
    "canon": "Canon",
    "toshiba": "Toshiba",
    "hitachi": "Hitachi",
    "fujifilm": "Fujifilm",
    "uih": "United Imaging",
    "united": "United Imaging",
    "bruker": "Bruker",
    "hyperfine": "Hyperfine",
    "esaote": "Esaote",
}
FACT_NAMES = frozenset({*_NUMBERS, *_CODES, "contrast_agent", "manufacturer", "two_dimensional"})
_GROUPS = (
    "MRTimingAndRelatedParametersSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "MRImagingModifierSequence",
    "MRAveragesSequence",
    "MRDiffusionSequence",
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
    if maker := _manufacturer(dataset.get("Manufacturer")):
        facts["manufacturer"] = maker
    if has_contrast_agent(dataset):
        facts["contrast_agent"] = True
    return facts


def quality_flags_from_dicom(dataset: Any) -> tuple[str, ...]:
    """Codes of what a person must look at before the image is used, told by its header.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of one instance; a series has the flags of all its instances.

    Returns
    -------
    tuple of str
        `BURNED_IN` where the header says that text is burned into the pixels, or that it is a
        picture of a screen or of a scanned sheet, which seldom says so and often has text.
    """
    said = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    pictures = {"WSD", "DI", "DF", "DV", "SI"}  # PS3.3 C.8.6.1: how a picture was converted
    converted = str(dataset.get("ConversionType") or "").strip().upper() in pictures
    saved = "SCREEN SAVE" in [str(part).upper() for part in _as_list(dataset.get("ImageType"))]
    burned = said not in {"", "NO"} or (said != "NO" and (converted or saved))
    return (BURNED_IN,) if burned else ()


def has_contrast_agent(dataset: Any) -> bool:
    """Whether the header names a contrast agent; the name itself is not kept."""
    agent = str(dataset.get("ContrastBolusAgent") or "").strip().lower()
    return agent not in {"", "no", "none", "n", "0"} or bool(
        dataset.get("ContrastBolusAgentSequence")
    )


def _manufacturer(raw: Any) -> str | None:
    """Spell the maker as the list does; the words beside it may name a hospital."""
    first = re.match(r"[a-z]+", str(raw or "").strip().lower())
    return _MANUFACTURERS.get(first.group()) if first else None


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
