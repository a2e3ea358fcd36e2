"""Relaxation times and proton densities at 3 T."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """One tissue: longitudinal and transverse relaxation time (s), proton density (water = 1)."""

    t1: float
    t2: float
    density: float


# Sources and ranges are listed in docs/algorithms/phantom.md.
WHITE = Tissue(0.85, 0.071, 0.70)
GREY = Tissue(1.35, 0.087, 0.83)
CSF = Tissue(4.30, 1.60, 1.00)
BLOOD = Tissue(1.85, 0.110, 0.85)
PLEXUS = Tissue(1.80, 0.20, 0.90)
DURA = Tissue(1.10, 0.035, 0.55)
TUMOUR = Tissue(1.50, 0.120, 0.86)
INFILTRATION = Tissue(1.50, 0.135, 0.85)
CLOT = Tissue(0.60, 0.035, 0.80)
NECROSIS = Tissue(2.60, 0.330, 0.95)
OEDEMA = Tissue(1.75, 0.190, 0.88)
PLAQUE = Tissue(1.50, 0.185, 0.87)

GADOLINIUM_R1 = 4.97  # 1/(mmol/l)/s, gadobutrol in plasma at 3 T
