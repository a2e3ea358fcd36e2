"""Which segmenters can be chosen for scores; light, so that pages can import it."""

from __future__ import annotations

from django.conf import settings

from synthesis.folders import label_maps_folder
from synthesis.models import Checkpoint

COMMAND, NETWORK, UPLOADED = "command", "network", "uploaded"


def segments(checkpoint: Checkpoint) -> bool:
    """Tell whether a checkpoint makes label maps, not images."""
    return "threshold" in checkpoint.card["architecture"]["settings"]


def choices() -> list[tuple[str, str]]:
    """Return what a scoring may segment with, and how it is called."""
    networks = [one for one in Checkpoint.objects.order_by("-created_at") if segments(one)]
    named = [(f"{NETWORK}:{one.pk}", f"network {one.run_folder}") for one in networks]
    maps = [(f"{UPLOADED}:{name}", f"label maps {name}") for name in uploaded()]
    program = [(COMMAND, "the program set up for this installation")]
    return [*named, *maps, *(program if settings.SEGMENTATION_COMMAND else [])]


def uploaded() -> list[str]:
    """Return the names of the label maps uploaded on the staff pages."""
    folder = label_maps_folder()
    return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.exists() else []
