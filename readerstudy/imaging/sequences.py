"""Which MR sequence a file, folder or series description names."""

import re
from typing import Literal

Role = Literal["t1", "t1c", "t2", "flair", "adc", "cbv", "dwi", "mask"]

LABELS: dict[Role, str] = {
    "t1": "T1",
    "t1c": "T1 after contrast",
    "t2": "T2",
    "flair": "FLAIR",
    "adc": "ADC",
    "cbv": "CBV",
    "dwi": "DWI",
    "mask": "Mask",
}

_WORDS: dict[Role, frozenset[str]] = {
    "mask": frozenset({"seg", "segmentation", "mask", "label", "labels", "labelmap", "roi"}),
    "adc": frozenset({"adc"}),
    "cbv": frozenset({"cbv", "rcbv", "ncbv"}),
    "dwi": frozenset({"dwi", "diffusion", "diff", "trace", "tracew", "b1000"}),
    "t1c": frozenset(
        {"t1c", "t1ce", "t1gd", "t1post", "t1wc", "t1wce", "t1wgd", "t1wpost", "t1cw", "t1ca"}
    ),
    "t1": frozenset({"t1", "t1n", "t1w", "t1pre", "mprage", "t1mprage", "bravo", "spgr"}),
    "flair": frozenset({"flair", "t2f", "t2flair", "t2wflair", "fl"}),
    "t2": frozenset({"t2", "t2w", "t2n", "t2tse", "t2fse"}),
}
_CONTRAST = frozenset(
    {"ce", "gd", "gad", "gado", "post", "postcontrast", "postgd", "contrast", "km"}
)
_NO_CONTRAST = re.compile(
    r"non?[\W_]*contrast|without|\bw/o\b|(^|[\W_])(pre|native|nativ)($|[\W_])"
)
_PLUS_C = re.compile(r"\+\s*c\b|\bc\+|[\W_]c$")


def role_of(name: str) -> Role | None:
    """Role that a file, folder or series name spells out.

    Parameters
    ----------
    name : str
        For example ``"BraTS-GLI-00001-000-t1c.nii.gz"`` or ``"Ax T1 FSE +C"``.

    Returns
    -------
    Role or None
        None where the name says nothing, which is an honest answer.
    """
    text = re.sub(r"\.(nii(\.gz)?|dcm|ima)$", "", name.strip().lower())
    words = set(re.findall(r"[a-z0-9]+", text))
    for role in ("mask", "adc", "cbv", "dwi", "t1c"):
        if words & _WORDS[role]:
            return role
    if words & _WORDS["t1"]:
        return "t1c" if _tells_contrast(text, words) else "t1"
    if words & _WORDS["flair"]:
        return "flair"
    return "t2" if words & _WORDS["t2"] else None


def names_only_a_role(name: str) -> bool:
    """Whether a folder name is nothing but the name of a sequence (``"T1"``, ``"t1_gd"``)."""
    known = frozenset().union(*_WORDS.values()) | _CONTRAST
    words = re.findall(r"[a-z0-9]+", name.lower())
    return role_of(name) is not None and all(word in known for word in words)


def role_of_series(description: str, image_type: str, has_contrast_agent: bool) -> Role | None:
    """Role of a DICOM series from its description, image type and contrast agent.

    Parameters
    ----------
    description : str
        SeriesDescription or ProtocolName.
    image_type : str
        The values of ImageType joined by blanks; an "ADC" there outweighs the description.
    has_contrast_agent : bool
        Whether ContrastBolusAgent is filled in.
    """
    if "adc" in image_type.lower().split():
        return "adc"
    role = role_of(description)
    return "t1c" if role == "t1" and has_contrast_agent else role


def _tells_contrast(text: str, words: set[str]) -> bool:
    if _NO_CONTRAST.search(text):
        return False
    return bool(words & _CONTRAST) or _PLUS_C.search(text) is not None
