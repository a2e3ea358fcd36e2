"""Truth against call: the confusion table and the metrics that follow from it.

References
----------
Simel, Samsa & Matchar, J Clin Epidemiol 1991;44:763 (likelihood ratios). Woolf, Ann Hum Genet
1955;19:251 (odds ratio). Matthews, Biochim Biophys Acta 1975;405:442.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.proportions import Proportion, newcombe_limits, proportion
from readerstudy.stats.quantiles import normal_quantile
from readerstudy.stats.results import Estimate, Result, json_safe
from readerstudy.stats.validation import (
    as_binary,
    as_count,
    check_choice,
    check_level,
    column,
    missing_rows,
    refuse_repeats,
    resolve_seed,
    same_length,
)


@dataclass(frozen=True)
class ConfusionShares(Mapping[str, Proportion]):
    """The five proportions of a confusion table, by attribute or by name.

    Attributes
    ----------
    accuracy, precision, recall, specificity, npv : Proportion
        Each with the interval asked for.
    """

    accuracy: Proportion
    precision: Proportion
    recall: Proportion
    specificity: Proportion
    npv: Proportion

    def __getitem__(self, name: str) -> Proportion:
        """Return a proportion by its name."""
        if name not in self.__dataclass_fields__:
            raise KeyError(name)
        value: Proportion = getattr(self, name)
        return value

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.__dataclass_fields__)

    def __len__(self) -> int:
        """Return the number of proportions."""
        return len(self.__dataclass_fields__)


@dataclass(frozen=True)
class Confusion(Result):
    """Counts of truth against call and the metrics that follow from them.

    A metric that would be 0/0 is NaN, and ``reason`` names it; x/0 is infinite for the likelihood
    and odds ratios.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True positives, false positives, false negatives, true negatives.

    Examples
    --------
    >>> c = Confusion(tp=20, fp=5, fn=10, tn=15)
    >>> c.accuracy.value, round(c.f1, 4), round(c.mcc, 4)
    (0.7, 0.7273, 0.4082)
    """

    tp: int
    fp: int
    fn: int
    tn: int
    method: str = field(
        default="confusion table, Clopper-Pearson exact intervals (1934)", kw_only=True
    )
    n: int = field(init=False, kw_only=True)
    reason: str | None = field(init=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check the counts and name what they leave undefined."""
        for name in ("tp", "fp", "fn", "tn"):
            object.__setattr__(self, name, as_count(getattr(self, name), name))
        object.__setattr__(self, "n", self.tp + self.fp + self.fn + self.tn)
        undefined = [name for name, value in self._values().items() if math.isnan(value)]
        reason = f"0/0, so undefined: {', '.join(undefined)}" if undefined else None
        object.__setattr__(self, "reason", reason)

    @property
    def accuracy(self) -> Proportion:
        """Share of all cases that were called right."""
        return self._share("accuracy", "exact", 0.95)

    @property
    def precision(self) -> Proportion:
        """Share of positive calls that were right (positive predictive value)."""
        return self._share("precision", "exact", 0.95)

    @property
    def recall(self) -> Proportion:
        """Share of positives that were found (sensitivity)."""
        return self._share("recall", "exact", 0.95)

    @property
    def sensitivity(self) -> Proportion:
        """Another name of :attr:`recall`."""
        return self.recall

    @property
    def specificity(self) -> Proportion:
        """Share of negatives that were called negative."""
        return self._share("specificity", "exact", 0.95)

    @property
    def npv(self) -> Proportion:
        """Share of negative calls that were right (negative predictive value)."""
        return self._share("npv", "exact", 0.95)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, ``2TP / (2TP + FP + FN)``."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def mcc(self) -> float:
        """Matthews correlation; the phi coefficient of the table."""
        product = math.prod(
            (self.tp + self.fp, self.tp + self.fn, self.tn + self.fp, self.tn + self.fn)
        )
        return _ratio(self.tp * self.tn - self.fp * self.fn, math.sqrt(product))

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity."""
        return (self._rate("recall") + self._rate("specificity")) / 2.0

    @property
    def youden_j(self) -> float:
        """Sensitivity + specificity - 1."""
        return self._rate("recall") + self._rate("specificity") - 1.0

    @property
    def lr_positive(self) -> float:
        """Likelihood ratio of a positive call, sensitivity / (1 - specificity)."""
        return _odds(self._rate("recall"), _ratio(self.fp, self.fp + self.tn))

    @property
    def lr_negative(self) -> float:
        """Likelihood ratio of a negative call, (1 - sensitivity) / specificity."""
        return _odds(_ratio(self.fn, self.tp + self.fn), self._rate("specificity"))

    @property
    def diagnostic_odds_ratio(self) -> float:
        """``TP·TN / (FP·FN)``."""
        if self.tp + self.fn == 0 or self.fp + self.tn == 0:
            return math.nan
        return _odds(self.tp * self.tn, self.fp * self.fn)

    def metrics(self, *, ci: str = "exact", level: float = 0.95) -> ConfusionShares:
        """Return accuracy, precision, recall, specificity and npv with the chosen interval.

        Parameters
        ----------
        ci : {"exact", "wilson", "agresti-coull"}
            Interval.
        level : float
            Confidence level.

        Returns
        -------
        ConfusionShares
            ``metrics().recall`` and ``metrics()["recall"]`` are the same.
        """
        return ConfusionShares(**{n: self._share(n, ci, level) for n in self._fractions()})

    def ratios(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """Return likelihood ratios and odds ratio with log-normal limits, and Youden's J.

        The limits of the ratios are NaN with a reason where a count is 0.

        Parameters
        ----------
        level : float
            Confidence level.
        """
        check_level(level)
        tp, fp, fn, tn = self.tp, self.fp, self.fn, self.tn
        signal, noise = tp + fn, fp + tn
        simel, woolf = "log-normal interval (Simel 1991)", "log-normal interval (Woolf 1955)"
        return {
            "lr_positive": self._log_ratio(
                self.lr_positive, (tp, fp), (signal, noise), simel, level
            ),
            "lr_negative": self._log_ratio(
                self.lr_negative, (fn, tn), (signal, noise), simel, level
            ),
            "diagnostic_odds_ratio": self._log_ratio(
                self.diagnostic_odds_ratio, (tp, fp, fn, tn), (), woolf, level
            ),
            "youden_j": self._youden(level),
        }

    def bootstrap(
        self, metric: str, *, n_boot: int = 2000, seed: int | None = 0, level: float = 0.95
    ) -> Estimate:
        """Return a percentile bootstrap interval of any metric by resampling cases.

        Parameters
        ----------
        metric : str
            ``"f1"``, ``"mcc"``, ``"balanced_accuracy"``, or another metric of this class.
        n_boot : int
            Resamples, at least 100.
        seed : int
            Seed of the generator, named in the method.
        level : float
            Confidence level.

        Raises
        ------
        ValueError
            For an unknown metric or too few resamples.
        """
        check_choice(metric, "metric", tuple(self._values()))
        check_level(level)
        if n_boot < 100:
            raise ValueError(f"n_boot must be at least 100, got {n_boot}")
        seed = resolve_seed(seed)
        method = f"{metric}, percentile bootstrap of cases, {n_boot} resamples, seed {seed}"
        value = self._values()[metric]
        if math.isnan(value):
            return Estimate(method=method, n=self.n, value=value, level=level, reason=self.reason)
        counts = np.array([self.tp, self.fp, self.fn, self.tn])
        draws = np.random.default_rng(seed).multinomial(self.n, counts / self.n, size=n_boot)
        values = np.array([Confusion(*draw)._values()[metric] for draw in draws.tolist()])
        kept = values[~np.isnan(values)]
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(kept, [tail, 1.0 - tail], method="inverted_cdf")
        lost = n_boot - kept.size
        note = (f"{metric} was undefined in {lost} of {n_boot} resamples",) if lost else ()
        return Estimate(
            method=method,
            n=self.n,
            value=value,
            low=float(low),
            high=float(high),
            level=level,
            warnings=note,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, every metric, and the intervals, JSON-safe."""
        return super().to_dict() | json_safe(self._values() | {"intervals": dict(self.metrics())})

    def summary(self) -> str:
        """Return the counts with sensitivity and specificity."""
        return (
            f"TP {self.tp}, FP {self.fp}, FN {self.fn}, TN {self.tn}; "
            f"recall {self._rate('recall'):.4g}, specificity {self._rate('specificity'):.4g}, "
            f"n = {self.n}, {self.method}"
        )

    def _fractions(self) -> dict[str, tuple[int, int]]:
        return {
            "accuracy": (self.tp + self.tn, self.n),
            "precision": (self.tp, self.tp + self.fp),
            "recall": (self.tp, self.tp + self.fn),
            "specificity": (self.tn, self.tn + self.fp),
            "npv": (self.tn, self.tn + self.fn),
        }

    def _rate(self, name: str) -> float:
        return _ratio(*self._fractions()[name])

    def _share(self, name: str, ci: str, level: float) -> Proportion:
        k, n = self._fractions()[name]
        return proportion(k, n, ci=ci, level=level)

    def _values(self) -> dict[str, float]:
        shares = {name: _ratio(k, n) for name, (k, n) in self._fractions().items()}
        return shares | {
            "f1": self.f1,
            "mcc": self.mcc,
            "balanced_accuracy": self.balanced_accuracy,
            "youden_j": self.youden_j,
            "lr_positive": self.lr_positive,
            "lr_negative": self.lr_negative,
            "diagnostic_odds_ratio": self.diagnostic_odds_ratio,
        }

    def _log_ratio(
        self,
        value: float,
        plus: tuple[int, ...],
        minus: tuple[int, ...],
        interval: str,
        level: float,
    ) -> Estimate:
        low = high = math.nan
        reason = "the limits are undefined: a count is 0"
        if all(plus) and math.isfinite(value):
            variance = sum(1.0 / c for c in plus) - sum(1.0 / c for c in minus)
            half = normal_quantile(level) * math.sqrt(variance)
            low, high, reason = value * math.exp(-half), value * math.exp(half), ""
        return Estimate(
            method=interval, n=self.n, value=value, low=low, high=high, level=level,
            reason=reason or None,
        )  # fmt: skip

    def _youden(self, level: float) -> Estimate:
        method = "Youden's J, Newcombe interval (1998, method 10)"
        found, missed = self._fractions()["recall"], self._fractions()["specificity"]
        if 0 in (found[1], missed[1]):
            reason = "a class has no cases"
            return Estimate(method=method, n=self.n, value=math.nan, level=level, reason=reason)
        low, high = newcombe_limits(*found, self.fp, missed[1], level)
        return Estimate(
            method=method, n=self.n, value=self.youden_j, low=low, high=high, level=level
        )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def _odds(numerator: float, denominator: float) -> float:
    if math.isnan(numerator) or math.isnan(denominator):
        return math.nan
    if denominator == 0.0:
        return math.inf if numerator > 0.0 else math.nan
    return numerator / denominator


