"""What the guard and its reading process say to each other: JSON, and raw numbers in a file.

Nothing is pickled, and every answer is checked, so that a reading process that went wrong can
hand back a wrong picture at worst.
"""

import mmap
import os
import struct
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from readerstudy.imaging import errors
from readerstudy.imaging.errors import ImageError, UnreadableError
from readerstudy.imaging.geometry import Array, Volume
from readerstudy.imaging.volumes import FoundSeries

Json = dict[str, Any]
ARRAY_FILE = "array"
MARKER_FILE = "marker"
MARKER_BYTES = 8192
_PLACE = struct.Struct("<QI")


class Marker:
    """A page of memory shared by both processes that names the file being read."""

    def __init__(self, folder: Path) -> None:
        path = folder / MARKER_FILE
        if not path.exists():
            path.write_bytes(bytes(MARKER_BYTES))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), MARKER_BYTES)

    def put(self, path: str) -> None:
        """Name the file that is read from now on; empty for none."""
        name = os.fsencode(path)[: MARKER_BYTES - _PLACE.size]
        count = self.count + 1
        self._page[_PLACE.size : _PLACE.size + len(name)] = name
        self._page[: _PLACE.size] = _PLACE.pack(count, len(name))

    @property
    def count(self) -> int:
        """How often a file was named."""
        return int(_PLACE.unpack(self._page[: _PLACE.size])[0])

    @property
    def path(self) -> str:
        """The file named last."""
        length = _PLACE.unpack(self._page[: _PLACE.size])[1]
        return os.fsdecode(self._page[_PLACE.size : _PLACE.size + length])


def found_to_json(found: FoundSeries) -> Json:
    """Describe a found series."""
    return {**asdict(found), "paths": [str(path) for path in found.paths]}


def found_from_json(told: Json) -> FoundSeries:
    """Make a found series of its description."""
    values = _known(FoundSeries, told)
    return FoundSeries(**{**values, "paths": tuple(Path(path) for path in told["paths"])})


def volume_to_json(volume: Volume, folder: Path) -> Json:
    """Write the numbers of a volume to the folder and describe the rest."""
    array = volume.array
    with (folder / ARRAY_FILE).open("wb") as file:
        for plane in array:  # plane by plane: a view in another order is never copied whole
            file.write(np.ascontiguousarray(plane).data)
    rest = {name: value for name, value in vars(volume).items() if name != "array"}
    return {
        **rest,
        "affine_lps": volume.affine_lps.tolist(),
        "facts": dict(volume.facts),
        "dtype": array.dtype.str,
        "shape": list(array.shape),
    }


def volume_from_json(told: Json, folder: Path) -> Volume:
    """Make a volume of its description; the file with its numbers vanishes with the array."""
    values = _known(Volume, told)
    values["affine_lps"] = np.asarray(told["affine_lps"], dtype=np.float64).reshape(4, 4)
    values["array"] = _mapped(folder / ARRAY_FILE, np.dtype(told["dtype"]), told["shape"])
    return Volume(**values)


def _mapped(path: Path, dtype: np.dtype[Any], shape: list[int]) -> Array:
    expected = dtype.itemsize * int(np.prod([int(length) for length in shape], dtype=object))
    if dtype.kind not in "biuf" or len(shape) != 3 or path.stat().st_size != expected:
        raise ValueError("the numbers handed back do not fit their description")
    mapped = np.memmap(path, dtype=dtype, mode="c", shape=tuple(shape))
    path.unlink()
    return np.asarray(mapped)


def error_to_json(error: ImageError) -> Json:
    """Describe an error."""
    kind = type(error).__name__
    return {"kind": kind, "path": error.path, "reason": error.reason, "advice": error.advice}


def error_from_json(told: Json) -> ImageError:
    """Make an error of its description."""
    kind = getattr(errors, told["kind"], UnreadableError)
    if not (isinstance(kind, type) and issubclass(kind, ImageError)):
        kind = UnreadableError
    return kind(told["path"], told["reason"], told["advice"])


def _known(kind: type[Any], told: Json) -> Json:
    """Values for the fields of a dataclass; JSON knows lists only, dataclasses hold tuples."""
    names = {field.name for field in fields(kind)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told.items()
        if name in names
    }
