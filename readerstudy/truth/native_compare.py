"""Two cases beside each other, and their difference; never while it could unblind a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readerstudy.cases import native_images
from readerstudy.cases.flags import label
from readerstudy.cases.models import Case, Series
from readerstudy.cases.native_layout import Page, Shown, in_order, is_label_map
from readerstudy.cases.words import geometry
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.imaging import native
from readerstudy.truth.native_case import Sight, see, tagged
from readerstudy.truth.visibility import why_hidden

VALUES, MATCHED = "values", "matched"
MATCHED_UNIT = "%"
RULES = {
    VALUES: "As stored: the values of both sources, unchanged",
    MATCHED: "Matched: 0 and 100 % at the 10th and 90th percentile of each image",
}
FIRST, SECOND = "a", "b"


@dataclass(frozen=True)
class Pair:
    """A series that both cases have."""

    first: Series
    second: Series

    @property
    def role(self) -> str:
        return self.first.role

    @property
    def label(self) -> str:
        return label(self.role)

    @property
    def same(self) -> bool:
        """Is it one and the same image?"""
        return self.first.sha256 == self.second.sha256

    @property
    def unit(self) -> str:
        return self.first.unit if self.first.unit == self.second.unit else ""


@dataclass(frozen=True)
class Comparison:
    """The page of two cases."""

    sights: tuple[Sight, Sight]
    pairs: list[Pair]
    pair: Pair
    rule: str
    page: Page
    shown: tuple[Shown, Shown]
    no_difference: str  # why there is none; empty where there is one
    centred: bool  # two people on different grids: linked by the middles of their images

    @property
    def step(self) -> str:
        """The step to which the difference is exact, with its unit."""
        one = self.shown[0]
        return f"{one.scale.slope:.3g}{' ' if one.unit else ''}{one.unit}"

    @property
    def rules(self) -> Mapping[str, str]:
        return RULES


def require_comparable(*, user: Any, first: Case, second: Case) -> None:
    """Refuse a comparison while the origin of either case is hidden.

    Which of two cases is the synthetic one need not be hidden for the refusal to be the same: it
    must not tell anything either.
    """
    if first.pk == second.pk:
        raise ReaderStudyError("Choose another case: this one would be compared with itself.")
    for case in (first, second):
        if reason := why_hidden(user, case):
            raise NotAllowed(
                f"Cases {first.code} and {second.code} are not compared now: a comparison could "
                f"tell real from synthetic. Case {case.code}: {reason} Compare them after the "
                "unblinding; each can be opened by itself."
            )


def comparison(
    *, first: Case, second: Case, user: Any, role: str = "", rule: str = ""
) -> Comparison:
    """Lay out one series of two cases and their difference.

    Parameters
    ----------
    role : str
        Of the series; the first that differs when empty.
    rule : {"", "values", "matched"}
        How grey levels are made comparable: "values" where the series has a unit, "matched" where
        it has none, when empty.
    """
    require_comparable(user=user, first=first, second=second)
    pairs = _pairs(first, second)
    pair = next((one for one in pairs if one.role == role), None) or _first_that_differs(pairs)
    rule = rule if rule in RULES else VALUES if pair.unit else MATCHED
    sights = see(first, user), see(second, user)
    shown = _beside(pair, rule, sights)
    reason = _why_no_difference(*shown)
    centred = bool(reason) and first.subject_id != second.subject_id
    if centred:
        shown = shown[0], _centred(*shown)
    page = Page(list(shown), [], *_difference(shown, reason))
    return Comparison(sights, pairs, pair, rule, page, shown, reason, centred)


def _centred(first: Shown, second: Shown) -> Shown:
    """Put the middle of the second on that of the first: positions in two people say nothing."""
    grid = second.placement.grid
    x, y, z = np.array(grid.origin_mm) + first.placement.grid.centre_mm - grid.centre_mm
    moved = replace(grid, origin_mm=(float(x), float(y), float(z)))
    return replace(second, placement=replace(second.placement, grid=moved))


def _pairs(first: Case, second: Case) -> list[Pair]:
    others = {one.role: one for one in second.series.select_related("case") if not one.damage}
    own = in_order(one for one in first.series.select_related("case") if not one.damage)
    pairs = [Pair(one, others[one.role]) for one in own if one.role in others]
    pairs = [pair for pair in pairs if not is_label_map(pair.first)]
    if not pairs:
        raise ReaderStudyError(
            f"Cases {first.code} and {second.code} have no sequence in common. Choose two cases "
            "with the same sequence."
        )
    return pairs


def _first_that_differs(pairs: list[Pair]) -> Pair:
    return next((pair for pair in pairs if not pair.same), pairs[0])


def _beside(pair: Pair, rule: str, sights: tuple[Sight, Sight]) -> tuple[Shown, Shown]:
    """Return both images in the axes of the first, with one rule from values to levels."""
    both = pair.first, pair.second
    scales = [_scaled(one, rule) for one in both]
    common = native.pair_rule([facts for facts, _, _ in scales])
    joint = native.joint_facts([facts for facts, _, _ in scales])
    first, second = (
        Shown(
            role=f"{side}_{one.role}",
            label=tagged(f"{pair.label}, case {one.case.code}", one, sight),
            series=one,
            axes=pair.first,
            placement=native_images.placement_of(one, pair.first),
            rule=native.after(common, gain, offset),
            scale=common,
            facts=joint,
            unit=MATCHED_UNIT if rule == MATCHED else one.unit,
        )
        for side, one, (_, gain, offset), sight in zip(
            (FIRST, SECOND), both, scales, sights, strict=True
        )
    )
    return first, second


def _scaled(series: Series, rule: str) -> tuple[native.ValueFacts, float, float]:
    facts = native_images.facts_of(series)
    if rule == VALUES:
        return facts, 1.0, 0.0
    try:
        return native.matched_facts(facts)
    except ValueError as error:
        raise ReaderStudyError(
            f"{label(series.role)} of case {series.case.code} cannot be matched: {error} Choose "
            "the values as stored."
        ) from error


def _why_no_difference(first: Shown, second: Shown) -> str:
    if first.unit != second.unit:
        units = f"{first.unit or 'no unit'} and {second.unit or 'no unit'}"
        return f"They have {units}. Choose the matched scale."
    if native.same_grid(first.placement.grid, second.placement.grid) and second.placement.exact:
        return ""
    grids = [geometry(one.series) for one in (first, second)]
    where = f"{grids[0]} and {grids[1]}" if grids[0] != grids[1] else f"both {grids[0]}, moved"
    return (
        f"They lie on different grids ({where}). Register and resample one to the other in a "
        "preparation; then the difference is shown here."
    )


def _difference(
    shown: tuple[Shown, Shown], reason: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the pane of the difference, or the pane that says why there is none."""
    first, second = shown
    if reason:
        return [], [{"of": first.role, "title": "No difference", "text": reason}]
    spread = first.facts.percentile(90) - first.facts.percentile(10)
    span = max(4, round(spread / first.scale.slope / 2))
    label = f"{first.series.case.code} − {second.series.case.code}"
    return [{"of": first.role, "minus": second.role, "range": span, "label": label}], []
