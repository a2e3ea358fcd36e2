"""How planned lesions grow in one head, and what they leave in each voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from synthesis.phantom.cortex import Fractions, Head
from synthesis.phantom.fields import double, random_field, smoothstep
from synthesis.phantom.grid import Float32
from synthesis.phantom.lesions import Focus, Plan

Window = tuple[slice, slice, slice]
MM_PER_STEP = 0.543  # speed of the oedema front, see ``spread``


@dataclass(frozen=True)
class LesionMaps:
    """Share of the parenchyma taken by each lesion part, 0 to 1; the uptake is in mmol/l."""

    tumour: Float32
    necrosis: Float32
    enhancing: Float32
    infiltration: Float32
    oedema: Float32
    plaque: Float32
    uptake: Float32
    fluid: Float32
    clot: Float32


@dataclass(frozen=True)
class Site:
    """One focus and the box of the head in which it grows."""

    focus: Focus
    head: Head
    fractions: Fractions
    window: Window

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the box."""
        z, y, x = (part.stop - part.start for part in self.window)
        return z, y, x

    @property
    def white(self) -> Float32:
        """Share of white matter in the box."""
        return self.fractions.white[self.window]

    @property
    def solid(self) -> Float32:
        """Share of the voxel that is not fluid."""
        return 1.0 - self.fractions.csf[self.window]

    @property
    def centre(self) -> tuple[int, int, int]:
        """Voxel of the head's box nearest to the centre of the focus."""
        nearest = np.rint(self.head.grid.index(np.array([self.focus.centre_mm]))[:, 0])
        z, y, x = (
            int(np.clip(i, 0, n - 1)) for i, n in zip(nearest, self.head.grid.shape, strict=True)
        )
        return z, y, x


def grow(rng: np.random.Generator, plan: Plan, head: Head, fractions: Fractions) -> LesionMaps:
    """Grow every focus in its own box and join them; see docs/algorithms/phantom.md."""
    names = LesionMaps.__dataclass_fields__
    maps = {name: np.zeros(head.grid.shape, np.float32) for name in names}
    make = _grow_plaque if plan.kind == "ms" else _grow_tumour
    for focus in plan.foci:
        window = _window(focus, head)
        for name, part in make(rng, Site(focus, head, fractions, window)).items():
            view = maps[name][window]
            np.maximum(view, part, out=view)
    for outer, inner in (
        ("oedema", "tumour"),
        ("infiltration", "tumour"),
        ("enhancing", "necrosis"),
        ("uptake", "necrosis"),
    ):
        maps[outer] *= 1.0 - maps[inner]
    return LesionMaps(**maps)


def _window(focus: Focus, head: Head) -> Window:
    reach = 1.5 * focus.radius_mm * focus.elongation**0.67 + focus.oedema_mm + focus.infiltration_mm
    reach += 6.0
    middle = np.rint(head.grid.index(np.array([focus.centre_mm]))[:, 0]).astype(int)
    z, y, x = (
        slice(max(centre - int(reach), 0), min(centre + int(reach) + 1, count))
        for centre, count in zip(middle, head.grid.shape, strict=True)
    )
    return z, y, x


def _elliptic_distance(site: Site) -> Float32:
    """Distance from the centre, mm, with the long axis shortened at equal volume."""
    focus, grid = site.focus, site.head.grid
    axes = [grid.axis(i)[part] - focus.centre_mm[i] for i, part in enumerate(site.window)]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    along = focus.axis[0] * z + focus.axis[1] * y + focus.axis[2] * x
    across = z * z + y * y + x * x - along * along
    stretch = focus.elongation ** (2.0 / 3.0)
    square = across * stretch + np.square(along / stretch)
    return np.sqrt(np.maximum(square, 0.0)).astype(np.float32)


def _border_noise(rng: np.random.Generator, shape: tuple[int, int, int], radius: float) -> Float32:
    """Lobes, bumps and fringe: three octaves of unit noise scaled by the radius."""
    lobes = random_field(rng, shape, max(2.2 * radius, 5.0))
    bumps = random_field(rng, shape, max(0.9 * radius, 4.0))
    fringe = random_field(rng, shape, 4.0, 1.5)
    return 0.72 * lobes + 0.5 * bumps + np.float32(min(0.2, 1.1 / radius)) * fringe


