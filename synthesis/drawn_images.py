"""Real slices beside images that were drawn from nothing: cut as the generator's own were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from django.db.models import Q

from readerstudy.cases.models import Case, Series
from synthesis.data.slices import cut_slices
from synthesis.data.subjects import Subject as Images
from synthesis.data.subjects import find_subjects, load_subject
from synthesis.drawing import images_of, slice_rule
from synthesis.drawing_kinds import free_for_slices
from synthesis.metrics.imagesets import NamedVolume
from synthesis.models import Checkpoint, GenerationRun
from synthesis.sampling import finished


def real_slices(run: GenerationRun, role: str) -> Iterator[NamedVolume]:
    """Yield slices of real cases that the generator never met."""
    cases = Case.objects.filter(code__in=free_for_slices(run.checkpoint)).order_by("code")
    yield from _of_cases(run.checkpoint, cases, role)


def training_slices(run: GenerationRun, role: str, folder: Path | None) -> Iterator[NamedVolume]:
    """Yield the slices that trained the generator, of imported cases or of a folder."""
    keys = run.checkpoint.training_subjects.values_list("source_key", flat=True)
    flat = Series.objects.filter(Q(shape__0=1) | Q(shape__1=1) | Q(shape__2=1))
    cases = Case.objects.filter(subject__source_key__in=set(keys)).exclude(series__in=flat)
    for wanted in _sequences(run.checkpoint):
        cases = cases.with_role(wanted)
    known = list(cases.order_by("code").distinct())
    if known or folder is None:
        yield from _of_cases(run.checkpoint, known, role)
        return
    sequences = _sequences(run.checkpoint)
    for number, files in enumerate(find_subjects(folder, sequences).subjects, start=1):
        images = load_subject(files, inputs=sequences)
        name = f"training subject {number}"
        yield from _slices(run.checkpoint, images, role, name, name)


def _sequences(checkpoint: Checkpoint) -> list[str]:
    return list(checkpoint.card["architecture"]["settings"]["roles"])


def _of_cases(checkpoint: Checkpoint, cases: Iterable[Case], role: str) -> Iterator[NamedVolume]:
    for case in cases:
        images = images_of(case, _sequences(checkpoint))
        yield from _slices(checkpoint, images, role, case.subject.code, case.code)


def _slices(
    checkpoint: Checkpoint, images: Images, role: str, patient: str, name: str
) -> Iterator[NamedVolume]:
    """Cut a subject; of a generator that pooled its sequences, every sequence is a slice."""
    sequences = _sequences(checkpoint)
    cut = cut_slices(images, sequences, slice_rule(checkpoint))
    pooled = checkpoint.card["architecture"]["settings"].get("pooled", False)
    channels = range(len(sequences)) if pooled else [sequences.index(role)]
    for number, image in zip(cut.numbers, cut.images, strict=True):
        for channel in channels:
            kept = [channel] if pooled else range(len(sequences))
            levels = finished(image[list(kept)].astype(np.float32))
            shown = levels[0 if pooled else channel][None]
            yield NamedVolume(shown[:, ::-1, ::-1], patient, f"{name} slice {number}")
