"""Write made-up patients as NIfTI folders, one by one or as a cohort that can be resumed."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from synthesis.phantom.grid import Triple
from synthesis.phantom.subject import Subject, make_subject

IMAGE_NAMES = {"t1": "t1n", "t1c": "t1c", "t2": "t2w", "flair": "t2f"}
SEGMENTATION = "seg.nii.gz"
DESCRIPTION = "description.json"
# Later entries win where masks overlap; the numbers are those of BraTS 2023.
LABELS = (("plaque", 2), ("oedema", 2), ("necrosis", 1), ("enhancing", 3))
Progress = Callable[[int, int, str], None]


def segmentation(subject: Subject) -> NDArray[np.uint8]:
    """Labels (z, y, x): 1 necrotic core, 2 oedema, infiltration or plaque, 3 enhancing, 0 other."""
    labels = np.zeros(subject.brain_mask.shape, np.uint8)
    for name, number in LABELS:
        if name in subject.masks:
            labels[subject.masks[name] > 0] = number
    return labels


def expected_files(*, include_masks: bool) -> tuple[str, ...]:
    """Names of the files that ``write_subject`` leaves in a folder."""
    images = tuple(f"{name}.nii.gz" for name in IMAGE_NAMES.values())
    return (*images, SEGMENTATION, DESCRIPTION) if include_masks else images


def write_subject(subject: Subject, folder: Path | str, *, include_masks: bool = True) -> None:
    """Write ``t1n``, ``t1c``, ``t2w``, ``t2f`` and, if asked, ``seg`` and the description.

    Parameters
    ----------
    folder : path
        Made if missing; files of the same name are replaced.
    include_masks : bool
        False leaves out everything that tells where and what the lesion is.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for key, name in IMAGE_NAMES.items():
        _save(subject.sequences[key], subject.affine, target / f"{name}.nii.gz")
    if include_masks:
        _save(segmentation(subject), subject.affine, target / SEGMENTATION)
        text = json.dumps(subject.description, indent=2, sort_keys=True) + "\n"
        (target / DESCRIPTION).write_text(text, encoding="utf-8")


def _save(
    volume: NDArray[np.int16] | NDArray[np.uint8], affine: NDArray[np.float64], path: Path
) -> None:
    image = nib.Nifti1Image(np.ascontiguousarray(volume.transpose(2, 1, 0)), affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


def write_cohort(
    folder: Path | str,
    seeds: Iterable[int],
    *,
    workers: int = 2,
    spacing_mm: Triple = (2.0, 1.0, 1.0),
    lesion: str | None = None,
    include_masks: bool = True,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``folder/phantom-0001`` and so on, one folder per seed; finished ones are kept.

    Parameters
    ----------
    seeds : iterable of int
        The folder name is the seed with four digits, so that a cohort can grow.
    workers : int
        Processes; each takes about 1.5 GB. 1 works in this process.
    progress : callable, optional
        Called with (finished, total, folder name) after each subject, also the skipped ones.

    Returns
    -------
    list of Path
        Folders in the order of the seeds.

    Raises
    ------
    ValueError
        If ``workers`` is below 1 or a seed occurs twice.
    FileExistsError
        If a target folder exists but lacks files.
    """
    wanted = list(seeds)
    if workers < 1:
        msg = f"workers must be at least 1; got {workers}"
        raise ValueError(msg)
    if len(set(wanted)) != len(wanted):
        msg = "a seed occurs twice; every seed makes one folder, so give each once"
        raise ValueError(msg)
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    targets = {seed: root / f"phantom-{seed:04d}" for seed in wanted}
    missing = [seed for seed in wanted if not _complete(targets[seed], include_masks)]
    report = _Reporter(len(wanted), progress)
    for seed in wanted:
        if seed not in missing:
            report(targets[seed])
    jobs = [(seed, targets[seed], spacing_mm, lesion, include_masks) for seed in missing]
    _run(jobs, workers, report)
    return list(targets.values())


class _Reporter:
    """Counts finished folders and tells the caller."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def __call__(self, target: Path) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total, target.name)


Job = tuple[int, Path, Triple, str | None, bool]


def _run(jobs: list[Job], workers: int, report: _Reporter) -> None:
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            report(_write_one(job))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        for future in as_completed([pool.submit(_write_one, job) for job in jobs]):
            report(future.result())


def _complete(target: Path, include_masks: bool) -> bool:
    if not target.exists():
        return False
    lacking = [n for n in expected_files(include_masks=include_masks) if not (target / n).is_file()]
    if lacking:
        msg = f"{target} exists but lacks {', '.join(lacking)}; move or delete it and run again"
        raise FileExistsError(msg)
    return True


def _write_one(job: Job) -> Path:
    """Write to a folder beside the target, then rename: a folder is either whole or absent."""
    seed, target, spacing_mm, lesion, include_masks = job
    partial = target.with_name(f".{target.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    subject = make_subject(seed, spacing_mm=spacing_mm, lesion=lesion)
    write_subject(subject, partial, include_masks=include_masks)
    partial.rename(target)
    return target
