"""Scores of sets of images against closed forms, loops, torchmetrics and scikit-learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from synthesis.metrics import c2st, distributions, diversity, memorisation
from synthesis.metrics.paired import UndefinedMetricError

Array = npt.NDArray[np.float64]


def exactly(mean: Array, root: Array, n: int, seed: int) -> Array:
    """Rows whose mean and (N - 1) covariance are ``mean`` and ``root root'``."""
    x = np.random.default_rng(seed).standard_normal((n, len(mean)))
    x -= x.mean(axis=0)
    x = np.linalg.qr(x)[0] * math.sqrt(n - 1)
    return x @ root.T + mean


def spun(d: int, seed: int) -> Array:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


@pytest.mark.parametrize("n", [9, 400])
def test_the_frechet_distance_of_gaussians_is_the_closed_form(n):
    """Commuting covariances: |dm|^2 + sum (s_i - t_i)^2 (Dowson & Landau 1982)."""
    axes, d = spun(8, 0), 8
    s, t = np.arange(1.0, d + 1), np.linspace(3, 0.5, d)
    shift = np.full(d, 0.7)
    real = exactly(np.zeros(d), axes * s, n, 1)
    made = exactly(shift, axes * t, n, 2)
    expected = shift @ shift + ((s - t) ** 2).sum()
    assert distributions.frechet_distance(real, made) == pytest.approx(expected, rel=1e-9)
    assert distributions.frechet_distance(real, real[::-1]) == pytest.approx(0, abs=1e-9)


def test_few_images_and_many_dimensions_take_the_same_value_by_another_road():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(3)
    real, made = rng.standard_normal((30, 40)), rng.standard_normal((25, 40)) * 1.3 + 0.2
    s_r, s_g = np.cov(real.T), np.cov(made.T)
    shift = real.mean(0) - made.mean(0)
    root = np.real(np.trace(np.asarray(sqrtm((s_r @ s_g).astype(complex)))))
    expected = shift @ shift + np.trace(s_r) + np.trace(s_g) - 2 * root
    assert distributions.frechet_distance(real, made) == pytest.approx(expected, rel=1e-5)


def test_copied_features_do_not_break_the_frechet_distance():
    rng = np.random.default_rng(4)
    real, made = (np.repeat(rng.standard_normal((60, 3)), 2, axis=1) for _ in range(2))
    one = distributions.frechet_distance(real[:, ::2], made[:, ::2])
    assert distributions.frechet_distance(real, made) == pytest.approx(2 * one, rel=1e-6)


def test_fid_and_kid_are_those_of_torchmetrics():
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fid = pytest.importorskip("torchmetrics.image.fid")
        kid = pytest.importorskip("torchmetrics.image.kid")

        class Pixels(torch.nn.Module):
            num_features = 16

            def forward(self, images):
                return images.flatten(1)[:, :16].double()

        real, made = (torch.randn(80, 1, 4, 4, dtype=torch.float64) for _ in range(2))
        made = made * 1.2 + 0.3
        theirs = fid.FrechetInceptionDistance(feature=Pixels(), input_img_size=(1, 4, 4))
        theirs.set_dtype(torch.float64)
        theirs.update(real, real=True)
        theirs.update(made, real=False)
        kernel = kid.KernelInceptionDistance(
            feature=Pixels(), subsets=1, subset_size=80, normalize=False
        )
        kernel.update(real, real=True)
        kernel.update(made, real=False)
        expected = float(theirs.compute()), float(kernel.compute()[0])
    r, g = (one.flatten(1).numpy() for one in (real, made))
    assert distributions.frechet_distance(r, g) == pytest.approx(expected[0], rel=1e-6)
    assert distributions.mmd2(r, g) == pytest.approx(expected[1], rel=1e-5)


def test_the_limit_of_the_frechet_distance_loses_the_bias_of_few_images():
    rng = np.random.default_rng(5)
    real, made = rng.standard_normal((2, 300, 30))
    biased = distributions.frechet_distance(real, made)
    limit = distributions.frechet_limit(real, made)
    assert biased > 1.0
    assert abs(limit) < biased / 3


def test_mmd_by_loop():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    within_x = np.mean([k(x[i], x[j]) for i in range(5) for j in range(5) if i != j])
    within_y = np.mean([k(y[i], y[j]) for i in range(4) for j in range(4) if i != j])
    between = np.mean([k(a, b) for a in x for b in y])
    expected = within_x + within_y - 2 * between
    assert distributions.mmd2(x, y) == pytest.approx(expected)


def kid_of_many(shift: float) -> tuple[Array, float]:
    found = []
    for seed in range(60):
        real, made = np.random.default_rng(seed).standard_normal((2, 80, 4))
        found.append(distributions.kernel_distance(real, made + shift, subsets=60, seed=seed))
    return np.array([one.value for one in found]), float(np.mean([one.se for one in found]))


