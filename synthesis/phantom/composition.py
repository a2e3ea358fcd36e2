"""From tissue shares to noise-free signals of the four sequences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from synthesis.phantom import signal, tissue
from synthesis.phantom.anatomy import Template
from synthesis.phantom.cortex import Ageing, Fractions, Head, radial_noise
from synthesis.phantom.fields import random_field, smoothstep
from synthesis.phantom.grid import Float32
from synthesis.phantom.growth import LesionMaps
from synthesis.phantom.vessels import Vessels

Maps = TypeVar("Maps", Template, Fractions, LesionMaps, Vessels, "Textures")


@dataclass(frozen=True)
class Protocol:
    """Settings of one examination; times in seconds, angles in degrees.

    Attributes
    ----------
    t1_style : str
        ``mprage`` (strong grey-white contrast) or ``spgr`` (weak, as spin echo looks).
    t1_tr, t1_ti, t1_flip : T1 and T1c repetition, inversion (MPRAGE only) and flip angle.
    t2_tr, t2_te : T2 turbo spin echo.
    flair_tr, flair_te : FLAIR; its TI nulls cerebrospinal fluid.
    blood_mmol : concentration of the agent in blood, mmol/l.
    flow : share of the blood signal left in T2 and FLAIR (flow void).
    """

    t1_style: str
    t1_tr: float
    t1_ti: float
    t1_flip: float
    t2_tr: float
    t2_te: float
    flair_tr: float
    flair_te: float
    blood_mmol: float
    flow: float


@dataclass(frozen=True)
class Textures:
    """Unit noise: ``grain`` of living tissue, ``patches`` of periventricular change."""

    grain: Float32
    patches: Float32


@dataclass(frozen=True)
class Parameters:
    """Voxel-wise relaxation times (s), density and uptake (mmol/l) of the solid part."""

    t1: Float32
    t2: Float32
    density: Float32
    uptake: Float32


def draw_protocol(rng: np.random.Generator) -> Protocol:
    """Draw plausible 3 T settings."""
    style = "mprage" if rng.random() < 0.65 else "spgr"
    mprage = style == "mprage"
    return Protocol(
        t1_style=style,
        t1_tr=float(rng.uniform(1.9, 2.4) if mprage else rng.uniform(0.018, 0.026)),
        t1_ti=float(rng.uniform(0.90, 1.05)),
        t1_flip=float(rng.uniform(8.0, 10.0) if mprage else rng.uniform(20.0, 27.0)),
        t2_tr=float(rng.uniform(4.0, 6.0)),
        t2_te=float(rng.uniform(0.095, 0.115)),
        flair_tr=float(rng.uniform(8.0, 10.0)),
        flair_te=float(rng.uniform(0.110, 0.140)),
        blood_mmol=float(rng.uniform(0.7, 1.3)),
        flow=float(rng.uniform(0.02, 0.25)),
    )


def draw_textures(rng: np.random.Generator, head: Head) -> Textures:
    """Noise for a volume: grain of tissue, and where periventricular caps are thick.

    The grain has slow and fine parts and radial streaks, as fibres and medullary veins run.
    """
    shape = head.grid.shape
    slow = random_field(rng, shape, 22.0)
    fine = random_field(rng, shape, 5.0, 1.6)
    streaks = radial_noise(rng, head, 4.5, (head.maps.hull > 5.0) & (head.maps.deep < 0.5))
    return Textures(0.6 * slow + 0.6 * fine + 0.7 * streaks, random_field(rng, shape, 18.0))


def only(maps: Maps, where: NDArray[np.bool_]) -> Maps:
    """The same maps as flat arrays of the voxels in ``where``."""
    kept = {field.name: getattr(maps, field.name)[where] for field in fields(maps)}
    return type(maps)(**kept)


def parameters(
    maps: Template,
    fractions: Fractions,
    lesions: LesionMaps,
    textures: Textures,
    ageing: Ageing,
) -> Parameters:
    """Blend relaxation rates of grey matter, white matter, iron and lesion parts.

    All maps have one common shape, a volume or flat voxels (see ``only``).
    """
    white = np.clip(fractions.white, -0.15, 1.2)
    grey, wm = tissue.GREY, tissue.WHITE
    r1 = (1 - white) / grey.t1 + white / wm.t1
    r2 = (1 - white) / grey.t2 + white / wm.t2
    r2 += 4.0 * maps.iron + 1.3 * maps.deep * (1 - white)
    density = (1 - white) * grey.density + white * wm.density
    layers = [
        (_caps(maps, fractions, textures, ageing), tissue.OEDEMA),
        (0.85 * lesions.oedema, tissue.OEDEMA),
        (0.75 * lesions.infiltration, tissue.INFILTRATION),
        (lesions.plaque * (0.6 + 0.4 * lesions.fluid), tissue.PLAQUE),
        (lesions.tumour, tissue.TUMOUR),
        (lesions.necrosis * np.clip(0.82 + 0.25 * textures.grain, 0.3, 1.0), tissue.NECROSIS),
        (lesions.clot, tissue.CLOT),
    ]
    for share, part in layers:
        r1 += share * (1.0 / part.t1 - r1)
        r2 += share * (1.0 / part.t2 - r2)
        density += share * (part.density - density)
    cyst = 0.8 * lesions.fluid * lesions.necrosis
    r1 += cyst * (1.0 / tissue.CSF.t1 - r1)
    r2 += cyst * (0.9 - r2)
    rough = 0.020 + 0.10 * lesions.tumour + 0.05 * lesions.oedema + 0.06 * lesions.plaque
    modulation = np.exp(rough * textures.grain)
    return Parameters(1.0 / (r1 * modulation), 1.0 / (r2 * modulation), density, lesions.uptake)


def _caps(maps: Template, fractions: Fractions, textures: Textures, ageing: Ageing) -> Float32:
    """Thin bright caps and bands along the ventricles, wider with age."""
    away = np.maximum(-maps.ventricle, 0.0)
    uneven = smoothstep(0.55 + 0.5 * textures.patches)
    band = np.exp(-np.square(away / (1.2 + 3.5 * ageing.caps))) * uneven
    return band * (0.25 + 0.5 * ageing.caps) * smoothstep((fractions.white - 0.5) / 0.4)


def _t1_weighted(protocol: Protocol, density: Float32, t1: Float32) -> Float32:
    flip = float(np.deg2rad(protocol.t1_flip))
    if protocol.t1_style == "mprage":
        made = signal.mprage(
            density,
            t1,
            tr=protocol.t1_tr,
            ti=protocol.t1_ti,
            echo_spacing=0.0072,
            pulses=176,
            flip=flip,
        )
        return np.abs(made)
    return signal.spoiled_gradient_echo(density, t1, tr=protocol.t1_tr, flip=flip)


def _signals(protocol: Protocol, part: Parameters) -> dict[str, Float32]:
    """Signed signals of one set of parameters, before mixing."""
    t1c = signal.with_gadolinium(part.t1, part.uptake, tissue.GADOLINIUM_R1)
    ti = signal.null_inversion_time(tissue.CSF.t1, protocol.flair_tr)
    flair = signal.flair(
        part.density, part.t1, part.t2, tr=protocol.flair_tr, te=protocol.flair_te, ti=ti
    )
    return {
        "t1": _t1_weighted(protocol, part.density, part.t1),
        "t1c": _t1_weighted(protocol, part.density, t1c),
        "t2": signal.turbo_spin_echo(
            part.density, part.t1, part.t2, tr=protocol.t2_tr, te=protocol.t2_te
        ),
        "flair": flair,
    }


def _constant(kind: tissue.Tissue, uptake: float) -> Parameters:
    numbers = (kind.t1, kind.t2, kind.density, uptake)
    t1, t2, density, agent = (np.array([number], np.float32) for number in numbers)
    return Parameters(t1, t2, density, agent)


def noise_free(
    protocol: Protocol,
    fractions: Fractions,
    lesions: LesionMaps,
    vessels: Vessels,
    solid: Parameters,
) -> dict[str, Float32]:
    """Signed signals of tissue and lesions, fluid, blood, plexus and dura, mixed by their shares.

    Inverted fluid cancels tissue in a voxel that holds both, as in a real magnitude image.
    """
    blood = np.minimum(vessels.artery + vessels.vein, 1.0)
    plexus = vessels.plexus * (1.0 - blood)
    dura = vessels.dura * (1.0 - blood) * (1.0 - plexus)
    rest = 1.0 - np.minimum(blood + plexus + dura, 1.0)
    fluid = fractions.csf * (1.0 - lesions.tumour) * rest
    shares = {"csf": fluid, "blood": blood, "plexus": plexus, "dura": dura, "solid": rest - fluid}
    parts = {
        "solid": _signals(protocol, solid),
        "csf": _signals(protocol, _constant(tissue.CSF, 0.0)),
        "blood": _signals(protocol, _constant(tissue.BLOOD, protocol.blood_mmol)),
        "plexus": _signals(protocol, _constant(tissue.PLEXUS, 0.6 * protocol.blood_mmol)),
        "dura": _signals(protocol, _constant(tissue.DURA, 0.4 * protocol.blood_mmol)),
    }
    parts["csf"]["flair"] = parts["csf"]["flair"] + np.float32(0.012)
    for name in ("t2", "flair"):
        parts["blood"][name] = parts["blood"][name] * np.float32(protocol.flow)
    return {
        name: sum(shares[part] * parts[part][name] for part in shares) * fractions.inside
        for name in ("t1", "t1c", "t2", "flair")
    }
