"""The images of a generation run as arrays: made, acquired, before contrast, labels.

All are RAS (z, y, x). Acquired images are brought to the grey scale of the generated ones, so that
both are scored alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.frames import plane_of, to_plane
from synthesis import drawn_images
from synthesis.data.subjects import brain_mask, find_subjects, load_volume
from synthesis.folders import run_folder
from synthesis.generate import SPLIT_FILE
from synthesis.levels import OutputMapping
from synthesis.metrics.imagesets import NamedVolume
from synthesis.models import GenerationRun, TrainingRun
from synthesis.networks.images import POOLED_ROLE
from synthesis.scales import Array, Mask, mapping_of, ras, shown, unchanged_map
from synthesis.training.checkpoints import read_json
from synthesis.training.places import SNAPSHOTS

BEFORE_CONTRAST = {"t1c": "t1"}
"""What doing nothing would show in place of a generated image."""
ONE_LABEL = "the mask of this case holds one number only: it does not tell the parts of a tumour"


@dataclass(frozen=True, eq=False)
class RunCase:
    """One generated image and what it is compared with.

    Attributes
    ----------
    source, case : Case
        The case it was made from, and its own.
    made : ndarray (z, y, x)
    truth : ndarray or None
        The acquired image on the same grey scale.
    before : ndarray or None
        What doing nothing would show, on that scale: the image before contrast, or for a map in
        its unit what `unchanged_map` gives.
    brain : bool ndarray
    inputs : dict of str to ndarray
        Acquired series by role, as stored.
    labels : ndarray or None
        Of the mask series.
    no_labels : str
        Why there are none.
    spacing_mm : (float, float, float)
        (z, y, x).
    """

    source: Case
    case: Case
    made: Array
    truth: Array | None
    before: Array | None
    brain: Mask
    inputs: dict[str, Array]
    labels: Array | None
    no_labels: str
    spacing_mm: tuple[float, float, float]


def pairs_of(run: GenerationRun) -> list[tuple[Case, Case]]:
    """Return source and synthetic case of each image, in the order of their codes."""
    entries = [entry for entry in run.record.get("cases", {}).values() if entry.get("source")]
    codes = {code for entry in entries for code in (entry["source"], entry["case"])}
    cases = {c.code: c for c in Case.objects.filter(code__in=codes).select_related("subject")}
    pairs = [(cases[entry["source"]], cases[entry["case"]]) for entry in entries]
    return sorted(pairs, key=lambda pair: pair[0].code)


def load_case(run: GenerationRun, source: Case, case: Case) -> RunCase:
    """Load what is scored of one image.

    Raises
    ------
    ReaderStudyError
        If the generated series is missing.
    """
    made = case.series.filter(role=run.role).first()
    if made is None:
        raise ReaderStudyError(f"Case {case.code} has no {run.role} series to score.")
    pixels = ras(made)
    own = {s.role: s for s in source.series.all() if tuple(s.shape) == pixels.shape}
    inputs = {role: ras(s) for role, s in own.items() if role not in (run.role, "mask")}
    brain = _brain(run, inputs, pixels)
    labels, reason = _labels(own.get("mask"))
    scale = mapping_of(run)
    return RunCase(
        source=source,
        case=case,
        made=pixels,
        truth=shown(ras(own[run.role]), brain, scale) if run.role in own else None,
        before=_before(run, inputs, brain, scale),
        brain=brain,
        inputs=inputs,
        labels=labels,
        no_labels=reason,
        spacing_mm=(made.spacing_mm[0], made.spacing_mm[1], made.spacing_mm[2]),
    )


def _before(
    run: GenerationRun, inputs: Mapping[str, Array], brain: Mask, scale: OutputMapping
) -> Array | None:
    if scale.in_unit:
        return unchanged_map(run.checkpoint, inputs, brain)
    before = BEFORE_CONTRAST.get(run.role, "")
    return shown(inputs[before], brain, scale) if before in inputs else None


def _brain(run: GenerationRun, inputs: dict[str, Array], pixels: Array) -> Mask:
    settings = run.checkpoint.card.get("architecture", {}).get("settings", {})
    named = [inputs[role] for role in settings.get("inputs", ()) if role in inputs]
    return brain_mask(named) if named else pixels != 0


def _labels(mask: Series | None) -> tuple[Array | None, str]:
    if mask is None:
        return None, "the case has no label map (a mask series on the same grid)"
    values = ras(mask)
    numbers = set(np.unique(values).tolist()) - {0}
    if len(numbers) == 1:
        return None, ONE_LABEL
    return np.rint(values).astype(np.int32), ""


# Sets of images


def roles_of(run: GenerationRun) -> tuple[str, ...]:
    """Return the sequences that a run made, each scored as a set of its own."""
    if not is_drawn(run):
        return (run.role,)
    settings = run.checkpoint.card["architecture"]["settings"]
    return (POOLED_ROLE,) if settings.get("pooled") else tuple(settings["roles"])


def is_drawn(run: GenerationRun) -> bool:
    """Tell whether the images of a run were drawn from nothing, without a source."""
    return "samples" in run.record


def made_volumes(run: GenerationRun, role: str) -> Iterator[NamedVolume]:
    """Yield every image of a run."""
    codes = [entry["case"] for entry in run.record.get("cases", {}).values()]
    sources = {case.code: source for source, case in pairs_of(run)}
    for series in _series(role, Case.objects.filter(code__in=codes)):
        source = sources.get(series.case.code)
        patient = source.subject.code if source else series.case.code
        values = as_axial(series) if is_drawn(run) else ras(series)
        yield NamedVolume(values, patient, series.case.code)


def as_axial(series: Series) -> Array:
    """Return a single slice of any plane as if it were axial (1, y, x), turned as `ras` does."""
    seen = to_plane(canonical.load_array(series), plane_of(series.shape))
    return np.ascontiguousarray(seen[:, ::-1, ::-1])


def real_volumes(run: GenerationRun, role: str) -> Iterator[NamedVolume]:
    """Yield the acquired counterparts of a run's images; of drawn ones, unseen real slices."""
    if is_drawn(run):
        yield from drawn_images.real_slices(run, role)
        return
    codes = [source.code for source, _ in pairs_of(run)]
    for series in _series(role, Case.objects.filter(code__in=codes)):
        yield _on_scale(run, ras(series), series.case.subject.code, series.case.code)


