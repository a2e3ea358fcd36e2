"""The quality flags that a series gets as it comes in; what they mean stands in `cases.flags`."""

from __future__ import annotations

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.preparation.faces import shows_head

FACE, FACE_KEPT, GAP, THICK = "face", "face_kept", "gap", "thick"
BRAIN_ONLY, KEEP = "brain-only", "keep"
THICK_MM = 5.0
WIDE_GAP = 1.5


def flags_at_import(volume: Volume, *, role: str, faces: str) -> list[str]:
    """Return the flags of a series that comes in.

    Parameters
    ----------
    volume : Volume
        As it was read.
    role : str
        Its sequence; a mask shows no face.
    faces : {"brain-only", "keep"}
        What the coordinator chose: "face" marks a head that is to be reduced to the brain before
        anybody reads it, "face_kept" one that was kept on purpose.
    """
    found = set(volume.flags)
    if volume.kind == "png":
        return sorted(found)
    step = max(volume.spacing_mm)
    thickness = volume.facts.get("slice_thickness_mm")
    if step > THICK_MM:
        found.add(THICK)
    if isinstance(thickness, float) and step > WIDE_GAP * thickness:
        found.add(GAP)
    if role != "mask" and shows_head(volume):
        found.add(FACE_KEPT if faces == KEEP else FACE)
    return sorted(found)
