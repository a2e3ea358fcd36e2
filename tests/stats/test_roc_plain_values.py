"""Results hold plain Python numbers: no numpy scalar reaches a template, a log or JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from readerstudy.stats.mrmc import dorfman_berbaum_metz, obuchowski_rockette, u_statistic
from readerstudy.stats.mrmc_planning import mrmc_power, n_auc, n_auc_difference
from readerstudy.stats.results import Result
from readerstudy.stats.roc import (
    auc,
    bootstrap_auc,
    bootstrap_auc_difference,
    clustered_auc,
    delong_test,
    delong_test_unpaired,
    hanley_mcneil_se,
    partial_auc,
    roc_curve,
    youden,
)
from tests.stats.golden_mrmc import RANDOM, columns, designs, van_dyke

STUDY = {name: np.array(values) for name, values in columns(van_dyke()).items()}
TRUTH, A, B = STUDY["truth"][:114], STUDY["score"][:114], STUDY["score"][570:684]
SINGLE: dict[str, Callable[[], Result]] = {
    "auc": lambda: auc(TRUTH, A, ci="logit"),
    "delong": lambda: delong_test(TRUTH, A, B),
    "clustered delong": lambda: delong_test(TRUTH, A, B, cluster=np.arange(114)),
    "unpaired": lambda: delong_test_unpaired(TRUTH, A, TRUTH, B, reference="t"),
    "clustered": lambda: clustered_auc(TRUTH, A, np.arange(114)),
    "youden": lambda: youden(TRUTH, A),
    "partial": lambda: partial_auc(TRUTH, A, max_fpr=0.3),
    "curve": lambda: roc_curve(TRUTH, A),
    "hanley": lambda: hanley_mcneil_se(0.8, 5, 5),
    "bootstrap": lambda: bootstrap_auc(TRUTH, A, n_boot=50, interval="bca"),
    "bootstrap difference": lambda: bootstrap_auc_difference(TRUTH, A, B, n_boot=50),
    "size": lambda: n_auc(0.8),
    "size of a difference": lambda: n_auc_difference(TRUTH, A, B),
}


def numpy_scalars(value: Any, path: str = "") -> Iterator[str]:
    """Return where numpy scalars stand; arrays are allowed."""
    if isinstance(value, np.generic):
        yield f"{path}: {type(value).__name__}"
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numpy_scalars(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numpy_scalars(key, f"{path} key")
            yield from numpy_scalars(item, f"{path}[{key!r}]")
    elif isinstance(value, tuple | list):
        for item in value:
            yield from numpy_scalars(item, f"{path}[]")


def _check(result: Result) -> None:
    assert list(numpy_scalars(result)) == []
    assert result.summary()
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", SINGLE)
def test_one_score(name: str) -> None:
    _check(SINGLE[name]())


@pytest.mark.parametrize("random", RANDOM.values())
def test_many_readers(random: str) -> None:
    pilot = obuchowski_rockette(**STUDY, random=random)
    _check(pilot)
    _check(dorfman_berbaum_metz(**STUDY, random=random))
    _check(u_statistic(**STUDY, random=random))
    _check(mrmc_power(pilot, effect=0.05, n_readers=5, n_cases=100, random=random))
    for name in ("case_in_reader", "reader_in_test"):
        _check(obuchowski_rockette(**columns(designs()[name]), random=random))