def before_volumes(run: GenerationRun, role: str) -> Iterator[NamedVolume]:
    """Yield the images before contrast of a run's sources, on its grey scale."""
    before = BEFORE_CONTRAST.get(role)
    codes = [source.code for source, _ in pairs_of(run)]
    if before and not is_drawn(run):
        for series in _series(before, Case.objects.filter(code__in=codes)):
            yield _on_scale(run, ras(series), series.case.subject.code, series.case.code)


def training_volumes(
    run: GenerationRun, role: str, folder: Path | None = None
) -> Iterator[NamedVolume]:
    """Yield the images that trained the generator: imported cases, or from the training folder.

    Parameters
    ----------
    run : GenerationRun
    role : str
    folder : Path, optional
        Of subjects; without it that of the order to train, where it is still there.
    """
    place = folder or _ordered_folder(run)
    if is_drawn(run):
        yield from drawn_images.training_slices(run, role, place)
        return
    keys = run.checkpoint.training_subjects.values_list("source_key", flat=True)
    cases = Case.objects.filter(subject__source_key__in=set(keys))
    found = False
    for series in _series(role, cases):
        found = True
        yield _on_scale(run, ras(series), series.case.subject.code, series.case.code)
    if not found and place is not None:
        yield from _from_folder(run, role, place)


def _ordered_folder(run: GenerationRun) -> Path | None:
    name = run.checkpoint.run_folder.partition(f"/{SNAPSHOTS}/")[0]
    order = TrainingRun.objects.filter(name=name).first()
    place = Path(order.data) if order and order.data else None
    return place if place and place.is_dir() else None


def _from_folder(run: GenerationRun, role: str, folder: Path) -> Iterator[NamedVolume]:
    split = run_folder(run.checkpoint.run_folder) / SPLIT_FILE
    subjects = read_json(split)["subjects"] if split.exists() else []
    training = {one["name"] for one in subjects if one["part"] == "train"}
    for number, files in enumerate(find_subjects(folder, [role]).subjects, start=1):
        if not training or files.name in training:
            values = load_volume(files.paths[role]).values
            name = f"training subject {number}"
            yield _on_scale(run, values, name, name)


def _on_scale(run: GenerationRun, values: Array, patient: str, name: str) -> NamedVolume:
    return NamedVolume(shown(values, values != 0, mapping_of(run)), patient, name)


def _series(role: str, cases: Iterable[Case]) -> Iterator[Series]:
    """Yield one series of each case, in the order of their codes."""
    rows = Series.objects.filter(role=role, case__in=cases).select_related("case__subject")
    yield from rows.order_by("case__code")
