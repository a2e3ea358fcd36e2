"""Grey levels: how what a network predicts becomes the whole numbers that are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthesis.data.subjects import FloatVolume, Mask
from synthesis.manifest import Pixels


@dataclass(frozen=True)
class OutputMapping:
    """How z-scores become stored grey levels.

    ``clip(round(offset + scale z), low, high)`` inside the brain mask, ``outside`` elsewhere; a
    level times ``slope`` is in the unit of the file.
    """

    offset: float = 1000.0
    scale: float = 200.0
    low: int = 1
    high: int = 4095
    outside: int = 0
    slope: float = 1.0

    @property
    def in_unit(self) -> bool:
        """Whether the levels stand for values in a unit, such as hundredths of mL/100 g."""
        return self.slope != 1.0

    def apply(self, z: FloatVolume, mask: Mask) -> Pixels:
        """Return int16 grey levels of z-scores (z, y, x)."""
        levels = np.clip(np.rint(self.offset + self.scale * z), self.low, self.high)
        return np.where(mask, levels, self.outside).astype(np.int16)


ZSCORE_MAPPING = OutputMapping()
_LEVELS_PER_UNIT = 100.0


def output_mapping(config: Any) -> OutputMapping:
    """Return how the output of a network becomes grey levels.

    z-scores by `ZSCORE_MAPPING`. A target with a unit of its own (``config.target_scale``) in
    hundredths of that unit: CBV of 4.25 mL/100 g is 425.
    """
    scale = getattr(config, "target_scale", None)
    if scale is None:
        return ZSCORE_MAPPING
    return OutputMapping(
        offset=0.0, scale=_LEVELS_PER_UNIT * scale, low=0, high=32767, slope=1 / _LEVELS_PER_UNIT
    )
