"""Recognising data sets laid out as BIDS says (sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz)."""

import re
from pathlib import Path

from readerstudy.imaging.sequences import Role, role_of, without_suffix

SKIPPED_FOLDERS = {
    "derivatives": "derived images of a BIDS data set; import this folder itself to have them",
    "sourcedata": "source files of a BIDS data set; the converted images are read instead",
    "code": "programs of a BIDS data set",
}
_DESCRIPTION = "dataset_description.json"
_ENTITY = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]+)-([A-Za-z0-9]+)")
_ROLES: dict[str, Role] = {
    "T1w": "t1",
    "T2w": "t2",
    "FLAIR": "flair",
    "PDw": "pd",
    "PD": "pd",
    "dwi": "dwi",
    "ADC": "adc",
    "trace": "dwi",
    "cbv": "cbv",
    "CBV": "cbv",
    "rCBV": "cbv",
    "cbf": "cbf",
    "CBF": "cbf",
    "SWI": "swi",
    "swi": "swi",
    "asl": "asl",
    "deltam": "asl",
    "FA": "fa",
    "MD": "md",
    "mask": "mask",
    "dseg": "mask",
    "probseg": "mask",
}
_NOT_SHOWN = frozenset({"T1map", "T2map", "T2starw", "T2star", "bold", "m0scan", "sbref"})
_OF_DIFFUSION: dict[str, Role] = {"fa": "fa", "md": "md", "adc": "adc"}  # param-FA_dwimap
_NO_AGENT = frozenset({"none", "pre", "no", "without"})


def is_bids(folder: Path) -> bool:
    """Whether a folder is the top of a BIDS data set."""
    return (folder / _DESCRIPTION).is_file()


def entities(file: Path) -> dict[str, str]:
    """Keys and labels in a BIDS file name, such as ``{"sub": "01", "ce": "gadolinium"}``."""
    return dict(_ENTITY.findall(file.name))


def follows_bids(file: Path) -> bool:
    """Whether a file name starts with the subject and lies in that subject's folder."""
    subject = entities(file).get("sub")
    return file.name.startswith("sub-") and any(
        parent.name == f"sub-{subject}" for parent in file.parents
    )


def case_of(file: Path) -> tuple[str, str]:
    """Case and subject of a BIDS file: ``("sub-01/ses-02", "sub-01")``."""
    found = entities(file)
    subject = f"sub-{found['sub']}"
    return (f"{subject}/ses-{found['ses']}" if "ses" in found else subject), subject


def role_of_file(file: Path) -> Role | None:
    """Role from the suffix and the contrast entity; None for parts, maps and repeats unknown."""
    suffix = without_suffix(file.name).split("_")[-1]
    found = entities(file)
    if suffix in _NOT_SHOWN or found.get("part", "mag") != "mag":
        return None
    if suffix == "dwimap":
        return _OF_DIFFUSION.get((found.get("param") or found.get("mdp") or "").lower())
    role = _ROLES.get(suffix) or role_of(suffix)
    agent = found.get("ce", "none").lower()
    return "t1c" if role == "t1" and agent not in _NO_AGENT else role
