"""Where a run keeps the networks of its validations. Light, so that pages can import it."""

from __future__ import annotations

SNAPSHOTS = "snapshots"


def snapshot_of(step: int) -> str:
    """Return the place of the network after a step, below the folder of its run."""
    return f"{SNAPSHOTS}/{step:07d}"
