"""Obuchowski-Rockette with several cases of one patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readerstudy.stats import clustered_proportion, delong_test, obuchowski_rockette
from tests.stats.golden import golden
from tests.stats.golden_mrmc import columns, van_dyke


def test_one_cell_is_the_clustered_auc_of_r() -> None:
    known = golden("clustered_auc")
    y, score, patient = (known["data"][name] for name in ("y", "score", "patient"))
    n = len(y)
    found = obuchowski_rockette(
        reader=["one"] * n,
        test=["one"] * n,
        case=range(n),
        truth=y,
        score=score,
        cluster=patient,
        random="cases",
    )
    assert found.means[0].value == pytest.approx(known["expected"]["auc"], rel=1e-10)
    assert found.means[0].se == pytest.approx(known["expected"]["se_clustered"], rel=1e-10)


def _study(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    n = patient.size
    truth = rng.integers(0, 2, n)
    shift = rng.normal(size=40)[patient]
    scores = [truth + shift + rng.normal(size=n) for _ in "ab"]
    return {"n": n, "truth": truth, "patient": patient, "scores": scores}


def test_one_fixed_reader_is_the_clustered_delong_test() -> None:
    made = _study(1)
    found = obuchowski_rockette(
        reader=[1] * 2 * made["n"],
        test=["a"] * made["n"] + ["b"] * made["n"],
        case=[*range(made["n"])] * 2,
        truth=[*made["truth"]] * 2,
        score=[*made["scores"][0], *made["scores"][1]],
        cluster=[*made["patient"]] * 2,
        random="cases",
    ).differences[0]
    expected = delong_test(made["truth"], *made["scores"], cluster=made["patient"])
    assert found.value == pytest.approx(expected.difference)
    assert found.se == pytest.approx(expected.se)


def test_a_proportion_has_the_error_of_rao_and_scott() -> None:
    made = _study(2)
    found = obuchowski_rockette(
        reader=[1] * made["n"],
        test=[1] * made["n"],
        case=range(made["n"]),
        score=made["truth"],
        cluster=made["patient"],
        metric="proportion",
        random="cases",
    ).means[0]
    expected = clustered_proportion(made["truth"], made["patient"])
    assert (found.value, found.se) == pytest.approx((expected.value, expected.se))


def test_one_case_per_patient_changes_nothing() -> None:
    study = columns(van_dyke())
    plain = obuchowski_rockette(**study)
    clustered = obuchowski_rockette(**study, cluster=[f"p{case}" for case in study["case"]])
    np.testing.assert_allclose(clustered.covariance, plain.covariance, rtol=0.02, atol=1e-6)
    assert clustered.differences[0].se == pytest.approx(plain.differences[0].se, rel=0.02)
    assert "clustered by patient" in clustered.method


def test_copies_of_each_case_say_no_more_than_the_cases() -> None:
    rows = van_dyke()
    copies = [(r, t, c + 1000 * k, y, s) for k in range(2) for r, t, c, y, s in rows]
    once = obuchowski_rockette(**columns(rows), cluster=[row[2] for row in rows])
    twice = obuchowski_rockette(**columns(copies), cluster=[row[2] % 1000 for row in copies])
    assert twice.differences[0].se == pytest.approx(once.differences[0].se)
    assert twice.differences[0].df == pytest.approx(once.differences[0].df)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariance": "jackknife"}, "covariance must be"),
        ({"nesting": "case in reader"}, "nesting cannot be declared"),
        ({"cluster": list(range(1140))}, "same in all reads of a case"),
        ({"cluster": [1, 2]}, "length"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    study = columns(van_dyke())
    with pytest.raises(ValueError, match=message):
        obuchowski_rockette(**study, **({"cluster": study["case"]} | change))
