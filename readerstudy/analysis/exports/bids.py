"""The images of a study as a BIDS derivative: what each case showed, with where it comes from.

Names are pseudonyms, dates there are none. Each image has a sidecar that says whether it is real
or synthetic and which generator made it; the file name says so too (``desc-synthetic``). A case
is a session of its subject. Series without a suffix in BIDS lie in a folder ``maps``, which
``.bidsignore`` names. Format: the Brain Imaging Data Structure 1.10, derivatives.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np

from readerstudy.analysis.facts import SYNTHETIC, Dataset

NAME = "bids.zip"
VERSION = "1.10.0"
SUFFIXES: dict[str, tuple[str, str, str]] = {
    "t1": ("anat", "", "T1w"),
    "t1c": ("anat", "_ce-gadolinium", "T1w"),
    "t2": ("anat", "", "T2w"),
    "flair": ("anat", "", "FLAIR"),
    "pd": ("anat", "", "PDw"),
}
PARTICIPANTS = {
    "participant_id": "Pseudonym of the person",
    "cases": "How many cases of the person the study showed",
    "real": "How many of them are real",
    "synthetic": "How many of them are synthetic",
}
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class ShownImage:
    """One series of a case of the study.

    ``array`` has the order (z, y, x); ``affine_lps`` leads from voxel (x, y, z) to LPS, mm.
    """

    case: str
    subject: str
    role: str
    origin: str
    generator: str
    array: Any
    affine_lps: Any
    unit: str = ""
    stratum: str = ""
    preparation: tuple[Any, ...] = ()
    sha256: str = ""


class Labels:
    """Labels of BIDS entities: letters and digits alone, each thing its own."""

    def __init__(self) -> None:
        self._by_thing: dict[str, str] = {}

    def of(self, thing: str) -> str:
        """Return the label of a thing, always the same one."""
        if thing not in self._by_thing:
            plain = re.sub(r"[^A-Za-z0-9]", "", thing) or "x"
            label, number = plain, 1
            while label in self._by_thing.values():
                number += 1
                label = f"{plain}n{number}"
            self._by_thing[thing] = label
        return self._by_thing[thing]


def bids_files(
    data: Dataset, images: Iterable[ShownImage], *, software: str
) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the data set by its path, images one by one.

    Parameters
    ----------
    data : Dataset
    images : iterable of ShownImage
    software : str
        Name and version of this program.
    """
    people, cases = Labels(), Labels()
    counts: dict[str, dict[str, set[str]]] = {}
    for image in images:
        held = counts.setdefault(image.subject, {"cases": set(), "real": set(), SYNTHETIC: set()})
        held["cases"].add(image.case)
        held.setdefault(image.origin, set()).add(image.case)
        path = _path(image, people.of(image.subject), cases.of(image.case))
        yield f"{path}.nii.gz", nifti_of(image)
        yield f"{path}.json", _json(_sidecar(image, software))
    yield "dataset_description.json", _json(_description(data, software))
    yield "README", _readme(data).encode()
    yield ".bidsignore", b"**/maps\n"
    yield "participants.tsv", _participants(counts, people)
    yield "participants.json", _json({n: {"Description": text} for n, text in PARTICIPANTS.items()})


def _path(image: ShownImage, person: str, case: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", image.role) or "image"
    folder, entities, suffix = SUFFIXES.get(image.role, ("maps", "", plain))
    desc = re.sub(r"[^A-Za-z0-9]", "", image.origin)
    name = f"sub-{person}_ses-{case}{entities}_desc-{desc}_{suffix}"
    return f"sub-{person}/ses-{case}/{folder}/{name}"


def nifti_of(image: ShownImage) -> bytes:
    """Return an image as gzipped NIfTI-1, in RAS, without a date and without a name."""
    affine = _LPS_TO_RAS @ np.asarray(image.affine_lps, dtype=float)
    array = np.ascontiguousarray(np.asarray(image.array).transpose(2, 1, 0))
    made = nibabel.Nifti1Image(array, affine)
    made.header.set_xyzt_units("mm", "sec")
    made.header["descrip"] = b"synthetic" if image.origin == SYNTHETIC else b""
    return gzip.compress(made.to_bytes(), compresslevel=4, mtime=0)


def _sidecar(image: ShownImage, software: str) -> dict[str, Any]:
    synthetic = image.origin == SYNTHETIC
    made = {
        "Description": f"{image.role} of case {image.case}, as stored for the reader study",
        "Origin": image.origin,
        "Synthetic": synthetic if image.origin in ("real", SYNTHETIC) else None,
        "Generator": image.generator if synthetic else None,
        "Units": image.unit or "arbitrary",
        "Stratum": image.stratum or None,
        "Preparation": list(image.preparation) or None,
        "ArraySHA256": image.sha256 or None,
        "SpatialReference": "orig",
        "SkullStripped": False,
        "WrittenBy": software,
    }
    return {key: value for key, value in made.items() if value is not None}


def _description(data: Dataset, software: str) -> dict[str, Any]:
    name, _, version = software.partition(" ")
    return {
        "Name": data.protocol.name,
        "BIDSVersion": VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": name,
                "Version": version,
                "Description": "Images shown in a blinded reader study; synthetic ones are named",
            }
        ],
        "SourceDatasets": [{"Version": data.protocol.hash}] if data.protocol.hash else [],
    }


def _readme(data: Dataset) -> str:
    return (
        f"Images of the reader study “{data.protocol.name}”.\n\n"
        "Every subject is a pseudonym and every session a case of the study. Files with "
        "desc-synthetic were made by a generator, which their sidecar names (field Generator); "
        "they are no images of a patient. For research only.\n"
    )


def _participants(counts: Mapping[str, Mapping[str, set[str]]], people: Labels) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(PARTICIPANTS)
    for subject, held in counts.items():
        numbers = (len(held[name]) for name in ("cases", "real", SYNTHETIC))
        writer.writerow((f"sub-{people.of(subject)}", *numbers))
    return out.getvalue().encode()


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
