"""What a person should look at in a case: each flag with its words, its weight and what to do.

Some flags are codes that the import or a preparation stored with a series; the others follow from
the series themselves, so that they can never be out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from readerstudy.cases.models import Case, Series
from readerstudy.imaging.sequences import LABELS

WAIT, STOP = "wait", "stop"
THICK_MM = 5.0
SHORT_LABELS: dict[str, str] = {**LABELS, "t1c": "T1c"}


@dataclass(frozen=True)
class Meaning:
    """What a flag says to a person."""

    words: str
    tone: str
    advice: str


STORED: dict[str, Meaning] = {
    "face": Meaning(
        "Face present",
        STOP,
        "A face can be rebuilt from these images. Prepare the case with a brain mask, or take the "
        "face off at the source and import it again.",
    ),
    "face_kept": Meaning(
        "Face kept",
        WAIT,
        "A face was kept on purpose at import. It can be rebuilt from these images; show them only "
        "where the protocol allows it.",
    ),
    "burned_in": Meaning(
        "Text in the image",
        STOP,
        "The source says that text is burned into the pixels; it may name a person. Look at every "
        "slice before readers see it.",
    ),
    "gap": Meaning(
        "Gap between slices",
        WAIT,
        "Slices are further apart than they are thick, or one is missing. Lesions may be hidden.",
    ),
    "overlap": Meaning("Slices overlap", WAIT, "Neighbouring slices show the same tissue twice."),
    "uneven": Meaning(
        "Uneven slice distance",
        WAIT,
        "The distance changes along the stack; lengths are uncertain.",
    ),
    "position_unknown": Meaning(
        "Position unknown",
        WAIT,
        "The source does not say where the image lies and which side is right. Compare the sides "
        "with another sequence before the side matters.",
    ),
    "monochrome1": Meaning(
        "Stored inverted",
        WAIT,
        "High values are dark at the source. It is shown mirrored; look whether bright is bright.",
    ),
    "lossy": Meaning(
        "Lossy compression",
        WAIT,
        "Detail was lost before the import. In a comparison with synthetic images it can tell.",
    ),
    "padded": Meaning(
        "Padded", WAIT, "Outside the field of view a constant stands in place of a measurement."
    ),
    "non_finite_replaced": Meaning(
        "Values replaced", WAIT, "Values that were not numbers were set to 0. Look where they lie."
    ),
    "clipped": Meaning("Values clipped", WAIT, "The brightest values are cut off at the source."),
    "duplicate_slices": Meaning(
        "Duplicate slices", WAIT, "The source held slices twice; each was taken once."
    ),
}
COMPUTED: dict[str, Meaning] = {
    "missing": Meaning(
        "Sequence missing",
        WAIT,
        "Import the missing series into the same case, or leave the case out of studies that show "
        "it. The columns of the list say which sequences are expected.",
    ),
    "grids": Meaning(
        "Several grids",
        WAIT,
        "The sequences do not share one grid. Register and resample them in a preparation where "
        "readers scroll them together.",
    ),
    "thick": Meaning(
        "Thick slices",
        WAIT,
        f"Slices are more than {THICK_MM:g} mm apart. Small lesions can be lost.",
    ),
    "two_dimensional": Meaning(
        "Two-dimensional", WAIT, "There is one slice. It can be shown, but not scrolled."
    ),
    "damaged": Meaning(
        "Damaged in store",
        STOP,
        "The stored image no longer has the content that its checksum states. Restore it from a "
        "backup, or withdraw the case.",
    ),
    "withdrawn": Meaning(
        "Withdrawn", WAIT, "The case takes no part in new studies and is not read any more."
    ),
}
MEANINGS = {**COMPUTED, **STORED}


@dataclass(frozen=True)
class Flag:
    """One flag of one case."""

    code: str
    words: str
    tone: str
    advice: str
    roles: tuple[str, ...] = ()


def meaning(code: str) -> Meaning:
    """Return what a code says; a code that this version does not know is said as it is."""
    unknown = Meaning(code.replace("_", " ").capitalize(), WAIT, "Look at the images of this case.")
    return MEANINGS.get(code, unknown)


def label(role: str) -> str:
    """Return the short name of a role for people."""
    return SHORT_LABELS.get(role, role.replace("-", " ").capitalize())


def flags_of(case: Case, series: Iterable[Series], expected: Sequence[str]) -> list[Flag]:
    """Return the flags of a case whose series are at hand, the weightiest first."""
    flags = list(_flags(case, list(series), expected))
    return sorted(flags, key=lambda flag: flag.tone != STOP)


def _flags(case: Case, series: list[Series], expected: Sequence[str]) -> Iterator[Flag]:
    if case.withdrawn_at is not None:
        yield _flag("withdrawn")
    there = {one.role for one in series}
    if missing := [role for role in expected if role not in there]:
        many = f"{len(missing)} missing"
        words = f"{label(missing[0])} missing" if len(missing) == 1 else many
        yield _flag("missing", missing, words)
    if (grids := len({tuple(one.shape) for one in series})) > 1:
        yield _flag("grids", words=f"{grids} grids")
    for code in COMPUTED:
        if roles := [one.role for one in series if code in computed_codes(one)]:
            yield _flag(code, roles)
    for code in dict.fromkeys(code for one in series for code in one.flags if code != "thick"):
        yield _flag(code, [one.role for one in series if code in one.flags])


def computed_codes(series: Series) -> set[str]:
    """Return the codes that follow from one series by itself."""
    codes = {
        "thick": series.spacing_mm[0] > THICK_MM or "thick" in series.flags,
        "two_dimensional": min(series.shape) == 1,
        "damaged": bool(series.damage),
    }
    if codes["two_dimensional"]:
        codes["thick"] = False  # the distance between slices means nothing
    return {code for code, holds in codes.items() if holds}


def _flag(code: str, roles: Iterable[str] = (), words: str = "") -> Flag:
    said = meaning(code)
    return Flag(code, words or said.words, said.tone, said.advice, tuple(roles))
