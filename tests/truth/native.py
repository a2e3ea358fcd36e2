"""Series in oblique and several geometries for the staff's viewer, and what the viewer fetched."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import numpy as np
import zstandard
from django.test import Client
from django.urls import reverse

from readerstudy.imaging.geometry import Volume
from tests.factories import SeriesFactory

BASE = "/staff/i/"
POSITIONS = {  # axes of a slab (slices, rows, columns) as axes of the frame, and their signs
    "axial": ((2, 1, 0), (1, 1, 1)),
    "coronal": ((1, 2, 0), (1, -1, 1)),
    "sagittal": ((0, 2, 1), (1, -1, 1)),
}


def rotation(axis: int, degrees: float) -> np.ndarray:
    """Turn about the x, y or z axis."""
    a = np.radians(degrees)
    turn = np.eye(3)
    one, two = [n for n in range(3) if n != axis]
    turn[one, one] = turn[two, two] = np.cos(a)
    turn[one, two], turn[two, one] = -np.sin(a), np.sin(a)
    return turn


def add_series(
    case: Any,
    role: str,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    *,
    turn: np.ndarray | None = None,
    origin: tuple[float, float, float] = (0, 0, 0),
    array: np.ndarray | None = None,
    **columns: Any,
) -> Any:
    """Store a noisy image; shape along (z, y, x), spacing along x, y and z."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) * np.array(spacing)
    affine[:3, 3] = origin
    if array is None:
        random = np.random.default_rng(sum(map(ord, role)))
        array = random.integers(0, 900, shape).astype(np.int16)
    volume = Volume(array, affine, "nifti", {}, uuid.uuid4().hex * 2)
    return SeriesFactory(case=case, role=role, volume=volume, **columns)


def page_data(response: Any) -> dict[str, Any]:
    """Return what the page hands to the viewer."""
    text = response.content.decode()
    found = re.search(r'<script id="viewer-data" type="application/json">(.*?)</script>', text)
    assert found, text[:400]
    return json.loads(found.group(1))


def fetch(client: Client, data: dict[str, Any], role: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Fetch all chunks of a slot as the browser does; return the slab and the slot."""
    slots = {slot["role"]: slot for slot in data["layout"]["slots"]}
    slot = slots.get(role)
    if slot is None:
        overlay = next(one for one in data["layout"]["overlays"] if one["role"] == role)
        slot = slots[overlay["on"][0]]
    slab = np.full(slot["shape"], -1, np.int16)
    for number, (first, last) in enumerate(slot["chunks"]):
        address = f"{data['base']}{data['images'][role]}/{number}"
        response = client.get(address, HTTP_ACCEPT_ENCODING="gzip, zstd")
        assert response.status_code == 200, response.content
        assert response["Content-Encoding"] == "zstd"
        assert response["Cache-Control"] == "private, no-store"
        part = np.frombuffer(zstandard.decompress(response.content), "<i2")
        slab[first:last] = part.reshape(last - first, *slot["shape"][1:])
    return slab, slot


def slab_index(slot: dict[str, Any], position: np.ndarray) -> np.ndarray:
    """Index (slice, row, column), not rounded, of a position (x, y, z) in the case frame."""
    axes, signs = POSITIONS[slot["plane"]]
    away = (np.asarray(position) - slot["origin_mm"])[list(axes)] * signs
    return away / np.array(slot["spacing_mm"])


def frame_position(axes_series: Any, patient: np.ndarray) -> np.ndarray:
    """Position in the axes of a series, whose middle voxel (n // 2) is their origin."""
    affine = np.array(axes_series.affine_lps)
    units = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    middle = np.array([n // 2 for n in axes_series.shape[::-1]] + [1])
    return units.T @ (patient - (affine @ middle)[:3])


def viewer(case: Any, **query: Any) -> str:
    """Return the address of the viewer of a case."""
    return reverse("case-viewer", args=[case.pk], query=query)
