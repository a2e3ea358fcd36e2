"""Check error rates by simulation: null rejection of the MRMC methods, coverage of intervals.

    python benchmarks/calibration/roe_metz.py [--runs 2000] [--seed 1]

Roe & Metz, Acad Radiol 1997;4:298: a rating is the sum of independent normal effects of reader,
case, test x reader, test x case, reader x case and error, drawn apart for positive and negative
cases. Structures are named by data correlation and reader variance (H high, L low); here with a
mean difference of 1.5 (AUC near 0.86), 2 tests, 5 readers, 50 + 50 cases and no true difference.
Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from readerstudy.stats.mrmc import dorfman_berbaum_metz, obuchowski_rockette, u_statistic
from readerstudy.stats.roc import auc, bootstrap_auc, clustered_auc

# variances: reader = test x reader, case = test x case, reader x case, error
STRUCTURES = {
    "HL": (0.0055, 0.3, 0.2, 0.2),
    "LL": (0.0055, 0.1, 0.2, 0.6),
    "HH": (0.03, 0.3, 0.2, 0.2),
    "LH": (0.03, 0.1, 0.2, 0.6),
}
METHODS: dict[str, Callable[..., Any]] = {
    "OR, DeLong": obuchowski_rockette,
    "OR, unbiased": lambda **study: obuchowski_rockette(**study, covariance="unbiased"),
    "DBM": dorfman_berbaum_metz,
    "U-statistic": u_statistic,
    "OR, fixed readers": lambda **study: obuchowski_rockette(**study, random="cases"),
}


def ratings(rng: np.random.Generator, structure: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Return test x reader x case effects of one class."""
    tests, readers, cases = shape
    reader, case, both, error = (math.sqrt(v) for v in STRUCTURES[structure])
    return (
        reader * (rng.normal(size=(1, readers, 1)) + rng.normal(size=(tests, readers, 1)))
        + case * (rng.normal(size=(1, 1, cases)) + rng.normal(size=(tests, 1, cases)))
        + both * rng.normal(size=(1, readers, cases))
        + error * rng.normal(size=shape)
    )


def study(
    rng: np.random.Generator, structure: str, grades: bool, readers: int = 5, cases: int = 50
) -> dict[str, Any]:
    """Return one null study in long form."""
    shape = (2, readers, cases)
    score = np.concatenate(
        (ratings(rng, structure, shape) + 1.5, ratings(rng, structure, shape)), axis=2
    )
    if grades:
        score = np.digitize(score, (-0.3, 0.4, 1.0, 1.7))
    test, reader, case = (x.ravel() for x in np.indices(score.shape))
    truth = (case < cases).astype(int)
    return {"reader": reader, "test": test, "case": case, "truth": truth, "score": score.ravel()}


def rejections(runs: int, seed: int) -> None:
    """Print the share of null studies with p below 0.05."""
    print(f"| structure | ratings | {' | '.join(METHODS)} |")
    print("|---" * (len(METHODS) + 2) + "|")
    for row, structure in enumerate(STRUCTURES):
        for grades in (False, True):
            rng = np.random.default_rng((seed, row, grades))
            found = {name: 0 for name in METHODS}
            undefined = 0
            for _ in range(runs):
                data = study(rng, structure, grades)
                for name, method in METHODS.items():
                    p = method(**data).pvalue
                    undefined += math.isnan(p)
                    found[name] += p < 0.05
            kind = "5 grades" if grades else "continuous"
            shares = " | ".join(f"{100 * count / runs:.1f} %" for count in found.values())
            note = f" ({undefined} undefined)" if undefined else ""
            print(f"| {structure} | {kind}{note} | {shares} |", flush=True)


def covered(low: float, high: float, true: float) -> bool:
    """Return whether an interval holds the true value; an undefined one does not."""
    return low <= true <= high


def coverage(runs: int, seed: int) -> None:
    """Print how often 95 % intervals of one AUC hold the binormal truth."""
    print("| AUC | positive + negative | DeLong | DeLong, logit | bootstrap percentile |")
    print("|---|---|---|---|---|")
    for shift, m, n in (
        (1.0, 50, 50),
        (1.5, 50, 50),
        (2.5, 50, 50),
        (1.5, 15, 60),
        (1.5, 500, 500),
    ):
        rng = np.random.default_rng(seed)
        true = float(special.ndtr(shift / math.sqrt(2)))
        truth = np.repeat([1, 0], [m, n])
        counts = np.zeros(3)
        for _ in range(runs):
            score = rng.normal(size=m + n) + shift * truth
            results = (
                auc(truth, score),
                auc(truth, score, ci="logit"),
                bootstrap_auc(truth, score, n_boot=500, seed=1),
            )
            counts += [covered(r.low, r.high, true) for r in results]
        shares = " | ".join(f"{100 * c / runs:.1f} %" for c in counts)
        print(f"| {true:.3f} | {m} + {n} | {shares} |", flush=True)


def clustered_coverage(runs: int, seed: int) -> None:
    """Print coverage for patients with four exams each, with and without regard to patients."""
    print("| patients x exams | within-patient correlation | clustered | exams as independent |")
    print("|---|---|---|---|")
    exams, shift = 4, 1.5
    for patients, rho, split in (
        (60, 0.7, False),
        (60, 0.7, True),
        (25, 0.7, True),
        (60, 0.0, True),
    ):
        rng = np.random.default_rng(seed)
        patient = np.repeat(np.arange(patients), exams)
        found = []
        for _ in range(runs):
            # exams of a patient share their truth, or have it drawn exam by exam
            status = rng.integers(0, 2, patients)[patient]
            truth = rng.integers(0, 2, patient.size) if split else status
            effect = math.sqrt(rho) * rng.normal(size=patients)[patient]
            score = effect + math.sqrt(1 - rho) * rng.normal(size=patient.size) + shift * truth
            result = clustered_auc(truth, score, patient)
            found.append((result.value, result.low, result.high, result.se_unclustered))
        value, low, high, se = np.array(found).T
        # pairs within a patient are rare but easier: the mean of the estimates is the estimand
        true = float(value.mean())
        good = np.mean((low <= true) & (true <= high))
        naive = np.mean(np.abs(value - true) <= 1.96 * se)
        kind = "truth per exam" if split else "truth per patient"
        shares = f"{100 * good:.1f} % | {100 * naive:.1f} %"
        print(f"| {patients} x {exams}, {kind} | {rho:g} | {shares} |", flush=True)


def main() -> None:
    """Run the three simulations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for simulate in (rejections, coverage, clustered_coverage):
        simulate(options.runs, options.seed)
        print()


if __name__ == "__main__":
    main()
