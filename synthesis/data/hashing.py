"""Fingerprints: of files, of arrays and of JSON records."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def canonical_json(value: Any) -> str:
    """Return the one spelling of ``value`` that is hashed: sorted keys, no spaces, no NaN.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: JSON has no word for either.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def json_sha256(value: Any) -> str:
    """Return the sha256 (hex) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of the bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_sha256(array: npt.NDArray[Any]) -> str:
    """Return the sha256 (hex) of an array's type, shape and values.

    The same values give the same hash whatever the byte order or memory layout they came in, so
    that a volume is recognised after it has been written to another container. The type counts:
    an int16 array and its float32 copy differ.

    Parameters
    ----------
    array : ndarray
        Any shape; numbers or booleans.
    """
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(canonical_json([plain.dtype.str, list(plain.shape)]).encode())
    digest.update(plain.data)
    return digest.hexdigest()
