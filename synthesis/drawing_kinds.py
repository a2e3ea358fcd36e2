"""What kind of generator a checkpoint is, told from its model card, without PyTorch."""

from __future__ import annotations

import json

from django.db.models import Q

from readerstudy.cases.models import Case
from readerstudy.truth.models import Origin
from synthesis.folders import run_folder
from synthesis.models import Checkpoint

FILM_FILE = "film.mp4"


def draws_images(checkpoint: Checkpoint) -> bool:
    """Does this checkpoint make images from seeds, without a source?"""
    return {"latent", "plane"} <= set(checkpoint.card["architecture"]["settings"])


def truncates(checkpoint: Checkpoint) -> bool:
    """Does it take a truncation?"""
    return "mapping_layers" in checkpoint.card["architecture"]["settings"]


def has_film(checkpoint: Checkpoint) -> bool:
    """Was a film made of it?"""
    return (run_folder(checkpoint.run_folder) / FILM_FILE).exists()


def free_for_slices(checkpoint: Checkpoint) -> list[str]:
    """Return codes of real volumes with every sequence whose subject the generator never met."""
    cases = Case.objects.available()
    for role in checkpoint.card["architecture"]["settings"]["roles"]:
        cases = cases.with_role(role)
    names = checkpoint.training_subjects.values_list("source_key", flat=True)
    cases = cases.exclude(subject__source_key__in=names)
    cases = cases.exclude(series__source_sha256__in=_trained_files(checkpoint))
    real = Origin.objects.filter(case__in=cases, kind=Origin.Kind.REAL)
    thin = Q(series__shape__0=1) | Q(series__shape__1=1) | Q(series__shape__2=1)
    flat = set(Case.objects.filter(thin).values_list("code", flat=True))
    return sorted(set(real.values_list("case__code", flat=True)) - flat)


def _trained_files(checkpoint: Checkpoint) -> set[str]:
    split = json.loads((run_folder(checkpoint.run_folder) / "split.json").read_text())
    return {digest for one in split["subjects"] for digest in one["file_sha256"].values()}