def _room(site: Site) -> Float32:
    """Distance, mm, to what a tumour does not cross: ventricle, falx, tentorium, skull."""
    maps, window = site.head.maps, site.window
    x = site.head.position[2]
    side = np.float32(1.0 if x[site.centre] > 0 else -1.0)
    callosal = smoothstep(maps.white_probit[window] - 0.5) * maps.deep[window]
    room = side * x[window] - 0.5 + 25.0 * callosal
    room = np.minimum(room, -maps.ventricle[window] - 0.7)
    own = 1.0 if maps.cerebellum[site.centre] > 0.5 else -1.0
    tent = own * (maps.cerebellum[window] - 0.5)
    room = np.minimum(room, np.where(tent > 0.4, 99.0, tent * 5.0 - 0.3))
    return np.minimum(room, maps.hull[window] - 0.8).astype(np.float32)


def _grow_tumour(rng: np.random.Generator, site: Site) -> dict[str, Float32]:
    """Wall, core, infiltration and oedema from one noisy signed distance."""
    focus, shape, room = site.focus, site.shape, _room(site)
    noise = _drawn_in(_border_noise(rng, shape, focus.radius_mm), site)
    radius = focus.size * focus.radius_mm
    free = radius * (1.0 + focus.irregularity * noise) - _elliptic_distance(site)
    level = np.minimum(free, room)
    tumour = smoothstep(level / 1.6 + 0.5)
    necrosis = _necrosis(rng, site, level)
    living = tumour * (1.0 - necrosis)
    patches = random_field(rng, shape, max(0.8 * focus.radius_mm, 4.0))
    vivid = 0.3 + 0.7 * smoothstep(0.6 + 0.55 * patches)
    beyond = site.solid * (1.0 - tumour)
    parts = {
        "tumour": tumour,
        "necrosis": necrosis,
        "enhancing": living,
        "uptake": np.float32(focus.uptake) * living * vivid,
        "fluid": np.float32(focus.fluid) * necrosis,
    }
    if focus.infiltration_mm > 0:
        parts["infiltration"] = _infiltration(rng, focus, level, room) * beyond
    if focus.bleeding > 0:
        spots = smoothstep((random_field(rng, shape, 9.0) - 1.3) / 0.7)
        parts["clot"] = np.float32(focus.bleeding) * spots * tumour
    if focus.oedema_mm > 0:
        parts["oedema"] = _oedema(rng, site, tumour, level) * beyond
    return parts


def _necrosis(rng: np.random.Generator, site: Site, level: Float32) -> Float32:
    """Core inside a wall whose thickness varies log-normally, with a ragged inner face."""
    focus, shape = site.focus, site.shape
    uneven = _drawn_in(_border_noise(rng, shape, 0.55 * focus.radius_mm + 2.0), site)
    wall = focus.size * focus.rim_mm * np.exp(0.7 * uneven)
    ragged = np.float32(2.2 * focus.irregularity) * random_field(rng, shape, 5.0, 1.6)
    ragged = np.float32(focus.size) * _drawn_in(ragged, site)
    return smoothstep((level - np.maximum(wall, 1.4) + ragged) / 1.4 + 0.5)


