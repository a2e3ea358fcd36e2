"""The public names, what importing them loads, and what every result can do."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import readerstudy.stats as package
from readerstudy.stats.results import Estimate, Result, json_safe
from readerstudy.stats.validation import as_binary, as_vector, column, resolve_seed, split_case_ids

FOLDER = Path(package.__file__).parent
HEAVY = {"pandas", "statsmodels", "krippendorff", "lifelines", "sklearn", "matplotlib"}
PROMISED = """
auc roc_curve delong_test delong_test_unpaired hanley_mcneil_se youden partial_auc clustered_auc
bootstrap_auc bootstrap_auc_difference obuchowski_rockette dorfman_berbaum_metz u_statistic
nri_continuous nri_categorical idi logistic univariable backward_elimination kaplan_meier logrank
cox harrell_c time_dependent_auc percent_agreement cohen_kappa cohen_kappa_from_table fleiss_kappa
light_kappa conger_kappa gwet_ac krippendorff_alpha icc rwg kendall_w bland_altman
concordance_correlation confusion Confusion chi_square g_test fisher_exact cramers_v proportion
two_proportions mcnemar clustered_proportion binomial_against equivalence_to_chance dprime
non_inferiority mann_whitney shapiro_wilk paired_t adjust_pvalues n_two_proportions n_kappa n_auc
n_auc_difference mrmc_power
"""


def modules():
    return sorted(p.stem for p in FOLDER.glob("*.py") if p.stem != "__init__")


def test_every_promised_name_is_listed():
    assert set(PROMISED.split()) <= set(package.__all__)
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("name", package.__all__)
def test_public_name_loads_and_is_documented(name):
    found = getattr(package, name)
    assert callable(found)
    assert inspect.getdoc(found)


def test_no_public_name_is_also_a_module():
    """Importing such a module would put it in place of the function."""
    assert not set(package.__all__) & set(modules())


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no 'kappa'"):
        _ = package.kappa


def test_type_checkers_see_what_is_loaded():
    """The block for type checkers names each public name from the same module as the table."""
    tree = ast.parse((FOLDER / "__init__.py").read_text())
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.asname: node.module.removeprefix("readerstudy.stats.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == package._HOME


def test_importing_the_package_loads_neither_numpy_nor_scipy():
    code = "import sys, readerstudy.stats; print('numpy' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_importing_every_module_loads_no_heavy_package():
    names = [f"readerstudy.stats.{m}" for m in modules()]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_results_are_frozen_keyword_only_and_end_in_json():
    for name in modules():
        module = importlib.import_module(f"readerstudy.stats.{name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Result) and kind.__module__ == module.__name__:
                assert kind.__dataclass_params__.frozen, kind


def test_json_safe_values():
    made = json_safe(
        {
            (0, 1): np.float64(0.5),
            "array": np.array([1.0, math.nan]),
            "set": (np.int64(3), np.bool_(True), -math.inf),
            "result": Result(method="m", n=1),
        }
    )
    assert json.loads(json.dumps(made)) == {
        "0 | 1": 0.5,
        "array": [1.0, None],
        "set": [3, True, "-inf"],
        "result": {"method": "m", "n": 1, "n_dropped": 0, "warnings": [], "reason": None},
    }


def test_summaries_say_value_interval_and_reason():
    good = Estimate(method="mean", n=4, value=1.5, low=1.0, high=2.0)
    assert good.summary() == "1.5 (95 % interval 1 to 2), n = 4, mean"
    assert "no data" in Estimate(method="mean", n=0, value=math.nan, reason="no data").summary()
    assert Result(method="mean", n=3).summary() == "mean (n = 3)"


def test_columns_seeds_and_pairs_of_ids():
    assert column(None, [1, 2]) == [1, 2]
    assert column({"a": [1]}, "a") == [1]
    with pytest.raises(ValueError, match="it has a"):
        column({"a": [1]}, "b")
    assert resolve_seed(5) == 5
    assert 0 <= resolve_seed(None) < 2**32
    with pytest.raises(ValueError, match="seed"):
        resolve_seed(-2)
    assert split_case_ids(None, 1, 2) == (None, None)
    assert split_case_ids(["a", "b", "c"], 1, 2) == (["a"], ["b", "c"])
    assert split_case_ids((np.array([1]), [2, 3]), 1, 2) == ([1], [2, 3])
    assert split_case_ids(["a", "b"], 1, 1) == (["a"], ["b"])
    with pytest.raises(ValueError, match="pair of sequences"):
        split_case_ids(["a"], 1, 1)


def test_nullable_columns_of_pandas_hold_missing_values():
    pandas = pytest.importorskip("pandas")
    for kind in ("Int64", "Float64", "UInt8"):
        found = as_vector(pandas.Series([1, None, 3], dtype=kind), "x")
        assert np.array_equal(found, [1, math.nan, 3], equal_nan=True)
    calls = as_binary(pandas.Series([True, None, False], dtype="boolean"), "call")
    assert np.array_equal(calls, [1, math.nan, 0], equal_nan=True)
    wide = pandas.DataFrame({"a": [1, 2, None], "b": [1, 2, 2]}, dtype="Int64")
    assert package.percent_agreement(wide).n_dropped == 1
    assert package.cohen_kappa("a", "b", data=wide, missing="omit").value == 1.0


@pytest.mark.parametrize("page", ["agreement", "proportions-and-contingency", "turing"])
def test_worked_examples_of_the_pages(page):
    path = FOLDER.parents[1] / "docs" / "algorithms" / f"{page}.md"
    found = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert found.attempted >= 4
    assert found.failed == 0
