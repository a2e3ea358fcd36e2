"""FID and KID of drawn images while a generator trains, by features of a named extractor.

The extractor's weights come from this machine alone. Where none were added or trained, a built-in
network with fixed random weights stands in: such features follow the course of a training (Naeem
2020, arXiv 2002.09797, uses them for images unlike photographs) and say little of realism.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from synthesis.metrics.distributions import frechet_distance, kernel_distance, mmd2
from synthesis.metrics.extractors import BUILT_IN, SELF, Extractor, installed, load_extractor
from synthesis.metrics.paired import UndefinedMetricError

PRESET = "training-sets/1"
AUTO, NONE = "auto", "none"
METRICS = ("fid", "kid")
_LARGEST_WHOLE = 2000  # of more images KID is a mean over parts
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SetScorer:
    """Scores sets of images by one extractor.

    Attributes
    ----------
    extractor : Extractor
    """

    extractor: Extractor

    def features(self, images: Tensor) -> FloatArray:
        """Return features (n, C d) of images (n, C, H, W) in [-1, 1]: those of the C channels
        side by side, so that sequences which do not belong together count as well.
        """
        shown = ((images.float().cpu() + 1) / 2).clamp(0, 1).numpy()
        channels = range(shown.shape[1])
        return np.concatenate([self.extractor.features(shown[:, one]) for one in channels], axis=1)

    def scores(self, made: FloatArray, real: FloatArray) -> dict[str, float]:
        """Return ``fid`` and ``kid`` of two tables of features; NaN with too few images."""
        try:
            fid = frechet_distance(real, made)
        except UndefinedMetricError:
            return dict.fromkeys(METRICS, math.nan)
        few = min(len(made), len(real)) <= _LARGEST_WHOLE
        return {
            "fid": fid,
            "kid": mmd2(real, made) if few else kernel_distance(real, made).value,
        }

    @property
    def preset(self) -> str:
        """Name of the scores, with the extractor and the beginning of its fingerprint."""
        return f"{PRESET} {self.extractor.label}"

    def about(self) -> dict[str, Any]:
        """Return which extractor it is, for the log."""
        known = self.extractor.describe()
        return {name: known[name] for name in ("name", "architecture", "weights_sha256")}


def choose_scorer(name: str, folder: Path | None) -> SetScorer | None:
    """Return the scorer of a run.

    Parameters
    ----------
    name : str
        "none"; the name of an extractor; or "auto": the first by name of those that were added,
        else the one that was trained here ("self"), else the built-in one.
    folder : Path or None
        Holds the extractors; None where there is no such folder.

    Raises
    ------
    ExtractorError
        If it is not there or was changed.
    """
    if name == NONE:
        return None
    known = installed(folder) if folder else []
    chosen = name if name != AUTO else next(iter(sorted(known, key=_rank)), BUILT_IN)
    return SetScorer(load_extractor(chosen, folder or Path()))


def _rank(name: str) -> tuple[bool, str]:
    return name == SELF, name
