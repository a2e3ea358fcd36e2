"""One case in the viewer of the staff: its series, and their origin where it may be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.flags import Flag, label
from readerstudy.cases.models import Case, Series
from readerstudy.cases.native_layout import (
    MAX_SLOTS,
    Page,
    Regions,
    Shown,
    in_order,
    is_label_map,
    label_values,
    show,
)
from readerstudy.cases.native_words import colour_words, flags_of, geometry_words, value_words
from readerstudy.core.errors import ReaderStudyError
from readerstudy.truth.models import Origin
from readerstudy.truth.visibility import look_at, why_hidden

MAX_RELATIVES = 12


@dataclass(frozen=True)
class Sight:
    """What a user may know of the origin of a case; looking at it was recorded."""

    case: Case
    why_hidden: str
    origin: Origin | None = None
    acquired: frozenset[str] = frozenset()

    @property
    def is_synthetic(self) -> bool:
        return self.origin is not None and self.origin.kind == Origin.Kind.SYNTHETIC

    def made(self, series: Series) -> bool:
        """Is this image known to be synthetic? Inputs of the generator were acquired."""
        return self.is_synthetic and series.sha256 not in self.acquired


def see(case: Case, user: Any) -> Sight:
    """Return what a user may know of the origin of a case, and record the look."""
    if reason := why_hidden(user, case):
        return Sight(case, reason)
    origin = look_at(case=case, actor=user).origin
    return Sight(case, "", origin, _acquired(case))


def relatives_of(case: Case) -> list[Case]:
    """Return other cases of the same subject, such as its synthetic version."""
    return list(Case.objects.filter(subject=case.subject_id).exclude(pk=case.pk)[:MAX_RELATIVES])


def _acquired(case: Case) -> frozenset[str]:
    """Return the checksums of images that a real case holds too."""
    digests = list(case.series.values_list("sha256", flat=True))
    others = Series.objects.filter(sha256__in=digests).exclude(case=case)
    real = Origin.objects.filter(kind=Origin.Kind.REAL, case__in=others.values("case"))
    return frozenset(others.filter(case__in=real.values("case")).values_list("sha256", flat=True))


@dataclass(frozen=True)
class Line:
    """What the page says of one series."""

    role: str
    label: str
    shown: Shown | None
    synthetic: bool
    flags: list[Flag]
    is_regions: bool
    axes: str  # label of the series whose axes it is shown in

    @property
    def geometry(self) -> str:
        return geometry_words(self.shown) if self.shown else ""

    @property
    def tilt(self) -> str:
        """How far the series is tilted against the axes of the page; empty if it is not."""
        if self.shown is None or self.shown.placement.exact:
            return ""
        return f"{self.shown.placement.tilt_degrees:.1f}"

    @property
    def values(self) -> str:
        return value_words(self.shown) if self.shown else ""

    @property
    def colours(self) -> str:
        return colour_words(self.shown) if self.shown else ""

    @property
    def inverted(self) -> bool:
        return self.shown is not None and self.shown.inverted


@dataclass(frozen=True)
class CaseView:
    """The page of one case."""

    sight: Sight
    page: Page
    axes: Series
    lines: list[Line]
    undrawn: list[Series]  # damaged at the last check

    @property
    def case(self) -> Case:
        return self.sight.case


def case_view(*, case: Case, user: Any, roles: Collection[str] = (), axes: str = "") -> CaseView:
    """Lay out the series of a case.

    Parameters
    ----------
    roles : collection of str
        Which images to show, at most six; the first six when empty.
    axes : str
        Role of the series whose axes are those of the page; the first image when empty.
    """
    sight = see(case, user)
    every = in_order(case.series.select_related("case"))
    whole = [one for one in every if not one.damage]
    images = [one for one in whole if not is_label_map(one)]
    if not images:
        raise ReaderStudyError(f"Case {case.code} has no image that can be shown.")
    chosen = [one for one in images if one.role in roles] or images
    base = next((one for one in images if one.role == axes), chosen[0])
    shown = [_show(one, base, sight) for one in chosen[:MAX_SLOTS]]
    regions = [_regions(one, shown) for one in whole if one not in images]
    lines = [_line(one, shown, sight, label(base.role)) for one in whole]
    undrawn = [one for one in every if one.damage]
    return CaseView(sight, Page(shown, regions), base, lines, undrawn)


def _show(series: Series, axes: Series, sight: Sight) -> Shown:
    relative = bool(sight.why_hidden)
    return show(series, axes, text=tagged(label(series.role), series, sight), relative=relative)


def tagged(text: str, series: Series, sight: Sight) -> str:
    """Return the words of a pane; an image known to be synthetic says so."""
    return f"{text}, synthetic" if sight.made(series) else text


def _regions(series: Series, shown: list[Shown]) -> Regions:
    """Return a label map on the image that lies on its own grid, or on the first."""
    alike = (one for one in shown if one.series.shape == series.shape)
    return Regions(series, next(alike, shown[0]), label_values(series) or [])


def _line(series: Series, shown: Iterable[Shown], sight: Sight, axes: str) -> Line:
    return Line(
        role=series.role,
        label=label(series.role),
        shown=next((one for one in shown if one.series.pk == series.pk), None),
        synthetic=sight.made(series),
        flags=flags_of(series),
        is_regions=is_label_map(series),
        axes=axes,
    )
