"""Sorting files that hold an image each: NIfTI, MGH, PNG; and saying what the others are."""

from dataclasses import replace
from pathlib import Path

from readerstudy.imaging import bids
from readerstudy.imaging.dicom_files import looks_like_dicom
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.found import (
    Entry,
    FoundKind,
    name_below,
    unusable,
)
from readerstudy.imaging.nifti import check_nifti, looks_like_analyze, looks_like_nifti
from readerstudy.imaging.png import looks_like_png
from readerstudy.imaging.sequences import Role, role_of

_PAIR = (".hdr", ".hdr.gz")
_BY_NAME: dict[tuple[str, ...], FoundKind] = {
    (".mgh", ".mgz", ".mgh.gz"): "mgh",
    (".png",): "png",
    (".nii", ".nii.gz"): "nifti",
}
_WHY_SKIPPED = {
    (".img", ".img.gz"): (
        "the voxels of a pair of files; they are read with the .hdr file of that name"
    ),
    (".nrrd", ".nhdr", ".mha", ".mhd", ".mnc", ".par", ".rec", ".2dseq"): (
        "an image format that is not read; convert it to .nii.gz"
    ),
    (".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"): (
        "a picture that is not read; save it as a grey PNG"
    ),
    (".dcm.gz", ".ima.gz", ".dicom.gz"): "a packed DICOM file; unpack it with gunzip first",
    (".json",): "notes beside an image; the acquisition facts in them are read with the image",
}


def image_kind(file: Path) -> FoundKind | None:
    """Kind of a single image file, by content, or by name where the content is damaged."""
    if looks_like_png(file):
        return "png"
    if looks_like_nifti(file):
        return "nifti"
    if looks_like_dicom(file):
        return None
    name = file.name.lower()
    if name.endswith(_PAIR) and looks_like_analyze(file):
        return "nifti"
    named = (kind for endings, kind in _BY_NAME.items() if name.endswith(endings))
    return next(named, None)


def image_entry(root: Path, file: Path, kind: FoundKind) -> Entry:
    """Entry of an image file; an error where its header already says that it cannot be read."""
    entry = Entry(kind, (file,), file.parent, name_below(root, file), _role(file))
    try:
        if kind == "nifti":
            check_nifti(file)
    except ImageError as error:
        return replace(entry, status="error", reason=error.reason, advice=error.advice)
    return entry


def _role(file: Path) -> Role | None:
    if bids.follows_bids(file):
        return bids.role_of_file(file)
    return role_of(file.name) or role_of(file.parent.name)


def other_entry(root: Path, file: Path) -> Entry:
    """Entry of a file that is none of the images that are read."""
    return unusable(root, file, "skipped", why_skipped(file))


def why_skipped(file: Path) -> str:
    """Why a file is left out, as a plain clause."""
    if file.is_symlink():
        return "a link; links are not followed"
    if not file.is_file():
        return "not a plain file"
    if file.name.upper() == "DICOMDIR":
        return "an index of DICOM files; the files themselves are read"
    name = file.name.lower()
    told = (reason for endings, reason in _WHY_SKIPPED.items() if name.endswith(endings))
    return next(told, "not a NIfTI or DICOM image")
