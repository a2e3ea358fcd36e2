"""What tells the volumes of one DICOM series apart: echo, b-value, direction, phase, time.

The values are used to sort frames into volumes and to name these; they are not kept. Vendors
write some of them into private elements, which are therefore read here and nowhere else.
"""

import struct
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

_GROUPS = (
    "FrameContentSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "MREchoSequence",
    "MRDiffusionSequence",
    "MRImageFrameTypeSequence",
    "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRReceiveCoilSequence",
    "CardiacSynchronizationSequence",
    "TemporalPositionSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
_B_VALUES = (0x0019100C, 0x20011003, 0x00651009, 0x00431039)
_DIRECTIONS = (0x0019100E, 0x00651037)
_DIRECTION_PARTS = ((0x200510B0, 0x200510B1, 0x200510B2), (0x001910BB, 0x001910BC, 0x001910BD))
_COIL, _GE_KIND, _PHILIPS_DIRECTION = 0x0051100F, 0x0043102F, 0x20011004
PRIVATE_TAGS = (
    *_B_VALUES,
    *_DIRECTIONS,
    *(tag for parts in _DIRECTION_PARTS for tag in parts),
    _COIL,
    _GE_KIND,
    _PHILIPS_DIRECTION,
)
KEYWORDS = (
    "ImageType",
    "ComplexImageComponent",
    "EchoTime",
    "EchoNumbers",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "InversionTime",
    "FlipAngle",
    "RepetitionTime",
    "TemporalPositionIdentifier",
    "TriggerTime",
    "AcquisitionNumber",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "SequenceName",
    "InstanceNumber",
)
_GE_BIAS = 100_000_000
_KINDS = {
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
    "ADC": "ADC",
    "EADC": "exponential ADC",
    "FA": "FA",
    "TRACEW": "trace",
    "TRACE": "trace",
    "ISOTROPIC": "trace",
    "W": "water",
    "WATER": "water",
    "F": "fat",
    "FAT": "fat",
    "IN_PHASE": "in phase",
    "IP": "in phase",
    "OUT_PHASE": "opposed phase",
    "OPP_PHASE": "opposed phase",
    "OP": "opposed phase",
    "SWI": "SWI",
    "MNIP": "minimum projection",
    "MIP": "projection",
    "UNI": "UNI",
}
_GE_KINDS = {0: "M", 1: "P", 2: "R", 3: "I"}


class Trait(NamedTuple):
    """One property by which frames may differ, in the order in which they are tried."""

    name: str
    read: Callable[[Sequence[Any]], Hashable]
    label: Callable[[Any, int], str]


def places_of(group: Any) -> list[Any]:
    """The data sets inside one item of functional groups."""
    places = []
    for name in _GROUPS:
        for item in list(group.get(name) or [])[:1]:
            places.append(item)
            places.extend(list(item.get("DiffusionGradientDirectionSequence") or [])[:1])
    return places


def first(places: Sequence[Any], *keys: Any) -> Any:
    """The first value that is filled in, by key and then by place; None where there is none."""
    for key in keys:
        for place in places:
            value = _value(place, key)
            if value is not None and value != "":
                return value
    return None


def _value(place: Any, key: str | int) -> Any:
    element = place.get(key)
    return element if isinstance(key, str) or element is None else element.value


def number(raw: Any) -> float | None:
    """A number, whether written as text, as a number, or left as bytes of a private element."""
    if isinstance(raw, bytes):
        return _from_bytes(raw)
    try:
        return float(raw if isinstance(raw, str | int | float) else raw[0])
    except (TypeError, ValueError, IndexError):
        return None


def _from_bytes(raw: bytes) -> float | None:
    try:
        return float(raw.decode("ascii").strip("\0 ").split("\\")[0])
    except ValueError:
        form = {4: "<f", 8: "<d"}.get(len(raw))
        return float(struct.unpack(form, raw)[0]) if form else None


def kinds(places: Sequence[Any]) -> tuple[str, ...]:
    """The values of FrameType or ImageType, and what tells magnitude from phase."""
    raw = first(places, "FrameType", "ImageType")
    found = [raw] if isinstance(raw, str) else [str(value) for value in raw or []]
    component = first(places, "ComplexImageComponent")
    ge = number(first(places, _GE_KIND))
    found += [str(component)] if component is not None else []
    return (*found, *([_GE_KINDS.get(int(ge), "")] if ge is not None else []))


def b_value(places: Sequence[Any]) -> float | None:
    """Diffusion weighting in s/mm², wherever the vendor wrote it."""
    raw = first(places, "DiffusionBValue", *_B_VALUES)
    value = number(raw) if raw is not None else None
    return value % 100_000 if value is not None and value >= _GE_BIAS else value


def _direction(places: Sequence[Any]) -> Hashable:
    raw = first(places, "DiffusionGradientOrientation", *_DIRECTIONS)
    if raw is not None:
        return _plain(raw)
    for tags in _DIRECTION_PARTS:
        parts = tuple(_plain(first(places, tag)) for tag in tags)
        if any(part is not None for part in parts):
            return parts
    raw = first(places, "DiffusionDirectionality", _PHILIPS_DIRECTION, "SequenceName")
    return _plain(raw)


def _plain(raw: Any) -> Hashable:
    if raw is None or isinstance(raw, str | bytes):
        return raw
    try:
        return tuple(str(value) for value in raw)
    except TypeError:
        return str(raw)


def _by(*keys: Any) -> Callable[[Sequence[Any]], Hashable]:
    return lambda places: _plain(first(places, *keys))


def _numeric(*keys: str) -> Callable[[Sequence[Any]], Hashable]:
    return lambda places: number(first(places, *keys))


def _measured(name: str, unit: str = "") -> Callable[[Any, int], str]:
    def label(value: Any, place: int) -> str:
        return f"{name} {place}" if value is None else f"{name} {value:g}{unit}"

    return label


def _counted(name: str) -> Callable[[Any, int], str]:
    return lambda _value, place: f"{name} {place}"


def kind_name(values: Sequence[str]) -> str:
    """Plain name of what the values of ImageType say, from a closed list; "" for none of it."""
    names = [_KINDS[one.upper()] for one in values if one.upper() in _KINDS]
    return next((name for name in names if name != "magnitude"), names[0] if names else "")


def _kind_label(value: Any, place: int) -> str:
    return kind_name(value or ()) or f"kind {place}"


TRAITS: tuple[Trait, ...] = (
    Trait("kind", kinds, _kind_label),
    Trait("b", b_value, _measured("b")),
    Trait("direction", _direction, _counted("direction")),
    Trait("echo", _numeric("EffectiveEchoTime", "EchoTime"), _measured("TE", " ms")),
    Trait("echo number", _by("EchoNumbers"), _counted("echo")),
    Trait("inversion", _numeric("InversionTimes", "InversionTime"), _measured("TI", " ms")),
    Trait("flip", _numeric("FlipAngle"), _measured("flip", "°")),
    Trait("repetition", _numeric("RepetitionTime"), _measured("TR", " ms")),
    Trait("coil", _by("ReceiveCoilName", _COIL), _counted("coil")),
    Trait(
        "time",
        _numeric("TemporalPositionIndex", "TemporalPositionIdentifier"),
        _counted("time"),
    ),
    Trait(
        "trigger",
        _numeric("NominalCardiacTriggerDelayTime", "TriggerTime"),
        _counted("time"),
    ),
    Trait(
        "acquisition",
        _numeric("FrameAcquisitionNumber", "AcquisitionNumber"),
        _counted("acquisition"),
    ),
    Trait("stack", _by("StackID"), _counted("stack")),
)


def moment(places: Sequence[Any]) -> tuple[str, str, float]:
    """When a frame was taken, to put repeats at one place in order."""
    when = first(places, "FrameAcquisitionDateTime", "AcquisitionDateTime")
    if when is None:
        when = f"{first(places, 'AcquisitionDate') or ''}{first(places, 'AcquisitionTime') or ''}"
    counted = number(first(places, "FrameAcquisitionNumber", "AcquisitionNumber")) or 0.0
    return str(when), f"{counted:012.3f}", number(first(places, "InstanceNumber")) or 0.0
