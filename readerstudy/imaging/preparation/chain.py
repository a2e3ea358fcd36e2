"""Running a chain of steps over the series of a case, with an account of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.preparation.chain_spec import ChainError, StepSpec
from readerstudy.imaging.preparation.chain_steps import Item, Step, Tools
from readerstudy.imaging.preparation.records import tools

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class ChainResult:
    """What a chain made of a case.

    Attributes
    ----------
    items : mapping of str to Item
        By role.
    record : mapping
        "chain", "tools" (versions), "inputs" (digests of the arrays), "series" (role to records),
        and "sha256" over all of it but the seconds.
    """

    items: Mapping[str, Item]
    record: Mapping[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What a person should look at."""
        return [text for role in self.items for text in self.warnings_of(role)]

    def warnings_of(self, role: str) -> list[str]:
        """What a person should look at in one series."""
        told = [f"{role}: {text}" for one in self.items[role].records for text in one.warnings]
        return list(dict.fromkeys(told))


def run_chain(
    series: Mapping[str, Volume],
    chain: Sequence[StepSpec],
    *,
    lent: Tools | None = None,
    progress: Progress | None = None,
) -> ChainResult:
    """Run the steps in order over all series of a case.

    Parameters
    ----------
    series : mapping of str to Volume
        By role, such as "t1" or "flair"; "mask" is a segmentation and only moves along.
    chain : sequence of StepSpec
        From `parse_chain` or `load_chain`.
    lent : Tools, optional
        Masks, command and references.
    progress : callable, optional
        ``(done, of, message)``.

    Returns
    -------
    ChainResult
        No series is changed in place.

    Raises
    ------
    ChainError
        A step failed; the message names it and the series.
    """
    if not series:
        raise ChainError("the case has no series", "Import images first.")
    items = {role: Item(volume) for role, volume in series.items()}
    for number, spec in enumerate(chain, start=1):
        if progress:
            progress(number - 1, len(chain), f"Step {number} of {len(chain)}: {spec.name}")
        Step(number, spec, items, lent or Tools()).run()
    return ChainResult(items, account(chain, series, items))


def account(
    chain: Sequence[StepSpec], series: Mapping[str, Volume], items: Mapping[str, Item]
) -> dict[str, Any]:
    """What was asked for, with which tools, on what, and what was done, under one digest."""
    record: dict[str, Any] = {
        "chain": [spec.as_dict() for spec in chain],
        "tools": tools(),
        "inputs": {role: _digest(volume) for role, volume in series.items()},
        "series": {role: [one.as_dict() for one in item.records] for role, item in items.items()},
    }
    lasting = {
        role: [{key: value for key, value in one.items() if key != "seconds"} for one in records]
        for role, records in record["series"].items()
    }
    text = json.dumps({**record, "series": lasting}, sort_keys=True, separators=(",", ":"))
    return {**record, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _digest(volume: Volume) -> str:
    return hashlib.sha256(np.ascontiguousarray(volume.array).tobytes()).hexdigest()