def test_kid_is_unbiased_at_equal_distributions_where_its_error_is_on_the_safe_side():
    values, error = kid_of_many(0.0)
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(60)
    assert (values < 0).any()
    assert error >= 0.9 * values.std()


def test_the_error_of_kid_is_its_spread_over_data_sets():
    values, error = kid_of_many(0.7)
    assert error == pytest.approx(values.std(), rel=0.25)


def neighbours_by_loop(real: Array, made: Array, k_ball: int, k_density: int) -> list[float]:
    """Formulas of Naeem 2020, point by point."""

    def radius(points, i, k):
        return sorted(math.dist(points[i], p) for p in points)[k]

    def inside(x, points, k):
        return [math.dist(x, points[i]) < radius(points, i, k) for i in range(len(points))]

    balls = [
        [math.dist(g, r) < radius(real, i, k_density) for g in made] for i, r in enumerate(real)
    ]
    return [
        np.mean([any(inside(g, real, k_ball)) for g in made]),
        np.mean([any(inside(r, made, k_ball)) for r in real]),
        sum(map(sum, balls)) / (k_density * len(made)),
        np.mean([any(row) for row in balls]),
    ]


def test_neighbour_scores_by_loop():
    rng = np.random.default_rng(7)
    real, made = rng.standard_normal((14, 2)), rng.standard_normal((11, 2)) * 1.5 + 0.5
    found = distributions.neighbour_scores(distributions.distances(real, made))
    got = [found.precision, found.recall, found.density, found.coverage]
    assert got == pytest.approx(neighbours_by_loop(real, made, 3, 5))


def test_neighbour_scores_on_a_line_by_hand():
    """k = 1. Real 0, 1, 3: radii 1, 1, 2. Made 0.5, 10, 10.5: radii 9.5, 0.5, 0.5."""
    real, made = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [10.0], [10.5]])
    found = distributions.neighbour_scores(
        distributions.distances(real, made), precision_k=1, density_k=1
    )
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == 1.0
    assert found.density == pytest.approx(2 / 3)  # 0.5 lies in the balls of 0 and of 1
    assert found.coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("real", "made", "words"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), "of one dimension"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "too few"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), "finite"),
    ],
)
def test_features_that_cannot_be_scored_are_refused_in_words(real, made, words):
    with pytest.raises(UndefinedMetricError, match=words):
        distributions.frechet_distance(real, made)


# Classifier


def two_sets(shift: float, patients: int = 30, each: int = 4, seed: int = 0):
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.standard_normal((2, patients, 8)), each, axis=1)
    both = own + 0.5 * rng.standard_normal(own.shape)
    both[1, :, 0] += shift
    names = [[f"{kind}{i // each}" for i in range(patients * each)] for kind in "rg"]
    return both[0], both[1], names[0], names[1]


def test_of_one_distribution():
    """Over many draws p is spread evenly: at most one in ten below 0.1, and then some."""
    p_values, accuracies = [], []
    for seed in range(30):
        real, made, a, b = two_sets(0.0, seed=seed)
        found = distributions.distances(real, made)
        test = c2st.classifier_test(real, made, a, b, found, draws=2, seed=seed)
        p_values.append(test.p)
        accuracies.append(test.accuracy.value)
    assert np.mean(np.array(p_values) < 0.1) <= 0.25
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.04)


def test_sets_apart_are_told_apart():
    real, made, a, b = two_sets(6.0)
    test = c2st.classifier_test(real, made, a, b, distributions.distances(real, made), draws=200)
    assert test.p < 1e-6
    assert test.accuracy.value > 0.95
    assert test.accuracy.low > 0.9
    assert test.auc.value > 0.98
    assert test.neighbour_accuracy > 0.9
    assert (test.accuracy.patients, test.folds) == (60, 5)


def test_copies_of_a_patient_do_not_help():
    """Each patient's images are one and the same: a split by image would tell them all."""
    rng = np.random.default_rng(1)
    real, made = np.repeat(rng.standard_normal((2, 20, 8)), 10, axis=1)
    names = [[f"{kind}{i // 10}" for i in range(200)] for kind in "rg"]
    test = c2st.classifier_test(
        real, made, names[0], names[1], distributions.distances(real, made), draws=20
    )
    assert test.accuracy.value < 0.75
    assert test.p > 0.005


