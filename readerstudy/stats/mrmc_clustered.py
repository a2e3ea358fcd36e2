"""Covariance of test-reader cells where cases of one patient are dependent.

Placements are summed within the patient before their products are taken, as in Obuchowski 1997
(Biometrics 53:567) for one AUC; for a proportion the residuals are (Rao & Scott 1992, Biometrics
48:577). With one case per patient both are the DeLong covariance.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.mrmc_covariance import Cells, Side
from readerstudy.stats.mrmc_design import factorise, named
from readerstudy.stats.placements import cluster_products
from readerstudy.stats.validation import FloatArray, IntArray, same_length


def clusters_by_case(case: npt.ArrayLike, cluster: npt.ArrayLike) -> dict[Any, Hashable]:
    """Return the patient of each case.

    Raises
    ------
    ValueError
        For columns of different lengths, or a case of two patients.
    """
    cases, clusters = factorise(case, "case"), factorise(cluster, "cluster")
    same_length(case=cases.codes, cluster=clusters.codes)
    pairs = np.unique(np.stack((cases.codes, clusters.codes)), axis=1)
    again = pairs[0][1:][np.diff(pairs[0]) == 0]
    if again.size:
        found = named(cases.labels[i] for i in np.unique(again))
        raise ValueError(f"cluster must be the same in all reads of a case; it differs for {found}")
    return {cases.labels[c]: clusters.labels[k] for c, k in zip(*pairs.tolist(), strict=True)}


def clustered_cells(cells: Cells, cluster_of: dict[Any, Hashable]) -> FloatArray:
    """Return the covariance matrix of the cells due to patients, shape (c, c).

    Parameters
    ----------
    cells : Cells
    cluster_of : dict
        Patient of each case of ``cells.reads.cases``.
    """
    labels: dict[Hashable, int] = {}
    codes = np.array(
        [labels.setdefault(cluster_of[case], len(labels)) for case in cells.reads.cases]
    )
    m = cells.reads.n_positive
    parts = (codes[:m], codes[m:]) if len(cells.sides) > 1 else (codes,)
    sums, has = zip(
        *(
            _sums(side, cells.value, of, len(labels))
            for side, of in zip(cells.sides, parts, strict=True)
        ),
        strict=True,
    )
    total = np.zeros((cells.value.size, cells.value.size))
    for side_sums, side_has in zip(sums, has, strict=True):
        total += cluster_products(side_sums, side_sums, side_has)
    if len(sums) > 1:
        cross = cluster_products(sums[0], sums[1], has[0] | has[1])
        total += cross + cross.T
    return total


def _sums(
    side: Side, value: FloatArray, cluster: IntArray, size: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return sums of deviations by patient over the cases of the cell, and who has a case."""
    deviation = side.wins / side.mean_wins[:, None] - value[:, None]
    deviation = deviation * side.read / side.count[:, None]
    rows = range(value.size)
    sums = [np.bincount(cluster, weights=deviation[row], minlength=size) for row in rows]
    has = [np.bincount(cluster, weights=side.read[row], minlength=size) > 0 for row in rows]
    return np.array(sums), np.array(has)