def confusion(
    truth: npt.ArrayLike | str,
    call: npt.ArrayLike | str,
    *,
    missing: str = "raise",
    case_ids: Sequence[Any] | str | None = None,
    assume_independent: bool = False,
    data: Any = None,
) -> Confusion:
    """Count truth against call.

    Parameters
    ----------
    truth, call : array_like of 0/1, shape (n,), or column names
        1 is positive.
    missing : {"raise", "omit"}
        Refuse NaN, or drop pairs that have one.
    case_ids : sequence or column name, optional
        The case behind each pair; repeated cases are refused, since the intervals take the pairs
        as independent.
    assume_independent : bool
        Accept repeated cases all the same.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    Confusion

    Raises
    ------
    ValueError
        For values other than 0 and 1, different lengths, NaN, or repeated cases.

    Examples
    --------
    >>> c = confusion([1, 1, 1, 0, 0], [1, 1, 0, 0, 1])
    >>> (c.tp, c.fp, c.fn, c.tn)
    (2, 1, 1, 1)
    """
    real = as_binary(column(data, truth), "truth")
    called = as_binary(column(data, call), "call")
    n = same_length(truth=real, call=called)
    ids = None if case_ids is None else list(column(data, case_ids))
    refuse_repeats(
        ids, n, assume_independent=assume_independent, instead="clustered_proportion or MRMC"
    )
    dropped = missing_rows(missing, truth=real, call=called)
    code = (2 * real[~dropped] + called[~dropped]).astype(np.int64)
    tn, fp, fn, tp = np.bincount(code, minlength=4).tolist()
    return Confusion(tp, fp, fn, tn, n_dropped=int(dropped.sum()))
