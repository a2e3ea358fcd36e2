"""The sentinel's classifiers: planted cues are found, clean ones are not accused."""

from __future__ import annotations

import numpy as np
import pytest

from readerstudy.sentinel.separation import Limits, separate

FEW = Limits(permutations=150)


def classes(n: int) -> tuple[list[int], list[str]]:
    return [0] * n + [1] * n, [f"s{i}" for i in range(2 * n)]


def judge(values: np.ndarray, n: int, **options):
    labels, subjects = classes(n)
    (result,) = separate(
        {"cue": values.reshape(2 * n, -1).astype(float)}, labels, subjects, limits=FEW, **options
    )
    return result


def test_a_cue_that_never_varies_is_one_half_exactly():
    result = judge(np.full(40, 4096), 20)
    assert (result.auc, result.low, result.high) == (0.5, 0.5, 0.5)
    assert result.constant
    assert not result.blocks


def test_a_length_that_differs_is_found():
    random = np.random.default_rng(1)
    result = judge(59_000 + random.normal(0, 60, 40) - 700 * np.repeat([0, 1], 20), 20)
    assert result.auc > 0.95
    assert result.blocks


def test_a_perfect_cue_is_found_in_a_small_study():
    result = judge(np.repeat([0, 1], 6), 6)
    assert result.auc == 1.0
    assert result.blocks


def test_a_cue_in_the_middle_is_found_although_its_mean_is_the_same():
    random = np.random.default_rng(2)
    outer = random.choice([-1, 1], 30) * random.uniform(0.8, 1.2, 30)
    result = judge(np.concatenate([random.uniform(-0.3, 0.3, 30), outer]), 30)
    assert result.auc > 0.9
    assert result.blocks


def test_a_weak_but_certain_cue_is_found_in_a_large_study():
    random = np.random.default_rng(3)
    values = random.normal(0, 1, 400) + 0.9 * np.repeat([0, 1], 200)
    result = judge(values, 200)
    assert 0.65 < result.auc < 0.82  # the true AUC is Phi(0.9 / sqrt 2) = 0.738
    assert result.blocks


def test_clean_cues_are_not_accused():
    """300 studies of five random cues at the 1 % level: Binomial(300, 0.01) < 10 in 99.9 %."""
    accused = 0
    labels, subjects = classes(15)
    for seed in range(300):
        random = np.random.default_rng(seed)
        cues = {f"cue{i}": random.normal(size=(30, 1 + i % 3)) for i in range(5)}
        found = separate(cues, labels, subjects, seed=seed)
        accused += any(result.blocks for result in found)
    assert accused < 10


def test_cases_of_one_subject_do_not_teach_each_other():
    """A value that names the subject tells nothing of unseen subjects."""
    random = np.random.default_rng(4)
    per_subject = np.repeat(random.normal(0, 10, 10), 4)
    labels = np.repeat(random.permutation([0, 1] * 5), 4).tolist()
    subjects = np.repeat([f"s{i}" for i in range(10)], 4).tolist()
    (result,) = separate({"id": per_subject[:, None]}, labels, subjects, limits=FEW)
    assert not result.blocks


def test_too_few_cases_are_undefined_with_the_reason():
    result = judge(np.arange(4), 2)
    assert np.isnan(result.auc)
    assert "fewer than 3 subjects" in result.reason
    assert not result.blocks


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_verdict(seed):
    values = np.random.default_rng(9).normal(size=40)
    assert judge(values, 20, seed=seed) == judge(values, 20, seed=seed)
