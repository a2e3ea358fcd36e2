"""Which subject trains and which is held out: drawn once by subject, stored with fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from synthesis.data.sealed import Sealed
from synthesis.data.subjects import DataError

Part = Literal["train", "validation"]


@dataclass(frozen=True)
class SplitEntry:
    """One subject of the split with the fingerprints of its files and of their values."""

    name: str
    part: Part
    file_sha256: dict[str, str]
    content_sha256: dict[str, str]


@dataclass(frozen=True)
class Split(Sealed):
    """The stored split of a training run.

    Attributes
    ----------
    seed : int
        Seed of the draw.
    validation_fraction : float
        Share of subjects asked for.
    entries : tuple of SplitEntry
        Sorted by name.
    """

    schema = "readerstudy-split/1"
    refusal = DataError

    seed: int
    validation_fraction: float
    entries: tuple[SplitEntry, ...]

    def names(self, part: Part) -> list[str]:
        """Return the names of the subjects of one part."""
        return [entry.name for entry in self.entries if entry.part == part]

    def facts(self) -> dict[str, Any]:
        """Return data, parts and seed."""
        return {
            "seed": self.seed,
            "validation_fraction": self.validation_fraction,
            "subjects": [asdict(entry) for entry in self.entries],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Split:
        """Make the split of its `facts`."""
        entries = tuple(SplitEntry(**entry) for entry in facts["subjects"])
        return cls(facts["seed"], facts["validation_fraction"], entries)


def draw_parts(
    names: list[str],
    *,
    validation_fraction: float,
    seed: int,
    patients: Mapping[str, str] | None = None,
    folds: int | None = None,
    fold: int = 0,
) -> dict[str, Part]:
    """Assign subjects to training or validation, whole patients at a time.

    The patients are sorted and shuffled by a generator seeded with ``seed``. Without ``folds`` the
    first ``round(validation_fraction * n)`` of them, at least one, are held out. With ``folds``
    they are dealt into that many parts, as equal as possible, and part ``fold`` is held out: the
    folds of one seed hold out every patient exactly once.

    Parameters
    ----------
    names : list of str
        Subjects (examinations); of at least two patients.
    validation_fraction : float
        In (0, 1).
    seed : int
    patients : mapping of str to str, optional
        Patient of each subject; every subject is a patient of its own without it.
    folds, fold : int
        Parts of a cross-validation, and which of them, from 0.

    Raises
    ------
    DataError
        If there are too few patients to hold one out and still train, or to fill the folds.
    """
    if not 0.0 < validation_fraction < 1.0:
        raise DataError(f"validation_fraction must lie between 0 and 1, got {validation_fraction}.")
    owner = patients or {name: name for name in names}
    units = sorted({owner[name] for name in names})
    if len(units) < 2:
        raise DataError(
            f"Found {len(units)} complete subject(s); training needs at least two, one of them "
            "held out for validation. Add subjects."
        )
    order = np.random.default_rng(seed).permutation(len(units))
    held_out = {units[index] for index in _held_out(order, validation_fraction, folds, fold)}
    return {name: "validation" if owner[name] in held_out else "train" for name in sorted(names)}


def _held_out(
    order: npt.NDArray[np.int64], fraction: float, folds: int | None, fold: int
) -> npt.NDArray[np.int64]:
    if folds is None:
        return order[: min(max(1, round(fraction * len(order))), len(order) - 1)]
    if len(order) < folds:
        raise DataError(
            f"{folds} folds need at least {folds} patients, found {len(order)}. Ask for fewer."
        )
    return np.array_split(order, folds)[fold]
