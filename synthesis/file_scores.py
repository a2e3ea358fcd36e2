"""Score image files against image files: two files, or two folders of equal names. No database."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.core.errors import ReaderStudyError
from synthesis.data.subjects import DataError, Loaded, load_volume, zscore
from synthesis.metrics.regions import (
    BRAIN,
    REGIONS,
    LabelScheme,
    RegionScore,
    parse_scheme,
    region_masks,
    scheme_of,
    score_regions,
)
from synthesis.metrics.regions import SYNTHETIC as PREDICTION
from synthesis.metrics.resampling import mean_interval

SUFFIXES = (".nii.gz", ".nii")
COLUMNS = ("image", "preset", "region", "metric", "value", "voxels", "reason")
_SAME_MM = 1e-3
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FileOrder:
    """What is compared, and how.

    Attributes
    ----------
    prediction, truth : Path
        Two NIfTI files, or two folders whose files have the same names below them.
    presets, regions : sequence of str
    mask, labels : Path or None
        A file or a folder likewise: voxels that count, and label maps of the regions. Without a
        mask those voxels count in which the truth is not zero.
    scheme : str
        Numbers of the label maps: "auto", a known scheme, or as in `parse_scheme`.
    zscores : bool
        Bring both to z-scores within the mask first: where they have no common scale.
    """

    prediction: Path
    truth: Path
    presets: Sequence[str]
    regions: Sequence[str] = (BRAIN,)
    mask: Path | None = None
    labels: Path | None = None
    scheme: str = "auto"
    zscores: bool = False


@dataclass(frozen=True)
class Pair:
    """Two files of one name."""

    name: str
    prediction: Path
    truth: Path
    mask: Path | None
    labels: Path | None


def score_files(order: FileOrder) -> list[dict[str, Any]]:
    """Return one row for each image, preset, region and metric (`COLUMNS`).

    Raises
    ------
    ReaderStudyError
        If files are missing, lie on different grids or cannot be read; nothing is left out.
    """
    if unknown := sorted(set(order.regions) - set(REGIONS)):
        raise ReaderStudyError(f"Unknown region {', '.join(unknown)}. Known: {', '.join(REGIONS)}.")
    if order.labels is None and set(order.regions) - {BRAIN}:
        raise ReaderStudyError("Parts of a tumour need label maps: name --label-maps.")
    try:
        pairs = pairs_of(order)
        scheme = _scheme(pairs, order.scheme)
        return [row for pair in pairs for row in _rows(pair, order, scheme)]
    except (DataError, ValueError) as error:
        raise ReaderStudyError(str(error)) from error


def pairs_of(order: FileOrder) -> list[Pair]:
    """Return the pairs of an order, by name.

    Raises
    ------
    ReaderStudyError
        If a file has no partner.
    """
    names = [_names(place) for place in (order.prediction, order.truth)]
    if len({place.is_dir() for place in (order.prediction, order.truth)}) > 1:
        raise ReaderStudyError("Name two files or two folders, not one of each.")
    if not order.truth.is_dir():
        return [
            Pair(order.prediction.name, order.prediction, order.truth, order.mask, order.labels)
        ]
    alone = sorted(names[0] ^ names[1])
    if alone or not names[0]:
        first = ", ".join(alone[:5]) or "there are no NIfTI files"
        raise ReaderStudyError(f"Both folders must hold files of the same names: {first}.")
    return [
        Pair(name, order.prediction / name, order.truth / name, *_along(order, name))
        for name in sorted(names[0])
    ]


def _names(place: Path) -> set[str]:
    if not place.exists():
        raise ReaderStudyError(f"There is no file or folder {place}.")
    if not place.is_dir():
        return {place.name}
    files = (path for path in place.rglob("*") if path.name.endswith(SUFFIXES))
    return {path.relative_to(place).as_posix() for path in files}


def _along(order: FileOrder, name: str) -> Iterator[Path | None]:
    for place in (order.mask, order.labels):
        yield place / name if place is not None and place.is_dir() else place


def _scheme(pairs: Sequence[Pair], name: str) -> LabelScheme | None:
    """Return the scheme of all label maps together; None where there are none."""
    if "=" in name:
        return parse_scheme(name)
    maps = [_labels(pair.labels) for pair in pairs if pair.labels is not None]
    return scheme_of(maps, name) if maps else None


def _labels(path: Path) -> npt.NDArray[np.int32]:
    return np.rint(load_volume(path, may_be_empty=True).values).astype(np.int32)


def _rows(pair: Pair, order: FileOrder, scheme: LabelScheme | None) -> list[dict[str, Any]]:
    truth = load_volume(pair.truth)
    made = _on_grid(pair.prediction, truth)
    brain: Mask = truth.values != 0
    if pair.mask is not None:
        brain = _on_grid(pair.mask, truth, may_be_empty=True) != 0
    real = truth.values
    if order.zscores:
        made, real = (zscore(np.where(brain, one, 0), name=pair.name).z for one in (made, real))
    labels = None
    if pair.labels is not None:
        labels = np.rint(_on_grid(pair.labels, truth, may_be_empty=True)).astype(np.int32)
    masks = region_masks(brain, labels, order.regions, scheme)
    found = score_regions({PREDICTION: made}, real, masks, presets=order.presets)
    return [_row(pair, score) for score in found]


def _on_grid(path: Path, truth: Loaded, *, may_be_empty: bool = False) -> npt.NDArray[Any]:
    other = load_volume(path, may_be_empty=may_be_empty)
    same = other.values.shape == truth.values.shape
    if not same or not np.allclose(other.affine, truth.affine, atol=_SAME_MM):
        raise ReaderStudyError(
            f"{path.name} lies on another grid than the true image. Register and resample it first."
        )
    return other.values


def _row(pair: Pair, score: RegionScore) -> dict[str, Any]:
    value = None if math.isnan(score.value) else score.value
    told = (pair.name, score.preset, score.region, score.metric, value, score.voxels, score.reason)
    return dict(zip(COLUMNS, told, strict=True))


def means_of(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the mean of each metric over images with a 95 % interval over them."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["preset"], row["region"], row["metric"]), []).append(row)
    means = []
    for (preset, region, metric), members in groups.items():
        values = [math.nan if one["value"] is None else one["value"] for one in members]
        found = mean_interval(values, [one["image"] for one in members])
        means.append(
            {
                "preset": preset, "region": region, "metric": metric, "mean": found.value,
                "low": found.low, "high": found.high, "images": found.images,
                "undefined": sum(one["value"] is None for one in members),
            }
        )  # fmt: skip
    return means


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
