"""Which case a series belongs to, told by the folders and file names around it.

Rules, in this order: BIDS names; for DICOM, the folder that holds one whole examination; else the
folder of the file. Folders named only after a sequence or a container (``T1``, ``SE0001``,
``anat``) belong to the case above; folders named only after a visit (``ST0001``, ``visit2``) are a
case of the subject above. Where one sequence occurs twice in a folder, the file names tell the
cases apart (``sub1_t1.nii.gz``, ``sub2_t1.nii.gz``). Every PNG is a case of its own, unless it is
named after a sequence.
"""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from readerstudy.imaging import bids
from readerstudy.imaging.found import Entry, FoundSeries, name_below
from readerstudy.imaging.sequences import (
    Role,
    names_only_a_role,
    role_of,
    tells_sequence,
    tokens,
    without_suffix,
)

_CONTAINER = re.compile(
    r"(dicoms?|dcm|images?|mri?|anat|dwi|perf|swi|niftis?|nii|raw|png)|"
    r"(se|ser|series)[-_ ]?\d+",
    re.IGNORECASE,
)
_VISIT = re.compile(
    r"(st|study|exam|visit|ses|session|scan|day|week|month|year|tp|timepoint|time|"
    r"baseline|follow[-_ ]?up|fu|pre[-_ ]?op|post[-_ ]?op)[-_ ]?\d*|(19|20)\d{6}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^-_. ]+")
_DIGEST_LENGTH = 8
_LEAST_ID = 3
_SAME_NAME_ADVICE = (
    "Import each place on its own with a source label, or name the cases in a manifest."
)


@dataclass(frozen=True)
class _Named:
    """An entry with the case it belongs to and the folder that gave the name."""

    entry: Entry
    place: Path
    case: str
    subject: str

    def found(self) -> FoundSeries:
        return self.entry.of_case(self.case, self.subject)


def name_cases(root: Path, entries: list[Entry]) -> list[FoundSeries]:
    """Give each entry its case and subject.

    Parameters
    ----------
    root : Path
        The searched folder.
    entries : list of Entry

    Returns
    -------
    list of FoundSeries
        Cases of one name in two places are errors that name both places.
    """
    folders = _dicom_folders(root, [one for one in entries if one.kind == "dicom"])
    named = [_named(root, one, folders.get(_key(one))) for one in entries]
    named = _one_for_each_role(_by_file_names(named))
    return [one.found() for one in _without_clashes(root, named)]


def _named(root: Path, entry: Entry, folder: tuple[Path, str] | None) -> _Named:
    file = entry.paths[0]
    if entry.kind not in {"dicom", "other"} and bids.follows_bids(file):
        case, subject = bids.case_of(file)
        return _Named(entry, _subject_folder(file, subject), case, subject)
    start, mark = folder or (entry.anchor, "")
    place = _case_folder(root, start)
    case, subject = _case_and_subject(root, place)
    return _Named(entry, place, case + mark, subject)


def _subject_folder(file: Path, subject: str) -> Path:
    return next(parent for parent in file.parents if parent.name == subject)


def _case_folder(root: Path, folder: Path) -> Path:
    while folder != root and _belongs_above(folder.name):
        folder = folder.parent
    return folder


def _belongs_above(name: str) -> bool:
    return names_only_a_role(name) or _CONTAINER.fullmatch(name) is not None


def _case_and_subject(root: Path, place: Path) -> tuple[str, str]:
    parent = place.parent
    if place != root and _VISIT.fullmatch(place.name):
        above = _case_folder(root, parent)
        return f"{above.name}/{place.name}", above.name
    return place.name, place.name


def _key(entry: Entry) -> tuple[str, Path]:
    return entry.exam, entry.anchor


def _dicom_folders(root: Path, entries: list[Entry]) -> dict[tuple[str, Path], tuple[Path, str]]:
    """Folder and mark of each examination: the mark tells those apart that share a folder."""
    anchors: dict[str, set[Path]] = defaultdict(set)
    for one in entries:
        if one.exam:
            anchors[one.exam].add(one.anchor)
    found = {}
    for exam, folders in anchors.items():
        others = {folder for other, places in anchors.items() if other != exam for folder in places}
        whole = Path(os.path.commonpath(list(folders)))
        alone = not _holds_any(whole, others)
        for anchor in folders:
            start = _without_series_name(root, whole, others) if alone else anchor
            found[exam, anchor] = (start, _mark(exam) if start in others else "")
    return found


def _holds_any(folder: Path, others: Iterable[Path]) -> bool:
    return any(other == folder or folder in other.parents for other in others)


