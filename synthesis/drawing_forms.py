"""Orders to an unconditional generator."""

from __future__ import annotations

from typing import Any

from django import forms

from synthesis.drawing_kinds import truncates
from synthesis.models import Checkpoint

_LARGEST_SEED = 2**31


class _SeedForm(forms.Form):
    seed = forms.IntegerField(min_value=0, max_value=_LARGEST_SEED, initial=1, label="First seed")

    def __init__(self, *args: Any, checkpoint: Checkpoint, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{type(self).__name__.lower()}-%s")
        super().__init__(*args, **kwargs)
        if "truncation" in self.fields and not truncates(checkpoint):
            del self.fields["truncation"]


def _truncation() -> forms.FloatField:
    return forms.FloatField(
        min_value=0,
        max_value=1,
        initial=1,
        label="Truncation",
        help_text="1: the whole variety. Smaller: nearer to the mean image, fewer odd ones.",
    )


class DrawForm(_SeedForm):
    """Draw images."""

    count = forms.IntegerField(min_value=1, max_value=5000, initial=50, label="Number of images")
    truncation = _truncation()
    exclude_copies = forms.BooleanField(
        required=False,
        label="Leave out copies of training images",
        help_text="Images more like a training slice than unseen real ones are do not become "
        "cases; their seeds are recorded. Needs the training images and unseen real cases.",
    )
    field_order = ("count", "seed", "truncation", "exclude_copies")


class CutForm(_SeedForm):
    """Cut real slices to go with them."""

    count = forms.IntegerField(min_value=1, max_value=5000, initial=50, label="Number of slices")
    field_order = ("count", "seed")


class FilmForm(_SeedForm):
    """Film a walk."""

    stops = forms.IntegerField(min_value=2, max_value=60, initial=6, label="Images on the way")
    truncation = _truncation()
    field_order = ("stops", "seed", "truncation")
