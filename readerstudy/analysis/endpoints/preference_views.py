"""The share of choices against an even one: these readers, such readers, ties counted half."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, number_of, undefined
from readerstudy.analysis.endpoints.choices import Choices
from readerstudy.analysis.endpoints.versions import SUCH, THESE, decides_over_readers, units_of
from readerstudy.stats.mrmc_anova import two_sided_p

EXACT = "exact binomial test"
CLUSTERED = "clustered (Rao & Scott 1992), Wald test"
MEAN = "mean of the readers, readers and cases as samples, t test"


@dataclass(frozen=True)
class Found:
    """A share against an even choice."""

    number: Number
    p: float
    statistic: float = NAN
    symbol: str = ""
    df: str = ""
    p_within: float = NAN
    method: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()


def share_of(found: Choices, **behind: str) -> Found:
    """Return the share of choices that count: exact for one of each case, else clustered."""
    if not len(found):
        return Found(undefined("no choice", "percent"), NAN, reason="no choice")
    success = found.value.astype(int)
    if np.unique(found.cluster).size == len(found):
        k, n = int(success.sum()), len(found)
        made = stats.proportion(k, n, level=found.level)
        test = stats.binomial_against(k, n, p0=found.chance)
        number = number_of(made, "percent", behind=behind)
        return Found(number, test.p_two_sided, method=EXACT, reason=test.reason or "")
    return _clustered(found, behind)


def _clustered(found: Choices, behind: dict[str, str]) -> Found:
    margin = found.entry.margin
    usable = margin is not None and margin < min(found.chance, 1 - found.chance)
    made = stats.clustered_against(
        found.value, found.cluster, p0=found.chance, margin=margin if usable else None,
        level=found.level,
    )  # fmt: skip
    number = number_of(made, "percent", behind=behind)
    if math.isnan(number.low):
        number = _limits_by_cluster(found, made.value, behind)
    return Found(
        number,
        made.p_two_sided,
        made.z,
        "z",
        p_within=made.p_equivalence,
        method=CLUSTERED,
        reason=made.reason or "",
        warnings=made.warnings,
    )


def _limits_by_cluster(found: Choices, value: float, behind: dict[str, str]) -> Number:
    """Return Wilson limits with each cluster counted once, where nothing varies between them."""
    clusters = np.unique(found.cluster).size
    alone = stats.proportion(round(value * clusters), clusters, level=found.level)
    return Number(value, "percent", alone.low, alone.high, found.level, behind=behind)


def views_of(found: Choices) -> list[tuple[str, Found]]:
    """Return the share of all readers under each view; the first one decides."""
    entry, decided = found.entry, found.decided
    units = units_of(entry)
    these = (THESE.format(units=units), _within(share_of(decided), decided))
    such = (SUCH.format(units=units), _over_readers(decided))
    views = [such, these] if decides_over_readers(entry) else [these, such]
    if found.is_tie.any():
        views.append(("These readers, “equal” counted half for each", _clustered(found.halved, {})))
    if np.unique(decided.cluster).size < len(decided):
        alone = stats.proportion(int(decided.value.sum()), len(decided), level=found.level)
        test = stats.binomial_against(int(decided.value.sum()), len(decided), p0=found.chance)
        name = "Choices taken as independent; they are not"
        views.append((name, Found(number_of(alone, "percent"), test.p_two_sided, method=EXACT)))
    return views


def _within(share: Found, found: Choices) -> Found:
    """Add the p of equivalence where the share is that of independent choices."""
    margin = found.entry.margin
    if share.method != EXACT or margin is None or margin >= min(found.chance, 1 - found.chance):
        return share
    made = stats.equivalence_to_chance(
        int(found.value.sum()), len(found), margin=margin, p0=found.chance
    )
    return replace(share, p_within=made.p_exact)


def _over_readers(found: Choices) -> Found:
    """Return the mean share with readers and cases as samples."""
    reason = ""
    pairs = np.stack((found.reader, found.item, np.unique(found.arm, return_inverse=True)[1]))
    if np.unique(found.reader).size < 2:
        reason = "one reader says nothing about readers like this one"
    elif np.unique(pairs[:2], axis=1).shape[1] < len(found):
        reason = "readers chose for the same set in several arms: see the arms"
    elif found.entry.unit == "subject" and _repeats_persons(found):
        reason = "patients have several sets, which the analysis over readers takes as independent"
    if reason:
        return Found(undefined(reason, "percent"), NAN, method=MEAN, reason=reason)
    made = stats.u_statistic(
        reader=found.reader,
        test=np.zeros(len(found), dtype=int),
        case=found.item,
        score=found.value,
        metric="proportion",
        level=found.level,
    )
    mean = made.means[0]
    t = (mean.value - found.chance) / mean.se if mean.se > 0 else NAN
    margin = found.entry.margin
    within = NAN
    if margin is not None and mean.se > 0:
        nearest = (margin - abs(mean.value - found.chance)) / mean.se
        within = two_sided_p(nearest, mean.df) / 2
        within = within if nearest > 0 else 1 - within
    return Found(
        number_of(mean, "percent"),
        two_sided_p(t, mean.df) if not math.isnan(t) else NAN,
        t,
        "t",
        "" if math.isinf(mean.df) else f"{mean.df:.1f}",
        within,
        made.method,
        mean.reason or "",
        made.warnings,
    )


def _repeats_persons(found: Choices) -> bool:
    return np.unique(found.cluster).size < np.unique(found.item).size
