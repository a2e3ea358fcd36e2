"""One made-up patient: four sequences, masks and the numbers that made them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.phantom import acquisition, composition, deformation, growth, lesions
from synthesis.phantom.anatomy import TEMPLATE_GRID, load_template
from synthesis.phantom.cortex import Ageing, Fractions, Head, carry_to_subject, make_fractions
from synthesis.phantom.grid import WORK_GRID, Float32, Grid, Triple
from synthesis.phantom.vessels import Vessels, make_vessels

VERSION = "1"
SEQUENCES = ("t1", "t1c", "t2", "flair")


@dataclass(frozen=True)
class Subject:
    """A made-up patient.

    Attributes
    ----------
    sequences : dict of int16 arrays (z, y, x)
        ``t1``, ``t1c``, ``t2``, ``flair``; 0 outside the brain mask, above 0 inside.
    masks : dict of uint8 arrays (z, y, x)
        What the lesion kind has: ``tumour``, ``enhancing``, ``necrosis``, ``oedema``, ``plaque``.
    brain_mask : uint8 array (z, y, x)
    affine : (4, 4) voxel (i=x, j=y, k=z) to RAS mm.
    description : dict
        Seed, version, lesion kind and foci, protocol and anatomy numbers (plain values).
    """

    sequences: dict[str, NDArray[np.int16]]
    masks: dict[str, NDArray[np.uint8]]
    brain_mask: NDArray[np.uint8]
    affine: NDArray[np.float64]
    description: dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Everything about a subject before the scanner sees it."""

    head: Head
    fractions: Fractions
    vessels: Vessels
    plan: lesions.Plan
    lesions: growth.LesionMaps
    textures: composition.Textures
    age: float
    ageing: Ageing
    shape: deformation.Shape


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Independent generators, so that a change in one step leaves the others alone."""
    if seed < 0:
        msg = f"seed must be a whole number of at least 0; got {seed}"
        raise ValueError(msg)
    names = ("person", "lesion", "cortex", "vessels", "growth", "texture", "protocol", "scanner")
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(child) for name, child in zip(names, children, strict=True)}


def _draw_person(rng: np.random.Generator) -> tuple[float, Ageing, deformation.Shape]:
    age = float(np.clip(rng.normal(55.0, 14.0), 22.0, 86.0))
    old = (age - 50.0) / 25.0
    ageing = Ageing(
        atrophy=float(np.clip(0.45 * old + rng.normal(0.0, 0.3), -0.9, 1.2)),
        caps=float(np.clip(0.25 + 0.25 * old + rng.normal(0.0, 0.15), 0.0, 1.0)),
    )
    widening = 0.6 + 1.1 * old + rng.normal(0.0, 0.9)
    left, right = np.clip(widening + rng.normal(0.0, 0.5, 2), -1.2, 4.0)
    shape = deformation.Shape(
        matrix=deformation.affine_matrix(rng, float(rng.normal(0.93, 0.02))),
        head=deformation.random_displacement(rng, deformation.HEAD_SCALES),
        brain=deformation.random_displacement(rng, deformation.BRAIN_SCALES),
        ventricle_mm=(float(left), float(right)),
    )
    return age, ageing, shape


def make_scene(seed: int, lesion: str | None = None) -> Scene:
    """Anatomy and lesions of one subject on the 1 mm working grid, without noise."""
    rngs = streams(seed)
    template = load_template()
    age, ageing, shape = _draw_person(rngs["person"])
    drawn = lesions.choose_kind(rngs["lesion"])
    plan = lesions.plan_lesions(rngs["lesion"], lesion or drawn, template)
    surfaces = deformation.Surfaces(template.ventricle, template.hull, TEMPLATE_GRID)
    calm = deformation.build_deformation(shape, surfaces)
    plan = lesions.place(plan, calm)
    pushed = deformation.build_deformation(shape, surfaces, lesions.masses(plan))
    head = carry_to_subject(template, pushed)
    fractions = make_fractions(rngs["cortex"], head, ageing)
    vessels = make_vessels(rngs["vessels"], template, pushed, head, fractions)
    grown = growth.grow(rngs["growth"], plan, head, fractions)
    textures = composition.draw_textures(rngs["texture"], head)
    return Scene(head, fractions, vessels, plan, grown, textures, age, ageing, shape)


def scene_signals(scene: Scene, protocol: composition.Protocol) -> dict[str, Float32]:
    """Noise-free signals on the box of the head, 0 outside it."""
    where = scene.fractions.inside > 0
    fractions = composition.only(scene.fractions, where)
    found = composition.only(scene.lesions, where)
    vessels = composition.only(scene.vessels, where)
    textures = composition.only(scene.textures, where)
    maps = composition.only(scene.head.maps, where)
    solid = composition.parameters(maps, fractions, found, textures, scene.ageing)
    flat = composition.noise_free(protocol, fractions, found, vessels, solid)
    volumes = {name: np.zeros(where.shape, np.float32) for name in flat}
    for name, values in flat.items():
        volumes[name][where] = values
    return volumes


def make_subject(
    seed: int, *, spacing_mm: Triple = (2.0, 1.0, 1.0), lesion: str | None = None
) -> Subject:
    """Make one patient, the same for the same seed, spacing and version.

    Parameters
    ----------
    seed : int
        At least 0.
    spacing_mm : tuple of float
        Voxel size (z, y, x), 0.3 to 12 mm.
    lesion : str, optional
        ``glioma``, ``metastases``, ``ms`` or ``none``; drawn from the seed if not given.

    Raises
    ------
    ValueError
        For a negative seed, an unknown lesion kind or an impossible spacing.
    """
    scene = make_scene(seed, lesion)
    rngs = streams(seed)
    protocol = composition.draw_protocol(rngs["protocol"])
    return scan_scene(scene, protocol, rngs["scanner"], seed=seed, spacing_mm=spacing_mm)


def scan_scene(
    scene: Scene,
    protocol: composition.Protocol,
    rng: np.random.Generator,
    *,
    seed: int,
    spacing_mm: Triple,
) -> Subject:
    """Put a scene into the scanner: blur, voxels, field, noise, integers.

    Parameters
    ----------
    scene : Scene
    protocol : Protocol
    rng : Generator
        Of the scanner: another one gives another examination of the same patient.
    seed : int
        Of the patient, for the description.
    spacing_mm : tuple of float
        Voxel size (z, y, x).
    """
    grid = WORK_GRID.resampled(spacing_mm)
    signals = scene_signals(scene, protocol)
    inside = _on_grid(scene.fractions.inside, scene.head, grid, 0.0) > 0.5
    sequences = {name: _scan(rng, signals[name], scene.head, grid, inside) for name in SEQUENCES}
    return Subject(
        sequences=sequences,
        masks=_masks(scene, grid, inside),
        brain_mask=inside.astype(np.uint8),
        affine=grid.affine,
        description=_describe(seed, scene, protocol, spacing_mm),
    )


def _on_grid(part: Float32, head: Head, grid: Grid, blur: float) -> Float32:
    """Put a box back into the working grid and sample it on the output grid."""
    return acquisition.resample(part, head.corner, WORK_GRID, grid, (blur, blur, blur))


def _scan(
    rng: np.random.Generator,
    signal: Float32,
    head: Head,
    grid: Grid,
    inside: NDArray[np.bool_],
) -> NDArray[np.int16]:
    blur = float(rng.uniform(0.25, 0.45))
    measured = _on_grid(signal, head, grid, blur)
    measured *= acquisition.bias_field(rng, grid, float(rng.uniform(0.04, 0.12)))
    typical = float(np.median(measured[inside]))
    sigma = typical * float(rng.uniform(0.010, 0.030))
    level = acquisition.noise_map(grid, inside, float(rng.uniform(0.1, 0.6)))
    noisy = acquisition.add_rician_noise(rng, measured, sigma * level)
    return acquisition.to_int16(noisy, inside, float(rng.uniform(250.0, 1100.0)), typical)


def _masks(scene: Scene, grid: Grid, inside: NDArray[np.bool_]) -> dict[str, NDArray[np.uint8]]:
    wanted = {
        "none": (),
        "ms": ("plaque", "enhancing"),
        "glioma": ("tumour", "enhancing", "necrosis", "oedema"),
        "metastases": ("tumour", "enhancing", "necrosis", "oedema"),
    }[scene.plan.kind]
    found = scene.lesions
    swollen = np.maximum(found.oedema / 0.8, found.infiltration)
    parts = {name: swollen if name == "oedema" else getattr(found, name) for name in wanted}
    return {
        name: ((_on_grid(part, scene.head, grid, 0.0) > 0.5) & inside).astype(np.uint8)
        for name, part in parts.items()
    }


def _describe(
    seed: int, scene: Scene, protocol: composition.Protocol, spacing_mm: Triple
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "seed": seed,
        "spacing_mm": list(spacing_mm),
        "age": round(scene.age, 1),
        "ventricle_mm": list(scene.shape.ventricle_mm),
        "lesion": scene.plan.kind,
        "foci": [_describe_focus(focus) for focus in scene.plan.foci],
        "protocol": asdict(protocol),
    }


def _describe_focus(focus: lesions.Focus) -> dict[str, Any]:
    """Plain numbers of one focus, its centre in RAS order (x, y, z), mm."""
    numbers = asdict(focus)
    numbers["centre_ras_mm"] = list(numbers.pop("centre_mm")[::-1])
    numbers["axis_ras"] = list(numbers.pop("axis")[::-1])
    if focus.size == 1.0:  # not followed over time
        del numbers["size"]
    return numbers
