"""Which MR sequence a file, folder or series description names."""

import re
from collections.abc import Sequence
from typing import Literal

Role = Literal[
    "t1", "t1c", "t2", "flair", "pd", "adc", "dwi", "cbv", "cbf", "swi", "asl", "fa", "md", "mask"
]

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
    "asl": "ASL",
    "fa": "FA",
    "md": "MD",
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
    "asl": "asl pasl casl pcasl 3dasl deltam",
    "fa": "fa famap dtifa",
    "md": "md mdmap dtimd",
    "dwi": "dwi dw isodwi diffusion diff trace tracew b800 b900 b1000 b1200 resolve",
    "swi": "swi swip swan venbold venobold hemobold fsbb bsi susceptibility",
    "t1c": "t1c t1ce t1gd t1post t1wc t1wce t1wgd t1wpost t1cw t1ca ct1 t1km",
    "t1": "t1 t1n t1w t1wi t1pre mprage t1mprage mp2rage t1mpr bravo spgr fspgr vibe mpr tfl3d",
    "flair": "flair isoflair t2f t2flair t2wflair fl darkfluid tirm",
    "t2": "t2 t2w t2wi t2n t2tse t2fse frfse ciss fiesta",
    "pd": "pd pdw pdwi pdn proton",
}
_ROLE_WORDS = {role: _listed(words) for role, words in _WORDS.items()}
_IN_WORDS = {
    frozenset(("dark", "fluid")): "flair",
    frozenset(("fractional", "anisotropy")): "fa",
    frozenset(("fractional", "aniso")): "fa",
    frozenset(("mean", "diffusivity")): "md",
    frozenset(("spin", "labeling")): "asl",
    frozenset(("spin", "labelling")): "asl",
}
_CONTRAST = _listed(
    "ce gd gad gado gadolinium gadovist dotarem post postcontrast postgd postgad "
    "contrast km kontrast mdc injection inj"
)
_TECHNIQUE = _listed(
    "ax axial tra transversal sag sagittal cor coronal obl 2d 3d se tse fse gre tfe ffe "
    "space cube vista blade propeller fs fatsat ir map"
)
_DERIVED = _listed("colfa eadc mtt ttp tmax mip minip pha phase")
_TENSOR = _listed("dti eddy tensor")
_EIGEN = _listed("l1 l2 l3 v1 v2 v3 ad rd")
_INITIALS = _listed("fa md")  # may as well be a flip angle, a doctor, or how cases are called
_COLOURED = re.compile(r"col(ou?r)?[\W_]*fa\b|\bcolou?r|\brgb\b")
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
    words |= {word for parts, word in _IN_WORDS.items() if parts <= words}
    if words & _ROLE_WORDS["mask"]:
        return "mask"
    if words & _DERIVED:
        return None
    tensor = words & (_ROLE_WORDS["fa"] | _ROLE_WORDS["md"])
    other = _by_technique(text, words - tensor)
    return _of_tensor(text, tensor, other) if tensor else other


def _by_technique(text: str, words: set[str]) -> Role | None:
    if "tensor" in words or (words & _TENSOR and words & _EIGEN):
        return None
    for role in ("adc", "cbv", "cbf", "asl", "dwi", "swi", "t1c"):
        if words & _ROLE_WORDS[role]:
            return role
    return _by_weighting(text, words)


def _of_tensor(text: str, tensor: set[str], other: Role | None) -> Role | None:
    """Fractional anisotropy or mean diffusivity, unless another weighting is named too."""
    fa, md = bool(tensor & _ROLE_WORDS["fa"]), bool(tensor & _ROLE_WORDS["md"])
    if other not in (None, "dwi"):
        return None if fa else other
    if (fa and md) or _COLOURED.search(text):
        return None
    return "fa" if fa else "md"


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


def tells_sequence(word: str, *, rest: Sequence[str] = ()) -> bool:
    """Whether one word of a name speaks of the sequence and not of the case.

    Parameters
    ----------
    word : str
    rest : sequence of str
        The words after it: "fa" and "md" may be initials unless only the sequence follows.
    """
    plain = _plain(word.lower())
    if plain in _INITIALS and not all(tells_sequence(other) for other in rest):
        return False
    return plain in _known()


def _known() -> frozenset[str]:
    roles = frozenset().union(*_ROLE_WORDS.values())
    return roles.union(_CONTRAST, _TECHNIQUE, _TENSOR, *_IN_WORDS)


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
    if kinds & {"mip", "minip", "mnip", "projection image"} or _is_scout(description):
        return None
    role = role_of(description)
    if "fa" in kinds:
        return None if _COLOURED.search(description.lower()) else "fa"
    if kinds & {"asl", "perfusion_asl"} and role is None:
        return "asl"
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
