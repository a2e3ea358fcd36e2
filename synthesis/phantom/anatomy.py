"""The healthy template: maps made once from the ICBM 152 (2009a) T1, grey and white matter."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import resources

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtri

from synthesis.phantom.fields import double, gaussian, smoothstep
from synthesis.phantom.grid import Float32, Grid, Triple

Mask = NDArray[np.bool_]

# The ICBM box cut to the brain, with a margin so that every filter sees the outside.
TEMPLATE_GRID = Grid((176, 220, 176), (1.0, 1.0, 1.0), (-84.0, -128.0, -88.0))
GREY_T1, WHITE_T1 = 165.0, 223.0  # modes of the ICBM T1 where one tissue has over 94 %


@dataclass(frozen=True)
class Template:
    """Maps on ``TEMPLATE_GRID``, float32, in the space of the ICBM average.

    Attributes
    ----------
    white_probit : probit of the white-matter probability, its contrast raised in the cortex.
    folding : amplitude allowed to individual folding noise, probit units, 0 in deep structures.
    csf : probability of cerebrospinal fluid, 0 to 1.
    myelin : T1-derived scale, 0 typical grey matter, 1 typical white matter; in deep structures
        the sharpened T1 with the nuclei, elsewhere the slow variation of white matter.
    deep : weight of structures taken from ``myelin`` instead of folded cortex, 0 to 1.
    hull : signed distance to the smooth outer surface of the brain, mm, positive inside.
    surface : signed distance to the ICBM brain mask, which follows the gyri, mm.
    cerebellum : soft region, 0 to 1.
    iron : relative iron of pallidum, nigra, red and dentate nuclei, 0 to 1.
    ventricle : signed distance to the lateral ventricles, mm, positive inside.
    """

    white_probit: Float32
    folding: Float32
    csf: Float32
    myelin: Float32
    deep: Float32
    hull: Float32
    surface: Float32
    cerebellum: Float32
    iron: Float32
    ventricle: Float32


def _packaged_volume(tissue: str) -> Float32:
    """Read one packaged ICBM map (t1, gm or wm), 0 to 255, cut to the template grid (z, y, x)."""
    name = f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz"
    source = resources.files("nilearn") / "datasets" / "data" / name
    with resources.as_file(source) as path:
        if not path.is_file():
            msg = f"nilearn does not carry {name}; install nilearn 0.14 or a release that has it"
            raise FileNotFoundError(msg)
        image = nib.load(path)
        values = np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0)
        corner = image.affine[:3, 3][::-1]
    return _cut(values, corner)


def _cut(values: Float32, corner_mm: NDArray[np.float64]) -> Float32:
    out = np.zeros(TEMPLATE_GRID.shape, np.float32)
    target, source = [], []
    for axis, origin in enumerate(TEMPLATE_GRID.origin_mm):
        offset = round(origin - float(corner_mm[axis]))
        start, stop = max(offset, 0), min(offset + out.shape[axis], values.shape[axis])
        source.append(slice(start, stop))
        target.append(slice(start - offset, stop - offset))
    out[tuple(target)] = values[tuple(source)]
    return out


def ellipsoid(centre_xyz: Triple, radii_xyz: Triple) -> Float32:
    """Elliptic radius of every template voxel: 1 on the surface, 0 at the centre (MNI mm)."""
    z, y, x = TEMPLATE_GRID.axes()
    (cx, cy, cz), (rx, ry, rz) = centre_xyz, radii_xyz
    return np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2)


def _soft_union(parts: list[tuple[Triple, Triple]], softness: float) -> Float32:
    """Soft union of ellipsoids given for the right side or the midline, mirrored to the left."""
    out = np.zeros(TEMPLATE_GRID.shape, np.float32)
    for (cx, cy, cz), radii in parts:
        for side in {1, -1} if cx else {1}:
            radius = ellipsoid((side * cx, cy, cz), radii)
            np.maximum(out, smoothstep((1.0 + softness - radius) / (2 * softness)), out=out)
    return out


def signed_distance(inside: Mask, reach: int) -> Float32:
    """Distance to the border of a mask in voxels, positive inside, -``reach`` far outside."""
    out = np.full(inside.shape, -float(reach), np.float32)
    window = tuple(
        slice(max(part.start - reach, 0), part.stop + reach)
        for part in ndimage.find_objects(inside.astype(np.uint8))[0]
    )
    mask = inside[window]
    distance = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
    out[window] = np.maximum(distance - np.sign(distance) * 0.5, -float(reach))
    return out


def near_distance(inside: Mask, sigma: float) -> Float32:
    """Smooth signed distance, good within two sigma of the border: exact for a plane."""
    blurred = gaussian(inside.astype(np.float32), sigma)
    return np.float32(sigma) * ndtri(np.clip(blurred, 1e-3, 1 - 1e-3)).astype(np.float32)


# Markers (MNI mm: centre, radii) from which the flooding below tells cerebellum from cerebrum.
_CEREBRUM_SEEDS: list[tuple[Triple, Triple]] = [
    ((56, -36, -20), (12, 22, 10)),
    ((32, -85, -9), (20, 14, 8)),
]
_CEREBELLUM_SEEDS: list[tuple[Triple, Triple]] = [
    ((26, -62, -40), (22, 25, 16)),
    ((14, -60, -26), (9, 16, 9)),
    ((0, -62, -30), (7, 16, 16)),
    ((0, -53, -12), (8, 8, 6)),
]
_BRAINSTEM_SEEDS: list[tuple[Triple, Triple]] = [
    ((0, -25, -33), (15, 11, 12)),
    ((0, -39, -58), (9, 6, 16)),
    ((0, -23, -15), (13, 9, 5)),
]
_BRAINSTEM: list[tuple[Triple, Triple]] = [((0, -28, -36), (17, 15, 36))]
# Structures whose shape varies little between people, so that they keep the template's detail.
_DEEP: list[tuple[Triple, Triple]] = [
    ((0, -8, 4), (33, 34, 20)),
    ((0, -30, -35), (22, 20, 48)),
    ((22, -20, -14), (12, 20, 10)),
]
# Fluid in front of the brainstem and above the sella, which the ICBM mask leaves out.
_CISTERNS: list[tuple[Triple, Triple]] = [
    ((0, -2, -22), (14, 14, 8)),
    ((0, -12, -38), (12, 8, 16)),
    ((0, -26, -56), (11, 9, 12)),
]
_IRON: list[tuple[Triple, Triple, float]] = [
    ((16.5, 1, -1), (4.5, 6.5, 4.5), 0.8),  # pallidum, front
    ((21, -8, -1), (4.5, 6.5, 5.0), 0.8),  # pallidum, back
    ((26, 2, 0), (5.5, 13, 9), 0.30),  # putamen
    ((5, -20, -9), (3.4, 3.6, 4), 0.85),  # red nucleus
    ((10, -17, -12), (2.6, 6, 3.5), 0.9),  # substantia nigra
    ((15, -57, -33), (6, 7, 3.5), 0.6),  # dentate nucleus
]


def _mark(markers: NDArray[np.int16], seeds: list[tuple[Triple, Triple]], label: int) -> None:
    for (cx, cy, cz), radii in seeds:
        for side in {1, -1} if cx else {1}:
            markers[ellipsoid((side * cx, cy, cz), radii) < 1.0] = label


def _cerebellum_region(csf: Float32, mask: Mask) -> Float32:
    """Flood from markers over the CSF probability; the waters meet at the tentorium."""
    z, y, x = TEMPLATE_GRID.axes()
    markers = np.zeros(mask.shape, np.int16)
    high = (z > 4) | (y > -8) | ((np.abs(x) > 20) & (y > -30))
    markers[high | ((np.abs(x) > 18) & (y < -40) & (z > -8))] = 1
    _mark(markers, _CEREBRUM_SEEDS, 1)
    _mark(markers, _CEREBELLUM_SEEDS, 2)
    _mark(markers, _BRAINSTEM_SEEDS, 3)
    markers[~mask] = -1
    cost = np.where(mask, 255.0 * gaussian(csf, 0.7), 255.0).astype(np.uint8)
    flooded = ndimage.watershed_ift(cost, markers) == 2
    return gaussian(flooded.astype(np.float32), 1.0)


def _lateral_ventricles(csf: Float32) -> Mask:
    labels, _ = ndimage.label(csf > 0.5)
    kept = np.zeros(csf.shape, bool)
    for side in (-1, 1):
        seed = np.array([[24.0, -20.0, 12.0 * side]])
        z, y, x = np.rint(TEMPLATE_GRID.index(seed)).astype(int)[:, 0]
        kept |= labels == labels[z, y, x]
    return kept


def _myelin(t1: Float32, csf: Float32, mask: Mask) -> Float32:
    """Sharpened T1 on the grey to white scale, with the partial-volume rim at CSF painted over."""
    sharp = t1 + 1.2 * (t1 - gaussian(t1, 1.5))
    scaled = np.clip((sharp - GREY_T1) / (WHITE_T1 - GREY_T1), -0.3, 1.25).astype(np.float32)
    solid = (gaussian(csf, 0.6) < 0.1) & mask
    weight = gaussian(solid.astype(np.float32), 1.3)
    painted = gaussian(scaled * solid, 1.3) / np.maximum(weight, 1e-3)
    return np.where(solid, scaled, painted).astype(np.float32)


def _within(values: Float32, where: Mask, sigma: float) -> Float32:
    """Smooth values over a region only and carry them outwards; 1 far from it."""
    weight = gaussian(where.astype(np.float32), sigma)
    return (gaussian(values * where, sigma) + np.float32(1e-4)) / (weight + np.float32(1e-4))


def _contrasted(probit: Float32, mask: Mask, deep: Float32) -> Float32:
    """Raise the local contrast of the cortex, so that blades the average dilutes stand out.

    0.6 p + 0.9 (p - m)/s with the mean m and deviation s of the probit p within about 10 mm.
    """
    weight = np.maximum(gaussian(mask.astype(np.float32), 5.0), np.float32(1e-3))
    mean = gaussian(probit * mask, 5.0) / weight
    square = gaussian(probit * probit * mask, 5.0) / weight
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
    detail = np.clip((probit - mean) / np.maximum(spread, 0.45), -2.5, 2.5)
    cortical = 0.6 * probit + 0.9 * detail * mask
    return (deep * probit + (1.0 - deep) * cortical).astype(np.float32)


def _hull(mask: Mask) -> Float32:
    """Signed distance, mm, to the brain with sulci and cisterns filled, as stripping shows it.

    Closing on 2 mm voxels with a ball of 14 mm above the skull base and 4 mm below, where bone
    lies between the lobes; the cisterns in front of the brainstem are added.
    """
    half = np.ascontiguousarray(mask[::2, ::2, ::2])
    above = TEMPLATE_GRID.axes()[0][::2] > -13.0
    closed = np.where(above, _closing(half, 7), _closing(half, 2))
    closed |= _soft_union(_CISTERNS, 0.1)[::2, ::2, ::2] > 0.5
    return 2.0 * double(gaussian(signed_distance(closed, 6), 0.8), TEMPLATE_GRID.shape)


def _closing(mask: Mask, radius: int) -> Mask:
    """Morphological closing with a ball, by two distance transforms."""
    padded = np.pad(mask, radius + 1)
    grown = ndimage.distance_transform_edt(~padded) <= radius
    closed = ndimage.distance_transform_edt(grown) > radius
    inner = slice(radius + 1, -(radius + 1))
    return closed[inner, inner, inner]


def _iron(myelin: Float32) -> Float32:
    out = np.zeros(TEMPLATE_GRID.shape, np.float32)
    for centre, radii, amount in _IRON:
        np.maximum(out, np.float32(amount) * _soft_union([(centre, radii)], 0.3), out=out)
    return out * smoothstep(myelin / 0.3)


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Prepare the template maps; the first call takes some seconds, later calls are free.

    Returns
    -------
    Template
        Shared and read-only.

    Raises
    ------
    FileNotFoundError
        If the installed nilearn has no packaged ICBM 152 maps.

    Notes
    -----
    Source: ICBM 152 nonlinear symmetric 2009a (Fonov et al., NeuroImage 54:313, 2011), the
    copy that nilearn carries. The CSF probability is 1 - grey - white inside the brain mask.
    """
    t1, grey, white = (_packaged_volume(tissue) for tissue in ("t1", "gm", "wm"))
    mask = t1 > 0
    csf = np.clip(1.0 - (grey + white) / 255.0, 0.0, 1.0) * mask
    probit = gaussian(ndtri(np.clip(white / 255.0, 0.002, 0.998)).astype(np.float32), 0.5)
    cerebellum = _cerebellum_region(csf, mask)
    deep = np.maximum(_soft_union(_DEEP, 0.13), smoothstep((cerebellum - 0.3) / 0.4))
    myelin = _myelin(t1, csf, mask)
    white_tone = _within(myelin, white > 225, 2.5)
    template = Template(
        white_probit=_contrasted(probit, mask, deep),
        folding=_folding(probit, deep),
        csf=csf,
        myelin=deep * np.minimum(myelin, 1.05) * (1.0 - 0.15 * _soft_union(_BRAINSTEM, 0.3))
        + (1.0 - deep) * white_tone,
        deep=deep,
        hull=_hull(mask),
        surface=near_distance(mask, 2.0),
        cerebellum=cerebellum,
        iron=_iron(myelin),
        ventricle=gaussian(signed_distance(_lateral_ventricles(csf), 40), 0.8),
    )
    for field in fields(template):
        getattr(template, field.name).setflags(write=False)
    return template


def _folding(probit: Float32, deep: Float32) -> Float32:
    """More freedom where the average is blurred: there people differ."""
    slope = np.sqrt(sum(np.square(axis) for axis in np.gradient(probit)))
    blurred = np.exp(-np.square(gaussian(slope.astype(np.float32), 2.0) / 0.22))
    core = smoothstep(2.3 - gaussian(probit, 2.0))
    return ((0.45 + 0.9 * blurred) * (1.0 - deep) * core).astype(np.float32)
