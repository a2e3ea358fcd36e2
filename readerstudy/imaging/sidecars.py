"""Acquisition facts from the JSON file that converters and BIDS put beside a NIfTI file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from readerstudy.imaging.facts import facts_from_dicom
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.sequences import without_suffix

_MOST_BYTES = 2**20
_SECONDS = ("EchoTime", "RepetitionTime", "InversionTime")
_AS_THEY_ARE = (
    "MagneticFieldStrength",
    "FlipAngle",
    "SliceThickness",
    "MRAcquisitionType",
    "ScanningSequence",
    "Manufacturer",
)


def with_sidecar(volume: Volume, image: Path) -> Volume:
    """Add the facts of the JSON file beside an image, where there is a sound one.

    Parameters
    ----------
    volume : Volume
    image : Path
        The file the volume came from.

    Returns
    -------
    Volume
        With facts from the same closed list as for DICOM; everything else in the file is left.
    """
    return replace(volume, facts={**_facts(image), **volume.facts})


def _facts(image: Path) -> Any:
    file = image.with_name(f"{without_suffix(image.name)}.json")
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
        return {}
    try:
        notes = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return facts_from_dicom(_as_header(notes)) if isinstance(notes, dict) else {}


def _as_header(notes: dict[str, Any]) -> dict[str, Any]:
    """The notes under DICOM's keywords and in its units: milliseconds for seconds."""
    plain = {key: value for key, value in notes.items() if isinstance(value, str | int | float)}
    header = {key: plain[key] for key in _AS_THEY_ARE if key in plain}
    for key in _SECONDS:
        value = notes.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            header[key] = value * 1000
    if isinstance(notes.get("ContrastBolusIngredient"), str):
        header["ContrastBolusAgent"] = notes["ContrastBolusIngredient"]
    return header