def _drawn_in(noise: Float32, site: Site) -> Float32:
    """Noise as at full size, drawn in towards the centre: a smaller tumour keeps its shape."""
    size = site.focus.size
    if size == 1.0:
        return noise
    middle = site.head.grid.index(np.array([site.focus.centre_mm]))[:, 0]
    axes = [
        m - part.start + (np.arange(count) - (m - part.start)) / size
        for m, part, count in zip(middle, site.window, site.shape, strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    drawn: Float32 = ndimage.map_coordinates(noise, grid, order=1, mode="nearest")
    return drawn


def _infiltration(rng: np.random.Generator, focus: Focus, level: Float32, room: Float32) -> Float32:
    shape = (level.shape[0], level.shape[1], level.shape[2])
    extent = (
        focus.size
        * focus.infiltration_mm
        * (1.0 + 1.3 * random_field(rng, shape, 1.3 * focus.radius_mm))
    )
    reach = np.minimum(level + np.maximum(extent, 0.0), room)
    return smoothstep(reach / 4.0 + 0.3)


def _oedema(rng: np.random.Generator, site: Site, tumour: Float32, level: Float32) -> Float32:
    """Fluid that spreads along white matter from the tumour; see ``spread``."""
    deep = site.head.maps.deep[site.window]
    easy = smoothstep((site.white - 0.35) / 0.5) * site.solid * (1.0 - 0.75 * deep)
    easy *= np.exp(0.5 * random_field(rng, site.shape, 18.0))
    # Grey matter between the fingers delays the front; 1.4 makes up for it on average.
    reached = spread(tumour, easy, 1.4 * site.focus.size * site.focus.oedema_mm)
    tracts = 0.08 + 0.92 * smoothstep((site.white - 0.3) / 0.45)
    fading = 0.62 + 0.38 * np.exp(np.minimum(level, 0.0) / 14.0)
    return (smoothstep((reached - 0.2) / 0.6) * tracts * fading).astype(np.float32)


def spread(source: Float32, conductivity: Float32, reach_mm: float) -> Float32:
    """Front of a Fisher-KPP equation du/dt = div(D grad u) + rho u (1 - u), from a source.

    Solved on 2 mm voxels with rho = 0.15 and D = 0.15 times ``conductivity`` per step. Where the
    conductivity is 1 the front moves by the minimum over k of
    ln(1 + rho + D (2 cosh k - 2)) / k = 0.27 voxels per step.

    Parameters
    ----------
    source : numpy.ndarray
        Held at its value throughout, 0 to 1, 1 mm voxels.
    conductivity : numpy.ndarray
        0 (barrier) to about 1.
    reach_mm : float
        Distance that the front travels at conductivity 1.
    """
    shape = source.shape
    fixed = np.ascontiguousarray(source[::2, ::2, ::2])
    flow = np.clip(np.ascontiguousarray(conductivity[::2, ::2, ::2]), 0.01, 1.1)
    sides = [_sides(axis) for axis in range(3)]
    faces = [0.3 * flow[low] * flow[high] / (flow[low] + flow[high]) for low, high in sides]
    state = fixed.copy()
    growth = np.float32(0.15) * np.minimum(flow, 1.0)
    for _ in range(max(round(reach_mm / MM_PER_STEP), 1)):
        change = growth * state * (1.0 - state)
        for face, (low, high) in zip(faces, sides, strict=True):
            flux = face * (state[high] - state[low])
            change[low] += flux
            change[high] -= flux
        state = np.maximum(state + change, fixed)
    return double(state, (shape[0], shape[1], shape[2]))


def _sides(axis: int) -> tuple[Window, Window]:
    """Slices of all voxels but the last, and but the first, along one axis."""
    whole = slice(None)
    low = [whole, whole, whole]
    high = [whole, whole, whole]
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _grow_plaque(rng: np.random.Generator, site: Site) -> dict[str, Float32]:
    """Ovoid of demyelination, weaker in grey matter; the active ones take up agent at the edge."""
    focus = site.focus
    noise = _border_noise(rng, site.shape, focus.radius_mm)
    level = focus.radius_mm * (1.0 + focus.irregularity * noise) - _elliptic_distance(site)
    here = site.solid * (0.35 + 0.65 * smoothstep((site.white - 0.1) / 0.5))
    plaque = smoothstep(level / 2.2 + 0.5) * here
    parts = {"plaque": plaque, "fluid": np.float32(focus.fluid) * plaque}
    if focus.uptake > 0:
        active = plaque * smoothstep((focus.rim_mm - level) / 1.2 + 0.5)
        parts["enhancing"] = active
        parts["uptake"] = np.float32(focus.uptake) * active
    return parts
