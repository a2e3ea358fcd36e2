"""Made-up lesions: kinds, numbers, places and the make of each, drawn before they grow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthesis.phantom.anatomy import TEMPLATE_GRID, Template
from synthesis.phantom.deformation import Deformation, Mass
from synthesis.phantom.fields import sample
from synthesis.phantom.grid import Float32

KINDS = ("glioma", "metastases", "ms", "none")
SHARES = (0.55, 0.20, 0.15, 0.10)
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Focus:
    """One lesion, before it has grown.

    Attributes
    ----------
    centre_mm : tuple of float
        (z, y, x), mm; template space in a plan, subject space once placed.
    radius_mm : float
        Mean radius of the tumour or plaque.
    rim_mm : float
        Thickness of the living wall; at least the radius for a solid lesion.
    irregularity : float
        Relative amplitude of the noise on the border, 0 (ellipsoid) to about 0.5.
    oedema_mm : float
        How far oedema reaches in white matter.
    infiltration_mm : float
        Mean extent of non-enhancing tumour beyond the wall.
    uptake : float
        Concentration of contrast agent in the living part, mmol/l.
    fluid : float
        How much the core resembles free fluid, 0 (necrotic) to 1 (cyst).
    bleeding : float
        Share of old blood in its darkest spots, 0 to 1.
    push : float
        Strength of the mass effect, 0 to below 1.
    axis : tuple of float
        Long axis (z, y, x), unit length.
    elongation : float
        Long over short axis.
    size : float
        Linear share, above 0 to 1, of the size that the other numbers say: how far a tumour that
        is followed over time has grown or shrunk. Its shape stays.
    """

    centre_mm: Point
    radius_mm: float
    rim_mm: float
    irregularity: float
    oedema_mm: float = 0.0
    infiltration_mm: float = 0.0
    uptake: float = 0.0
    fluid: float = 0.3
    bleeding: float = 0.0
    push: float = 0.0
    axis: Point = (1.0, 0.0, 0.0)
    elongation: float = 1.0
    size: float = 1.0


@dataclass(frozen=True)
class Plan:
    """Kind (one of ``KINDS``) and foci of one subject."""

    kind: str
    foci: tuple[Focus, ...] = ()


def choose_kind(rng: np.random.Generator) -> str:
    """Draw a lesion kind with the shares of ``SHARES``."""
    return str(rng.choice(KINDS, p=SHARES))


def plan_lesions(rng: np.random.Generator, kind: str, template: Template) -> Plan:
    """Draw number, place and make of the lesions in template space.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind not in KINDS:
        msg = f"lesion must be one of {', '.join(KINDS)}; got {kind!r}"
        raise ValueError(msg)
    makers = {"glioma": _plan_glioma, "metastases": _plan_metastases, "ms": _plan_plaques}
    foci = makers[kind](rng, template) if kind in makers else ()
    return Plan(kind, foci)


