"""Statistics of reader studies: agreement, proportions, ROC, MRMC, survival and their planning.

Names are loaded on first use, so ``import readerstudy.stats`` costs next to nothing and a page
that shows a proportion never loads what a survival curve needs.

>>> from readerstudy.stats import proportion
>>> round(proportion(55, 100).low, 3)
0.452
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from readerstudy.stats.agreement import fleiss_kappa as fleiss_kappa
    from readerstudy.stats.agreement import gwet_ac as gwet_ac
    from readerstudy.stats.agreement import percent_agreement as percent_agreement

_MODULES = {
    "results": "Estimate Result",
    "agreement": "fleiss_kappa gwet_ac percent_agreement",
    "agreement_alpha": "krippendorff_alpha",
    "agreement_cohen": "cohen_kappa cohen_kappa_from_table",
    "agreement_continuous": "icc kendall_w rwg",
    "agreement_light": "conger_kappa light_kappa",
    "agreement_measured": "bland_altman concordance_correlation",
    "agreement_ratings": "ratings_matrix",
    "confusion_table": "Confusion confusion",
    "contingency": "chi_square cramers_v fisher_exact g_test mcnemar",
    "proportions": "clustered_proportion proportion two_proportions",
    "turing": "binomial_against dprime equivalence_to_chance non_inferiority",
    "ranks": "adjust_pvalues mann_whitney paired_t shapiro_wilk",
    "roc": (
        "auc bootstrap_auc bootstrap_auc_difference clustered_auc delong_test "
        "delong_test_unpaired hanley_mcneil_se partial_auc roc_curve youden"
    ),
    "mrmc": "dorfman_berbaum_metz obuchowski_rockette u_statistic",
    "mrmc_planning": "mrmc_power n_auc n_auc_difference",
    "planning": "n_kappa n_two_proportions",
    "reclassification": "idi nri_categorical nri_continuous",
    "regression": "backward_elimination logistic univariable",
    "survival": "cox harrell_c kaplan_meier logrank time_dependent_auc",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"readerstudy.stats has no {name!r}")
    value = getattr(import_module(f"readerstudy.stats.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
