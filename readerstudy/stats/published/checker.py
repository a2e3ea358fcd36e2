"""All checks of published figures in one place.

Each asks whether printed figures can belong to one data set, allowing for their rounding, and
answers with a verdict and a sentence. "inconsistent" means that no data give all the figures as
printed; it does not say which figure is wrong, nor why. Figures are given as printed, best as
strings ("0.90", "62.7%", "<.001"), because a number loses its last zeros.
"""

from __future__ import annotations

from readerstudy.stats.published.auc_checks import (
    check_auc_difference,
    check_auc_interval,
    check_auc_point,
)
from readerstudy.stats.published.confusions import consistent_confusions
from readerstudy.stats.published.granularity import (
    check_mean,
    check_percentage,
    check_pooled_mean,
    possible_sizes,
)
from readerstudy.stats.published.intervals import (
    check_interval,
    check_interval_p,
    check_mean_interval,
)
from readerstudy.stats.published.pvalues import (
    check_paired_means,
    check_two_proportions,
    check_z_p,
)

__all__ = [
    "check_auc_difference",
    "check_auc_interval",
    "check_auc_point",
    "check_interval",
    "check_interval_p",
    "check_mean",
    "check_mean_interval",
    "check_paired_means",
    "check_percentage",
    "check_pooled_mean",
    "check_two_proportions",
    "check_z_p",
    "consistent_confusions",
    "possible_sizes",
]
