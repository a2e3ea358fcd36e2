"""Which MR sequence a file, folder or series description names."""

import re
from collections.abc import Sequence
from typing import Literal

Role = Literal["t1", "t1c", "t2", "flair", "pd", "adc", "dwi", "cbv", "cbf", "swi", "mask"]

LABELS: dict[Role, str] = {
    "t1": "T1",
    "t1c": "T1 after contrast",
    "t2": "T2",
    "flair": "FLAIR",
    "pd": "PD",
    "adc": "ADC",
    "dwi": "DWI",
    "cbv": "CBV",
    "cbf": "CBF",
    "swi": "SWI",
    "mask": "Mask",
}


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The first role of this table that a name spells out is its role. The words are what vendors and
# public data sets write: Siemens (MPRAGE, dark-fluid, TIRM), GE (BRAVO, FSPGR, SWAN), Philips
# (TFE, VenBOLD), Canon (FSBB), Fujifilm (BSI), BraTS (t1n, t1c, t2w, t2f), BIDS (T1w, FLAIR).
_WORDS: dict[Role, str] = {
    "mask": "seg segmentation mask label labels labelmap roi",
    "adc": "adc dadc dapp",
    "cbv": "cbv rcbv ncbv relcbv",
    "cbf": "cbf rcbf ncbf relcbf",
    "dwi": "dwi dw isodwi diffusion diff trace tracew b800 b900 b1000 b1200 resolve",
    "swi": "swi swip swan venbold venobold hemobold fsbb bsi susceptibility",
    "t1c": "t1c t1ce t1gd t1post t1wc t1wce t1wgd t1wpost t1cw t1ca ct1 t1km",
    "t1": "t1 t1n t1w t1wi t1pre mprage t1mprage mp2rage t1mpr bravo spgr fspgr vibe mpr tfl3d",
    "flair": "flair isoflair t2f t2flair t2wflair fl darkfluid tirm",
    "t2": "t2 t2w t2wi t2n t2tse t2fse frfse ciss fiesta",
    "pd": "pd pdw pdwi pdn proton",
}
_ROLE_WORDS = {role: _listed(words) for role, words in _WORDS.items()}
_CONTRAST = _listed(
    "ce gd gad gado gadolinium gadovist dotarem post postcontrast postgd postgad "
    "contrast km kontrast mdc injection inj"
)
_TECHNIQUE = _listed(
    "ax axial tra transversal sag sagittal cor coronal obl 2d 3d se tse fse gre tfe ffe "
    "space cube vista blade propeller fs fatsat ir map"
)
_DERIVED = _listed("fa colfa eadc tensor mtt ttp tmax mip minip pha phase")
_STAR = re.compile(r"t2\s*\*|t2w?[\W_]*star|hemo\b")
_NO_CONTRAST = re.compile(
    r"non?[\W_]*(contrast|ce|gd|gad)\b|without|\bw/o\b|\b(ohne|vor)\b|"
    r"(^|[\W_])(pre|native|nativ|unenhanced)($|[\W_])"
)
_PLUS_C = re.compile(r"\+\s*c\b|\bc\s*\+|\+\s*g[ad]|[\W_]c$")
_SCOUT = re.compile(r"loc(alizer|aliser)?\b|scout|survey|calibration")
_GLUED = re.compile(
    r"^(?:wip|axial|ax|tra|sag|cor|obl|3d|2d|[se](?=t[12]w))*"
    r"(t[12]|flair|dwi|adc|swi|pd)w?"
    r"(?:se|tse|fse|tfe|ffe|fs|spgr|fspgr|gre|vibe|space|cube|ir|3d|2d|ax|tra|sag|cor)*$"
)
_DUAL_ECHO_PD_MS, _DUAL_ECHO_T2_MS = 45.0, 65.0