def _without_series_name(root: Path, folder: Path, others: set[Path]) -> Path:
    """Leave a folder such as ``5_Ax_T2_FSE`` where the folder above holds nothing else."""
    words = [word for word in tokens(folder.name) if not word.isdigit()]
    numbered = role_of(folder.name) and all(tells_sequence(word) for word in words)
    if folder != root and numbered and not _holds_any(folder.parent, others):
        return folder.parent
    return folder


def _mark(exam: str) -> str:
    return f"~{hashlib.sha256(exam.encode()).hexdigest()[:_DIGEST_LENGTH]}"


def _by_file_names(named: list[_Named]) -> list[_Named]:
    groups: dict[tuple[Path, str], list[int]] = defaultdict(list)
    for number, one in enumerate(named):
        single = one.entry.kind in {"nifti", "mgh", "png"}
        if single and not bids.follows_bids(one.entry.paths[0]):
            groups[one.place, one.case].append(number)
    result = list(named)
    for (_, case), numbers in groups.items():
        stems = _stems([named[number].entry for number in numbers])
        for number, stem in zip(numbers, stems, strict=True):
            result[number] = _renamed(case, named[number], stem)
    return result


def _stems(entries: list[Entry]) -> list[str]:
    """What the file names say about the case: "" where the folder says it."""
    whole = [without_suffix(one.paths[0].name) for one in entries]
    if any(one.kind == "png" for one in entries):
        return ["" if names_only_a_role(stem) else _before_sequence(stem) or stem for stem in whole]
    twice = [role for role, count in Counter(one.role for one in entries).items() if count > 1]
    if not any(twice):
        return [""] * len(entries)
    for cut in (_before_sequence, _without_sequence):
        stems = [cut(stem) for stem in whole]
        pairs = [(stem, one.role) for stem, one in zip(stems, entries, strict=True) if one.role]
        if all(stems) and len(set(pairs)) == len(pairs):
            return stems
    return [""] * len(entries)


def _before_sequence(stem: str) -> str:
    words = list(_WORD.finditer(stem))
    for place, word in enumerate(words, start=1):
        if tells_sequence(word.group(), rest=[later.group() for later in words[place:]]):
            return stem[: word.start()].rstrip("-_. ")
    return stem


def _without_sequence(stem: str) -> str:
    """The other words of a name, where there is a number among them that may name a case."""
    every = _WORD.findall(stem)
    words = [
        word
        for place, word in enumerate(every, start=1)
        if not tells_sequence(word, rest=every[place:])
    ]
    named = any(len(word) >= _LEAST_ID and any(map(str.isdigit, word)) for word in words)
    return "_".join(words) if named else ""


def _renamed(case: str, one: _Named, stem: str) -> _Named:
    if not stem:
        return one
    inside = f"{case}/{stem}"
    if one.entry.kind == "png":
        return replace(one, case=inside, subject=inside)
    if _VISIT.fullmatch(stem):
        return replace(one, case=inside, subject=case)
    return replace(one, case=stem, subject=stem)


def _one_for_each_role(named: list[_Named]) -> list[_Named]:
    """Of several DICOM series of one sequence in a case, the one with most slices has the role.

    An examination often has a T1 in three planes; all of them come in, and nobody is asked first.
    """
    best: dict[tuple[str, Role], _Named] = {}
    for one in sorted(named, key=lambda one: (-one.entry.planes, one.entry.name)):
        if _competes(one) and one.entry.role:
            best.setdefault((one.case, one.entry.role), one)
    return [
        replace(one, entry=replace(one.entry, role=None))
        if _competes(one) and one.entry.role and best[one.case, one.entry.role] is not one
        else one
        for one in named
    ]


def _competes(one: _Named) -> bool:
    return one.entry.kind == "dicom" and one.entry.status == "ok" and one.entry.role != "mask"


def _without_clashes(root: Path, named: list[_Named]) -> list[_Named]:
    places: dict[str, set[Path]] = defaultdict(set)
    for one in named:
        if one.entry.status == "ok":
            places[one.case.strip().lower()].add(one.place)
    return [_checked(root, one, places[one.case.strip().lower()]) for one in named]


def _checked(root: Path, one: _Named, places: set[Path]) -> _Named:
    if one.entry.status != "ok" or len(places) < 2:
        return one
    listed = " and ".join(name_below(root, place) for place in sorted(places)[:2])
    reason = f'two places hold a case named "{one.case}": {listed}'
    entry = replace(one.entry, status="error", reason=reason, advice=_SAME_NAME_ADVICE)
    return replace(one, entry=entry)
