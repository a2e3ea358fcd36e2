"""Time agreement statistics against one numpy argsort of the same ratings, and their import.

    python benchmarks/bench_stats_agreement.py [--repeats 7]

Prints Markdown. Each line is the best of several repeats. The unit is the best argsort of the
same ratings in the same run, as wall time alone says more about the machine than about the code;
for the import it is numpy and the parts of scipy that are used, each in a fresh process. Weighted
kappa is also set beside scikit-learn's where that is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from readerstudy import stats

Call = Callable[[], Any]
ROOT = Path(__file__).resolve().parents[1]
PEER = "import numpy, scipy, scipy.optimize, scipy.sparse, scipy.special, scipy.stats"
OURS = "import readerstudy.stats as s"
GRADES = [1, 2, 3, 4, 5]


def best(call: Call, repeats: int) -> float:
    """Return the shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def line(task: str, seconds: float, unit: float, goal: str = "") -> None:
    """Print one row."""
    print(f"| {task} | {seconds:.4f} | {seconds / unit:.2f} | {goal} |", flush=True)


def title(text: str, unit: str) -> None:
    """Print the head of a table."""
    print(f"\n**{text}**\n\n| task | seconds | times {unit} | goal |\n|---|---|---|---|")


def many_raters(items: int, raters: int, repeats: int) -> None:
    """Time the indices of many raters who grade many items."""
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 6, size=(items, 1))
    slip = rng.integers(-1, 2, size=(items, raters)) * (rng.random((items, raters)) < 0.4)
    ratings = np.clip(truth + slip, 1, 5).astype(float)
    title(f"{raters} raters, {items} items, 5 grades", "argsort")
    unit = best(lambda: np.argsort(ratings.ravel()), repeats)
    line("numpy argsort of the ratings", unit, unit)
    shared = {"categories": GRADES}
    tasks: dict[str, Call] = {
        "percent agreement": lambda: stats.percent_agreement(ratings),
        "Fleiss's kappa": lambda: stats.fleiss_kappa(ratings, **shared),
        "Gwet's AC1": lambda: stats.gwet_ac(ratings, **shared),
        "Gwet's AC2, quadratic": lambda: stats.gwet_ac(ratings, weights="quadratic", **shared),
        "Krippendorff's alpha, nominal": lambda: stats.krippendorff_alpha(ratings),
        "Krippendorff's alpha, ordinal": lambda: stats.krippendorff_alpha(
            ratings, metric="ordinal"
        ),
        "Krippendorff's alpha, interval": lambda: stats.krippendorff_alpha(
            ratings, metric="interval"
        ),
        "Krippendorff's alpha, ratio": lambda: stats.krippendorff_alpha(ratings, metric="ratio"),
        "ICC(2,1)": lambda: stats.icc(ratings),
    }
    for name, call in tasks.items():
        line(name, best(call, repeats), unit, "" if "ICC" in name else "2")


def two_raters(items: int, repeats: int) -> None:
    """Time weighted kappa, ours and scikit-learn's."""
    rng = np.random.default_rng(2)
    a = rng.integers(1, 6, size=items)
    b = np.clip(a + rng.integers(-1, 2, size=items), 1, 5)
    title(f"weighted kappa of 2 raters, {items} items", "argsort")
    unit = best(lambda: np.argsort(a), repeats)
    line("numpy argsort of one rater", unit, unit)
    ours = best(lambda: stats.cohen_kappa(a, b, weights="quadratic", categories=GRADES), repeats)
    line("cohen_kappa, with interval, AC2 and the rest", ours, unit)
    if importlib.util.find_spec("sklearn") is not None:
        from sklearn.metrics import cohen_kappa_score

        peer = best(lambda: cohen_kappa_score(a, b, weights="quadratic"), repeats)
        line("scikit-learn cohen_kappa_score, value only", peer, unit)


def fresh(statement: str, repeats: int) -> float:
    """Return the shortest time of a statement in a new process, start of Python excluded."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-c", code)
    return min(
        float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        for _ in range(repeats)
    )


def imports(repeats: int) -> None:
    """Time the import in fresh processes."""
    title("import in a fresh process", "numpy + scipy")
    unit = fresh(PEER, repeats)
    line("numpy and scipy (optimize, sparse, special, stats)", unit, unit)
    line("readerstudy.stats", fresh(OURS, repeats), unit, "1.2")
    every = f"{OURS}; [getattr(s, name) for name in s.__all__]"
    line("readerstudy.stats and every public name", fresh(every, repeats), unit, "1.2")


def main() -> None:
    """Run all timings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    many_raters(100_000, 20, repeats)
    two_raters(1_000_000, repeats)
    imports(repeats)


if __name__ == "__main__":
    main()
