"""Courses of the named vessels and of the choroid plexus in MNI space, mm.

Set by eye on the ICBM average along the courses that anatomy books describe.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthesis.phantom.grid import Triple


@dataclass(frozen=True)
class Course:
    """Course of a tube through points (x, y, z), tapering between two radii, mm.

    Attributes
    ----------
    name : the structure.
    kind : ``artery``, ``vein`` or ``plexus``.
    points : on the right side or in the midline.
    radii : at the first and the last point.
    mirrored : laid on both sides.
    snap : ``csf`` draws it into the fluid, ``hull`` onto the outer surface, empty leaves it.
    """

    name: str
    kind: str
    points: tuple[Triple, ...]
    radii: tuple[float, float]
    mirrored: bool = True
    snap: str = "csf"


def _points(text: str) -> tuple[Triple, ...]:
    """Parse ``x y z, x y z, ...``."""
    parsed = [[float(number) for number in point.split()] for point in text.split(",")]
    return tuple((x, y, z) for x, y, z in parsed)


COURSES = (
    Course(
        "vertebral",
        "artery",
        _points("6 -38 -68, 4 -33 -61, 0.5 -26 -53"),
        (1.2, 1.2),
    ),
    Course(
        "basilar",
        "artery",
        _points("0.5 -26 -53, -1 -15 -45, 1 -9 -34, 0 -10 -24, 0 -13 -17"),
        (1.5, 1.5),
        mirrored=False,
    ),
    Course(
        "internal carotid",
        "artery",
        _points("13 8 -32, 12 2 -24, 12 3 -16"),
        (1.8, 1.6),
    ),
    Course(
        "middle cerebral, first part",
        "artery",
        _points("12 3 -15, 20 4 -16, 28 2 -16, 35 1 -14"),
        (1.4, 1.1),
    ),
    Course(
        "middle cerebral, superior trunk",
        "artery",
        _points("35 1 -14, 40 0 -3, 40 -10 8, 43 -22 14, 50 -30 17"),
        (1.0, 0.6),
    ),
    Course(
        "middle cerebral, frontal branch",
        "artery",
        _points("35 1 -14, 38 12 -2, 38 19 6, 46 21 15"),
        (0.9, 0.6),
    ),
    Course(
        "middle cerebral, inferior trunk",
        "artery",
        _points("35 1 -14, 41 -6 -8, 46 -20 -2, 52 -34 4"),
        (0.9, 0.6),
    ),
    Course(
        "anterior cerebral, first part",
        "artery",
        _points("12 3 -15, 6 6 -15, 1.5 10 -13"),
        (1.1, 1.0),
    ),
    Course(
        "anterior cerebral, pericallosal",
        "artery",
        _points(
            "1.5 10 -13, 1.5 23 -10, 1.5 34 -3, 1.5 37 8, 1.5 32 21, 1.5 18 31, 1.5 0 35, 2 -18 37"
        ),
        (1.0, 0.5),
    ),
    Course(
        "posterior cerebral",
        "artery",
        _points(
            "0 -13 -17, 6 -14 -16, 13 -20 -15, 17 -28 -12, 14 -38 -7, 16 -50 -4, 14 -65 1, 11 -80 4"
        ),
        (1.2, 0.6),
    ),
    Course(
        "superior cerebellar",
        "artery",
        _points("0 -13 -21, 8 -17 -23, 16 -27 -22, 18 -38 -19"),
        (0.8, 0.6),
    ),
    Course(
        "internal cerebral",
        "vein",
        _points("1.5 2 7, 2 -6 12, 2 -16 14, 2 -26 12, 1 -35 7, 0 -39 4"),
        (0.8, 1.2),
    ),
    Course(
        "great vein of Galen",
        "vein",
        _points("0 -39 4, 0 -45 6, 0 -50 14"),
        (1.8, 1.9),
        mirrored=False,
        snap="",
    ),
    Course(
        "straight sinus",
        "vein",
        _points("0 -50 15, 0 -68 -1, 0 -85 -17, 0 -94 -21"),
        (1.7, 2.4),
        mirrored=False,
        snap="",
    ),
    Course(
        "basal vein of Rosenthal",
        "vein",
        _points("13 -2 -16, 17 -14 -13, 19 -24 -8, 13 -34 -3, 2 -40 4"),
        (0.6, 1.0),
    ),
    Course(
        "thalamostriate",
        "vein",
        _points("19 -18 21, 16 -5 19, 10 2 15, 3 3 8"),
        (0.5, 0.7),
    ),
    Course(
        "transverse and sigmoid sinus",
        "vein",
        _points(
            "0 -96 -20, 18 -94 -23, 36 -83 -27, 50 -66 -30, 57 -52 -33, 53 -44 -42, 46 -42 -54"
        ),
        (3.0, 2.6),
        snap="hull",
    ),
    Course(
        "lateral ventricle, body",
        "plexus",
        _points("25 -43 9, 21 -36 15, 14 -26 20, 8 -10 20, 4 1 11"),
        (2.4, 0.9),
        snap="",
    ),
    Course(
        "lateral ventricle, temporal horn",
        "plexus",
        _points("25 -43 9, 29 -33 -3, 31 -22 -11"),
        (2.4, 1.0),
        snap="",
    ),
    Course(
        "fourth ventricle",
        "plexus",
        _points("1 -44 -32, 3 -47 -40, 9 -44 -44"),
        (1.0, 0.9),
        snap="",
    ),
    Course(
        "pineal gland",
        "plexus",
        _points("0 -33 1, 0 -35 2"),
        (2.2, 2.2),
        mirrored=False,
        snap="",
    ),
)
