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
    from readerstudy.stats.agreement_alpha import krippendorff_alpha as krippendorff_alpha
    from readerstudy.stats.agreement_cohen import cohen_kappa as cohen_kappa
    from readerstudy.stats.agreement_cohen import cohen_kappa_from_table as cohen_kappa_from_table
    from readerstudy.stats.agreement_continuous import icc as icc
    from readerstudy.stats.agreement_continuous import kendall_w as kendall_w
    from readerstudy.stats.agreement_continuous import rwg as rwg
    from readerstudy.stats.agreement_light import conger_kappa as conger_kappa
    from readerstudy.stats.agreement_light import light_kappa as light_kappa
    from readerstudy.stats.agreement_measured import bland_altman as bland_altman
    from readerstudy.stats.agreement_measured import (
        concordance_correlation as concordance_correlation,
    )
    from readerstudy.stats.agreement_ratings import ratings_matrix as ratings_matrix
    from readerstudy.stats.clustered_groups import (
        clustered_comparison as clustered_comparison,
    )
    from readerstudy.stats.confusion_table import Confusion as Confusion
    from readerstudy.stats.confusion_table import confusion as confusion
    from readerstudy.stats.contingency import chi_square as chi_square
    from readerstudy.stats.contingency import cramers_v as cramers_v
    from readerstudy.stats.contingency import fisher_exact as fisher_exact
    from readerstudy.stats.contingency import g_test as g_test
    from readerstudy.stats.contingency import mcnemar as mcnemar
    from readerstudy.stats.means_clustered import clustered_mean as clustered_mean
    from readerstudy.stats.means_clustered import (
        clustered_mean_difference as clustered_mean_difference,
    )
    from readerstudy.stats.mrmc import dorfman_berbaum_metz as dorfman_berbaum_metz
    from readerstudy.stats.mrmc import obuchowski_rockette as obuchowski_rockette
    from readerstudy.stats.mrmc import u_statistic as u_statistic
    from readerstudy.stats.mrmc_planning import mrmc_cases_needed as mrmc_cases_needed
    from readerstudy.stats.mrmc_planning import mrmc_power as mrmc_power
    from readerstudy.stats.mrmc_planning import n_auc as n_auc
    from readerstudy.stats.mrmc_planning import n_auc_difference as n_auc_difference
    from readerstudy.stats.paired_ranks import signed_rank as signed_rank
    from readerstudy.stats.planning import n_kappa as n_kappa
    from readerstudy.stats.planning import n_two_proportions as n_two_proportions
    from readerstudy.stats.planning_designs import auc_precision as auc_precision
    from readerstudy.stats.planning_designs import cases_for_width as cases_for_width
    from readerstudy.stats.planning_designs import kappa_precision as kappa_precision
    from readerstudy.stats.planning_designs import turing_cases_needed as turing_cases_needed
    from readerstudy.stats.planning_designs import turing_power as turing_power
    from readerstudy.stats.progression import ProgressionRule as ProgressionRule
    from readerstudy.stats.progression import progression_rows as progression_rows
    from readerstudy.stats.progression import progression_times as progression_times
    from readerstudy.stats.progression import time_to_progression as time_to_progression
    from readerstudy.stats.progression_agreement import compare_progression as compare_progression
    from readerstudy.stats.proportions import clustered_proportion as clustered_proportion
    from readerstudy.stats.proportions import proportion as proportion
    from readerstudy.stats.proportions import two_proportions as two_proportions
    from readerstudy.stats.rank_correlation import spearman as spearman
    from readerstudy.stats.ranks import adjust_pvalues as adjust_pvalues
    from readerstudy.stats.ranks import mann_whitney as mann_whitney
    from readerstudy.stats.ranks import paired_t as paired_t
    from readerstudy.stats.ranks import shapiro_wilk as shapiro_wilk
    from readerstudy.stats.reclassification import idi as idi
    from readerstudy.stats.reclassification import nri_categorical as nri_categorical
    from readerstudy.stats.reclassification import nri_continuous as nri_continuous
    from readerstudy.stats.regression import backward_elimination as backward_elimination
    from readerstudy.stats.regression import logistic as logistic
    from readerstudy.stats.regression import univariable as univariable
    from readerstudy.stats.results import Estimate as Estimate
    from readerstudy.stats.results import Result as Result
    from readerstudy.stats.roc import auc as auc
    from readerstudy.stats.roc import bootstrap_auc as bootstrap_auc
    from readerstudy.stats.roc import bootstrap_auc_difference as bootstrap_auc_difference
    from readerstudy.stats.roc import clustered_auc as clustered_auc
    from readerstudy.stats.roc import delong_test as delong_test
    from readerstudy.stats.roc import delong_test_unpaired as delong_test_unpaired
    from readerstudy.stats.roc import hanley_mcneil_se as hanley_mcneil_se
    from readerstudy.stats.roc import partial_auc as partial_auc
    from readerstudy.stats.roc import roc_curve as roc_curve
    from readerstudy.stats.roc import youden as youden
    from readerstudy.stats.survival import cox as cox
    from readerstudy.stats.survival import harrell_c as harrell_c
    from readerstudy.stats.survival import kaplan_meier as kaplan_meier
    from readerstudy.stats.survival import logrank as logrank
    from readerstudy.stats.survival import time_dependent_auc as time_dependent_auc
    from readerstudy.stats.table_clustered import clustered_chi_square as clustered_chi_square
    from readerstudy.stats.turing import binomial_against as binomial_against
    from readerstudy.stats.turing import dprime as dprime
    from readerstudy.stats.turing import equivalence_to_chance as equivalence_to_chance
    from readerstudy.stats.turing import non_inferiority as non_inferiority
    from readerstudy.stats.turing_clustered import clustered_against as clustered_against

_MODULES = {
    "results": "Estimate Result",
    "agreement": "fleiss_kappa gwet_ac percent_agreement",
    "agreement_alpha": "krippendorff_alpha",
    "agreement_cohen": "cohen_kappa cohen_kappa_from_table",
    "agreement_continuous": "icc kendall_w rwg",
    "agreement_light": "conger_kappa light_kappa",
    "agreement_measured": "bland_altman concordance_correlation",
    "agreement_ratings": "ratings_matrix",
    "clustered_groups": "clustered_comparison",
    "confusion_table": "Confusion confusion",
    "contingency": "chi_square cramers_v fisher_exact g_test mcnemar",
    "progression": "ProgressionRule progression_rows progression_times time_to_progression",
    "progression_agreement": "compare_progression",
    "proportions": "clustered_proportion proportion two_proportions",
    "turing_clustered": "clustered_against",
    "turing": "binomial_against dprime equivalence_to_chance non_inferiority",
    "means_clustered": "clustered_mean clustered_mean_difference",
    "table_clustered": "clustered_chi_square",
    "paired_ranks": "signed_rank",
    "rank_correlation": "spearman",
    "ranks": "adjust_pvalues mann_whitney paired_t shapiro_wilk",
    "roc": (
        "auc bootstrap_auc bootstrap_auc_difference clustered_auc delong_test "
        "delong_test_unpaired hanley_mcneil_se partial_auc roc_curve youden"
    ),
    "mrmc": "dorfman_berbaum_metz obuchowski_rockette u_statistic",
    "mrmc_planning": "mrmc_cases_needed mrmc_power n_auc n_auc_difference",
    "planning": "n_kappa n_two_proportions",
    "planning_designs": (
        "auc_precision cases_for_width kappa_precision turing_cases_needed turing_power"
    ),
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
