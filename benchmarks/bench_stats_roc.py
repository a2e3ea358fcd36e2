"""Time the ROC and multi-reader statistics against one numpy argsort of the same size.

    python benchmarks/bench_stats_roc.py [--repeats 7]

Each line is the best of several repeats. The unit is the best time of ``numpy.argsort`` of the
same scores in the same run, as wall time alone says more about the machine than about the code.
Lines without a unit are seconds. The last column is the goal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from readerstudy.stats.mrmc import dorfman_berbaum_metz, obuchowski_rockette, u_statistic
from readerstudy.stats.roc import auc, bootstrap_auc, bootstrap_auc_difference, delong_test

Call = Callable[[], Any]


def best(call: Call, repeats: int) -> float:
    """Return the shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def line(task: str, seconds: float, unit: float | None = None, goal: str = "") -> None:
    """Print one row of the table; ``goal`` is what the largest size should reach."""
    ratio = "" if unit is None else f"{seconds / unit:9.1f} x"
    print(f"{task:58s} {seconds:10.5f} s {ratio:>12s}  {goal}")


def one_score(n: int, repeats: int) -> None:
    """Time AUC and paired DeLong test of continuous scores and of six grades."""
    rng = np.random.default_rng(1)
    truth = (rng.random(n) < 0.3).astype(int)
    a = rng.normal(size=n) + truth
    b = 0.5 * a + rng.normal(size=n) + truth
    grade_a, grade_b = (np.clip(np.round(s + 2), 0, 5) for s in (a, b))
    unit = best(lambda: np.argsort(a), repeats)
    line(f"numpy argsort, n = {n}", unit, unit)
    line("  AUC with DeLong interval", best(lambda: auc(truth, a), repeats), unit)
    line("  paired DeLong", best(lambda: delong_test(truth, a, b), repeats), unit, "30 x at 1e6")
    ties = np.round(a, 3), np.round(b, 3)
    line("  paired DeLong, many ties", best(lambda: delong_test(truth, *ties), repeats), unit)
    graded = best(lambda: delong_test(truth, grade_a, grade_b), repeats)
    line("  paired DeLong, six grades", graded, unit, "6 x at 1e6")


def crossed(tests: int, readers: int, cases: int) -> dict[str, Any]:
    """Return a crossed study in long form with whole-number labels."""
    rng = np.random.default_rng(2)
    test, reader, case = (x.ravel() for x in np.indices((tests, readers, cases)))
    truth = (case < cases // 2).astype(int)
    score = rng.normal(size=cases)[case] + 1.2 * truth + rng.normal(size=case.size)
    return {"reader": reader, "test": test, "case": case, "truth": truth, "score": score}


def many_readers(tests: int, readers: int, cases: int, repeats: int) -> None:
    """Time the multi-reader methods from the long form, checks and parsing included."""
    study = crossed(tests, readers, cases)
    graded = study | {"score": np.clip(np.round(study["score"] + 2), 0, 5)}
    lists = study["score"].reshape(tests * readers, cases)
    unit = best(lambda: [np.argsort(scores) for scores in lists], 3 * repeats)
    line(f"argsort of all lists, {tests} x {readers} x {cases}", unit, unit)
    for covariance in ("delong", "jackknife"):
        seconds = best(lambda: obuchowski_rockette(**study, covariance=covariance), repeats)  # noqa: B023
        line(f"  Obuchowski-Rockette, {covariance}", seconds, unit, "25 x at 2 x 20 x 5000")
    line("  the same, six grades", best(lambda: obuchowski_rockette(**graded), repeats), unit)
    line("  Dorfman-Berbaum-Metz", best(lambda: dorfman_berbaum_metz(**study), repeats), unit)
    words = study | {name: study[name].astype(str) for name in ("reader", "test", "case")}
    line("  text labels", best(lambda: obuchowski_rockette(**words), repeats), unit)
    few = max(1, repeats // 3)
    line("  U-statistic", best(lambda: u_statistic(**study), few), None, "seconds at 2 x 20 x 5000")
    line("  U-statistic, six grades", best(lambda: u_statistic(**graded), few))


def bootstrap(n: int, repeats: int) -> None:
    """Time 2000 replicates."""
    rng = np.random.default_rng(3)
    truth = (rng.random(n) < 0.4).astype(int)
    a, b = (rng.normal(size=n) + truth for _ in range(2))
    grade_a, grade_b = (np.clip(np.round(s), -2, 3) for s in (a, b))
    goal = "1 s"
    line(
        f"bootstrap of grades, n = {n}, 2000 replicates",
        best(lambda: bootstrap_auc(truth, grade_a, n_boot=2000), repeats),
        None,
        goal,
    )
    line(
        "  difference of two",
        best(lambda: bootstrap_auc_difference(truth, grade_a, grade_b, n_boot=2000), repeats),
        None,
        goal,
    )
    line("  continuous scores", best(lambda: bootstrap_auc(truth, a, n_boot=2000), 1))


def main() -> None:
    """Run all timings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    for n in (1_000, 100_000, 1_000_000):
        one_score(n, repeats)
    for shape in ((2, 5, 114), (2, 5, 1000), (2, 20, 5000)):
        many_readers(*shape, repeats)
    bootstrap(100_000, repeats)


if __name__ == "__main__":
    main()