def role_of(name: str) -> Role | None:
    """Role that a file, folder or series name spells out.

    Parameters
    ----------
    name : str
        For example ``"BraTS-GLI-00001-000-t1c.nii.gz"`` or ``"Ax T1 FSE +C"``.

    Returns
    -------
    Role or None
        None where the name says nothing, or two things, which is an honest answer.
    """
    text = without_suffix(name.strip().lower())
    words = set(map(_plain, re.findall(r"[a-z0-9]+", text.replace("dark-fluid", "darkfluid"))))
    if {"dark", "fluid"} <= words:
        words.add("flair")
    if words & _DERIVED and not words & _ROLE_WORDS["mask"]:
        return None
    for role in ("mask", "adc", "cbv", "cbf", "dwi", "swi", "t1c"):
        if words & _ROLE_WORDS[role]:
            return role
    return _by_weighting(text, words)


def _by_weighting(text: str, words: set[str]) -> Role | None:
    if words & _ROLE_WORDS["t1"]:
        return "t1c" if _tells_contrast(text, words) else "t1"
    if words & _ROLE_WORDS["flair"]:
        return "flair"
    t2, pd = bool(words & _ROLE_WORDS["t2"]), bool(words & _ROLE_WORDS["pd"])
    if t2 == pd or (t2 and _STAR.search(text)):
        return None
    return "t2" if t2 else "pd"


def _plain(word: str) -> str:
    """The weighting alone where plane or technique are written in one word ("axt1", "st2w")."""
    if any(word in words for words in _ROLE_WORDS.values()):
        return word
    glued = _GLUED.match(word)
    return glued.group(1) if glued else word


def without_suffix(name: str) -> str:
    """A file name without the ending that tells its format."""
    return re.sub(r"\.(nii|mgz|mgh|dcm|ima|png|hdr|img)(\.gz)?$", "", name, flags=re.IGNORECASE)


def names_only_a_role(name: str) -> bool:
    """Whether a name is nothing but that of a sequence (``"T1"``, ``"t1_gd"``, ``"Ax T2 FSE"``)."""
    return role_of(name) is not None and not set(tokens(name)) - _known()


def tokens(name: str) -> list[str]:
    """The words of a name, in lower case, with plane and technique cut off the sequence."""
    return [_plain(word) for word in re.findall(r"[a-z0-9]+", name.lower())]


def tells_sequence(word: str) -> bool:
    """Whether one word of a name speaks of the sequence and not of the case."""
    return _plain(word.lower()) in _known()


def _known() -> frozenset[str]:
    return frozenset().union(*_ROLE_WORDS.values()) | _CONTRAST | _TECHNIQUE | {"dark", "fluid"}


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
    kinds = set(image_type.lower().split())
    if "adc" in kinds:
        return "adc"
    if kinds & {"fa", "mip", "minip", "mnip", "projection image"} or _is_scout(description):
        return None
    role = role_of(description)
    return "t1c" if role == "t1" and has_contrast_agent else role


def _is_scout(description: str) -> bool:
    return _SCOUT.search(description.lower()) is not None


def role_of_echo(
    description: str, echo_times_ms: Sequence[float | None], place: int
) -> Role | None:
    """Role of one echo of a dual-echo series ("PD/T2"): short is PD, long is T2.

    Parameters
    ----------
    description : str
    echo_times_ms : sequence of float or None
        Of all echoes of the series.
    place : int
        Which of them.
    """
    words = set(tokens(description))
    dual = len(echo_times_ms) == 2 and words & (_ROLE_WORDS["t2"] | _ROLE_WORDS["pd"])
    echo = echo_times_ms[place]
    if not dual or echo is None:
        return None
    if echo <= _DUAL_ECHO_PD_MS:
        return "pd"
    return "t2" if echo >= _DUAL_ECHO_T2_MS else None


def _tells_contrast(text: str, words: set[str]) -> bool:
    if _NO_CONTRAST.search(text):
        return False
    return bool(words & _CONTRAST) or _PLUS_C.search(text) is not None