def test_the_area_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    scores, labels = rng.integers(0, 6, 50).astype(float), rng.random(50) > 0.4
    assert c2st.area(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


def test_one_patient_cannot_be_left_out():
    real, made, _, b = two_sets(0.0, patients=5)
    with pytest.raises(UndefinedMetricError, match="fewer than two patients"):
        c2st.classifier_test(real, made, ["a"] * 20, b, distributions.distances(real, made))


# Diversity


def faces(n: int, seed: int) -> Array:
    return np.random.default_rng(seed).random((n, 24, 24))


def test_a_collapsed_generator_is_caught():
    real, made = faces(12, 0), np.repeat(faces(1, 1), 12, axis=0)
    names = [str(i) for i in range(12)]
    found = diversity.diversity(
        (real, real.reshape(12, -1), names), (made, made.reshape(12, -1), names)
    )
    assert found.collapsed
    assert found.similarity == pytest.approx(1.0)
    assert found.vendi == pytest.approx(1.0)
    assert found.real_vendi > 2


def test_vendi_counts_different_images():
    assert diversity.vendi_score(np.eye(7)) == pytest.approx(7.0)
    assert diversity.vendi_score(np.repeat(np.eye(3), 4, axis=0)) == pytest.approx(3.0)
    p = np.array([0.75, 0.25])
    rows = np.repeat(np.eye(2), [3, 1], axis=0)
    assert diversity.vendi_score(rows) == pytest.approx(math.exp(-(p * np.log(p)).sum()))


def test_pairs_are_of_different_patients():
    images = faces(4, 2)
    assert len(diversity.pair_similarity(images, ["a", "a", "b", "b"])) == 4
    with pytest.raises(UndefinedMetricError, match="one patient"):
        diversity.pair_similarity(images, ["a"] * 4)


def test_the_distance_of_histograms_is_how_far_the_grey_moves():
    real = np.full((2, 8, 8), 0.25)
    assert diversity.histogram_distance(real, real * 2) == pytest.approx(0.25, abs=1 / 256)


def test_empty_clusters_are_counted():
    real = np.repeat(np.eye(4), 25, axis=0) + np.random.default_rng(0).normal(0, 0.01, (100, 4))
    found = diversity.different_bins(real, real[:50], clusters=4)
    assert (found.clusters, found.different, found.empty) == (4, 4, 2)


# Memorisation


def scans(n: int, seed: int) -> Array:
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    return np.stack([ndimage.gaussian_filter(rng.standard_normal((70, 60)), 4) for _ in range(n)])


def test_copies_and_mirrored_copies_of_training_images_are_flagged():
    train, held, made = scans(30, 0), scans(40, 1), scans(20, 2)
    made[3] = train[7] * 1.5 + 0.1
    made[5] = train[9][:, ::-1] + 0.001 * made[6]
    vectors = {
        name: memorisation.pixel_vectors(one)
        for name, one in (("train", train), ("held", held), ("made", made))
    }
    flipped = memorisation.pixel_vectors(memorisation.mirrored(train))
    found = memorisation.memorisation(
        vectors["made"], vectors["train"], vectors["held"], flipped=flipped
    )
    assert {3, 5} <= set(found.flagged)
    assert set(found.top[:2]) == {3, 5}
    assert (found.made.index[3], found.made.index[5]) == (7, 9)
    assert found.made.likeness[3] == pytest.approx(1.0, abs=1e-9)
    assert found.closer_than[3] == 1.0
    assert found.authentic <= 0.9


def test_the_likeness_is_pearsons_correlation():
    a, b = scans(2, 3)[:, :64, :], scans(2, 4)[:, :64, :]
    x, y = (memorisation.pixel_vectors(one, side=64) for one in (a, b))
    square = np.random.default_rng(0).random((2, 64, 64))
    u = memorisation.pixel_vectors(square)
    assert u[0] @ u[1] == pytest.approx(np.corrcoef(square[0].ravel(), square[1].ravel())[0, 1])
    assert abs(x[0] @ y[0]) <= 1


def test_the_three_sample_test_is_that_of_scipy():
    rng = np.random.default_rng(8)
    rows = [memorisation.unit(rng.standard_normal((n, 6))) for n in (30, 25, 40)]
    found = memorisation.memorisation(*rows)
    expected = stats.mannwhitneyu(
        -found.made.likeness,
        -found.held_out.likeness,
        alternative="less",
        method="asymptotic",
        use_continuity=False,
    )
    assert found.p == pytest.approx(expected.pvalue)


def test_images_like_unseen_ones_are_not_flagged_as_copies():
    train, held, made = (
        memorisation.pixel_vectors(scans(n, s)) for n, s in ((20, 0), (60, 1), (60, 2))
    )
    found = memorisation.memorisation(made, train, held)
    assert len(found.flagged) <= 4
    assert abs(found.z) < 3


def test_without_unseen_images_nothing_is_said():
    rows = np.eye(3)
    with pytest.raises(UndefinedMetricError, match="two unseen"):
        memorisation.memorisation(rows, rows, rows[:1])