def _candidates(where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Template points (n, 3) in (z, y, x), mm, of a mask on every third voxel."""
    cells = np.argwhere(where[::3, ::3, ::3]) * 3
    if len(cells) == 0:
        msg = "no place in the template satisfies the rule of this lesion kind"
        raise RuntimeError(msg)
    return cells * np.array(TEMPLATE_GRID.spacing_mm) + np.array(TEMPLATE_GRID.origin_mm)


def _pick(rng: np.random.Generator, points: NDArray[np.float64]) -> Point:
    z, y, x = points[rng.integers(len(points))] + rng.uniform(-1.5, 1.5, 3)
    return float(z), float(y), float(x)


def _random_axis(rng: np.random.Generator) -> Point:
    z, y, x = (vector := rng.normal(size=3)) / np.linalg.norm(vector)
    return float(z), float(y), float(x)


def _plan_glioma(rng: np.random.Generator, template: Template) -> tuple[Focus, ...]:
    """One ring-enhancing mass in hemispheric white matter, often with satellites."""
    z, _, x = TEMPLATE_GRID.axes()
    lobar = (np.abs(x) > 17) & (z > -24) & (z < 50) & (template.cerebellum < 0.1)
    where = (template.white_probit > 1.0) & lobar & (template.hull > 11) & (template.hull < 34)
    where &= template.ventricle < -5.0
    radius = float(np.clip(rng.lognormal(np.log(16.5), 0.28), 9.0, 27.0))
    main = Focus(
        centre_mm=_pick(rng, _candidates(where)),
        radius_mm=radius,
        rim_mm=float(np.clip(rng.gamma(5.0, 0.05), 0.10, 0.60) * radius),
        irregularity=float(rng.uniform(0.22, 0.40)),
        oedema_mm=float(np.clip(rng.normal(22.0, 8.0), 5.0, 40.0)),
        infiltration_mm=float(rng.uniform(1.0, 6.0)),
        uptake=float(rng.uniform(0.14, 0.40)),
        fluid=float(rng.beta(1.2, 2.6)),
        bleeding=float(rng.uniform(0.3, 0.9) if rng.random() < 0.3 else 0.0),
        push=float(rng.uniform(0.25, 0.55)),
        axis=_random_axis(rng),
        elongation=float(rng.uniform(1.0, 1.5)),
    )
    return (main, *_satellites(rng, main))


def _satellites(rng: np.random.Generator, main: Focus) -> list[Focus]:
    out = []
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
        radius = float(rng.uniform(0.18, 0.42) * main.radius_mm)
        shift = np.array(_random_axis(rng)) * (main.radius_mm + radius * rng.uniform(0.4, 1.8))
        z, y, x = np.array(main.centre_mm) + shift
        out.append(
            replace(
                main,
                centre_mm=(float(z), float(y), float(x)),
                radius_mm=radius,
                rim_mm=float(rng.uniform(0.3, 1.0) * radius),
                oedema_mm=0.0,
                infiltration_mm=0.0,
                push=0.0,
            )
        )
    return out


def _plan_metastases(rng: np.random.Generator, template: Template) -> tuple[Focus, ...]:
    """One to seven round foci, mostly at the grey-white junction of the hemispheres."""
    hemisphere = (template.cerebellum < 0.05) & (template.deep < 0.3) & (template.hull > 4)
    junction = hemisphere & (np.abs(template.white_probit - 0.6) < 0.7) & (template.hull < 22)
    cerebellar = (template.cerebellum > 0.9) & (template.hull > 9) & (template.csf < 0.1)
    cerebral, hind = _candidates(junction), _candidates(cerebellar)
    count = int(np.clip(rng.geometric(0.38), 1, 7))
    foci = []
    for number in range(count):
        largest = np.log(10.5 if number == 0 else 4.6)
        radius = float(np.clip(rng.lognormal(largest, 0.4), 2.2, 19.0))
        cystic = radius > 6.0 and rng.random() < 0.7
        foci.append(
            Focus(
                centre_mm=_pick(rng, hind if rng.random() < 0.15 else cerebral),
                radius_mm=radius,
                rim_mm=float(rng.uniform(0.16, 0.5) if cystic else 1.2) * radius,
                irregularity=float(rng.uniform(0.06, 0.18)),
                oedema_mm=float(rng.gamma(2.5, 0.65 * radius**0.75)),
                uptake=float(rng.uniform(0.18, 0.5)),
                fluid=float(rng.beta(2.0, 1.6)),
                push=float(np.clip(0.035 * radius, 0.0, 0.45)),
                axis=_random_axis(rng),
                elongation=float(rng.uniform(1.0, 1.25)),
            )
        )
    return tuple(foci)


def _plan_plaques(rng: np.random.Generator, template: Template) -> tuple[Focus, ...]:
    """Ovoid plaques: periventricular (across the ventricle wall), juxtacortical, deep, hind."""
    white = (template.white_probit > 0.8) & (template.deep < 0.9)
    far = -template.ventricle
    outer = (template.hull < 14) & (template.cerebellum < 0.1)
    z, _, _ = TEMPLATE_GRID.axes()
    places = [
        (0.56, _candidates((far > 1.0) & (far < 7.0) & white & (z > -5))),
        (0.18, _candidates(white & outer & (far > 6.0))),
        (0.18, _candidates(white & (far > 7.0) & (far < 22.0) & (z > 0))),
        (0.08, _candidates((template.cerebellum > 0.9) & (template.myelin > 0.8))),
    ]
    shares = np.array([share for share, _ in places])
    count = int(np.clip(rng.lognormal(np.log(28), 0.6), 6, 90))
    slopes = tuple(np.gradient(template.ventricle[::2, ::2, ::2], 2.0))
    foci = []
    for _ in range(count):
        centre = _pick(rng, places[int(rng.choice(len(places), p=shares))][1])
        active = rng.random() < 0.12
        foci.append(
            Focus(
                centre_mm=centre,
                radius_mm=float(np.clip(rng.lognormal(np.log(3.0), 0.42), 1.6, 9.0)),
                rim_mm=float(rng.uniform(0.9, 3.0)),
                irregularity=float(rng.uniform(0.15, 0.4)),
                uptake=float(rng.uniform(0.12, 0.35)) if active else 0.0,
                fluid=float(rng.beta(1.2, 2.2)),
                axis=_axis_from(slopes, centre),
                elongation=float(rng.uniform(1.2, 2.4)),
            )
        )
    return tuple(foci)


def _axis_from(slopes: tuple[Float32, ...], centre: Point) -> Point:
    index = TEMPLATE_GRID.index(np.array([centre])) / np.float32(2.0)
    vector = np.array([float(sample(slope, index)[0]) for slope in slopes])
    z, y, x = vector / max(float(np.linalg.norm(vector)), 1e-3)
    return float(z), float(y), float(x)


def place(plan: Plan, deformation: Deformation) -> Plan:
    """The plan with its centres moved into the subject's space."""
    if not plan.foci:
        return plan
    centres = deformation.to_subject(np.array([focus.centre_mm for focus in plan.foci]))
    moved = tuple(
        replace(focus, centre_mm=(float(z), float(y), float(x)))
        for focus, (z, y, x) in zip(plan.foci, centres, strict=True)
    )
    return Plan(plan.kind, moved)


def masses(plan: Plan) -> tuple[Mass, ...]:
    """Mass effect of the placed foci."""
    return tuple(
        Mass(focus.centre_mm, 1.05 * focus.radius_mm + 0.2 * focus.oedema_mm, focus.push)
        for focus in plan.foci
        if focus.push > 0
    )
