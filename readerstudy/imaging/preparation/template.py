"""The ICBM 152 (2009a, symmetric) average brain, as the package nilearn carries it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.preparation.records import Mask, PreparationError

NAME = "ICBM 152 2009a symmetric T1"
_FILE = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


@lru_cache(maxsize=1)
def template() -> Volume:
    """The average T1 of the brain without skull, 1 mm, LPS order, values 0 to 255.

    Raises
    ------
    PreparationError
        nilearn, which carries the file, is not installed.
    """
    return to_lps(load_nifti(_path()))


@lru_cache(maxsize=1)
def template_mask() -> Mask:
    """Brain of the template without holes, shape (z, y, x)."""
    return foreground(template().array)


@lru_cache(maxsize=1)
def template_sha256() -> str:
    """Digest of the template file, for records."""
    return hashlib.sha256(_path().read_bytes()).hexdigest()


def _path() -> Path:
    """Find the file without loading nilearn, which takes seconds."""
    package = find_spec("nilearn")
    folders = [] if package is None else list(package.submodule_search_locations or [])
    for folder in folders:
        path = Path(folder) / "datasets" / "data" / _FILE
        if path.is_file():
            return path
    advice = "Install nilearn 0.14 or a later release that carries it."
    raise PreparationError(f"the template {NAME} is not there", advice)


def brain_volume_ml() -> float:
    """Volume of the template's brain."""
    return float(template_mask().sum()) * float(np.prod(template().spacing_mm)) / 1e3
