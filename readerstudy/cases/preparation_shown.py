"""Preparations in words and figures, as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from readerstudy.cases import storage
from readerstudy.cases.access import access_case
from readerstudy.cases.flags import label
from readerstudy.cases.models import Preparation
from readerstudy.cases.usage import usages_of
from readerstudy.core.errors import NotFound
from readerstudy.imaging.preparation import pictures
from readerstudy.imaging.preparation.chain_steps import ORDER, SEGMENTATION

PER_PAGE = 25
STATES = ("proposed", "running", "accepted", "rejected", "failed")
TONES = {"proposed": "wait", "running": "accent", "accepted": "ok", "rejected": "outline"}
STEP_WORDS = {
    "reorient": "Axes put in order",
    "resample": "Resampled",
    "register": "Registered",
    "bias": "Brightness evened out (N4)",
    "brain_mask": "Brain found",
    "normalise": "Grey values normalised",
}
FIGURE_WORDS = {
    "axes_before": "axes before",
    "axes": "axes",
    "oblique": "oblique",
    "shape_before": "voxels before",
    "shape": "voxels",
    "spacing_before_mm": "spacing before, mm",
    "spacing_mm": "spacing, mm",
    "metric_before": "mutual information before",
    "metric": "mutual information",
    "standing": "stands out by",
    "overlap": "overlap",
    "rotation_deg": "turned by, °",
    "shift_mm": "moved by, mm",
    "scales": "scales",
    "follows": "moved like",
    "found_by": "found by",
    "volume_ml": "brain, mL",
    "covered": "share of the brain in the image",
    "agreement": "agreement with the model",
    "variation_before": "variation before",
    "variation": "variation",
    "field_lowest": "field, lowest",
    "field_highest": "field, highest",
    "mean": "mean before",
    "sd": "SD before",
    "low": "lower percentile",
    "high": "upper percentile",
    "from": "from",
    "to": "to",
}
REVERSED = {"shape_before", "shape", "spacing_before_mm", "spacing_mm"}


@dataclass(frozen=True)
class Line:
    """One step of one series."""

    name: str
    figures: list[tuple[str, str]]
    tool: str
    seconds: float


@dataclass(frozen=True)
class SeriesShown:
    """One series before and after."""

    role: str
    label: str
    warnings: list[str]
    lines: list[Line]
    before: str
    after: str


@dataclass(frozen=True)
class Shown:
    """One preparation as its page shows it; without figures while a study is blinded."""

    row: Preparation
    blinded: bool
    series: list[SeriesShown]
    tools: list[tuple[str, str]]

    @property
    def tone(self) -> str:
        """Tone of the tag with the state."""
        return TONES.get(self.row.state, "stop")

    @property
    def warnings(self) -> list[str]:
        """What to look at closely, by sequence."""
        return [f"{one.label}: {text}" for one in self.series for text in one.warnings]

    @property
    def can_decide(self) -> bool:
        """Whether it waits for a person."""
        return self.row.state == Preparation.State.PROPOSED and not self.blinded

    @property
    def steps(self) -> list[str]:
        """The steps asked for, in words."""
        return steps_in_words(self.row)


def access_preparation(pk: Any) -> Preparation:
    """Return a preparation with its case."""
    row = Preparation.objects.select_related("case", "created_by", "decided_by")
    found = row.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such preparation.")
    return found


def waiting_for(case_pk: Any) -> Preparation | None:
    """Return the newest preparation of a case that waits for a person."""
    rows = Preparation.objects.filter(case=access_case(case_pk))
    return rows.filter(state=Preparation.State.PROPOSED).first()


def listing(state: str, number: Any) -> dict[str, Any]:
    """Return one page of the preparations in a state, and how many each state has."""
    rows = Preparation.objects.select_related("case", "created_by").order_by("-created_at")
    counts = {name: rows.filter(state=name).count() for name in STATES}
    chosen = rows.filter(state=state) if state in STATES else rows
    page: Page[Preparation] = Paginator(chosen, PER_PAGE).get_page(number)
    use = usages_of([row.case_id for row in page])
    lines = [_line(row, bool(use[row.case_id].blinded)) for row in page]
    return {"page": page, "lines": lines, "counts": counts, "state": state}


def _line(row: Preparation, blinded: bool) -> dict[str, Any]:
    warnings = [] if blinded else row.results.get("warnings", [])
    series = row.results.get("series", {})
    return {
        "row": row,
        "tone": TONES.get(row.state, "stop"),
        "steps": "not shown" if blinded else ", ".join(steps_in_words(row)),
        "series": ", ".join(label(role) for role in sorted(series, key=_place)),
        "look": len(warnings),
    }


def steps_in_words(row: Preparation) -> list[str]:
    """Return the steps asked for."""
    return [STEP_WORDS.get(step["step"], step["step"]) for step in row.chain]


def shown(row: Preparation) -> Shown:
    """Return what the page of a preparation shows."""
    blinded = bool(usages_of([row.case_id])[row.case_id].blinded)
    if blinded:
        return Shown(row, True, [], [])
    found = row.results.get("series", {})
    series = [_series(role, found[role]) for role in sorted(found, key=_place)]
    tools = list(row.results.get("record", {}).get("tools", {}).items())
    return Shown(row, False, series, tools)


def _place(role: str) -> tuple[int, str]:
    """T1, T1c, T2 and FLAIR first, segmentations last."""
    if role == SEGMENTATION:
        return len(ORDER) + 1, role
    return ORDER.index(role) if role in ORDER else len(ORDER), role


def _series(role: str, outcome: dict[str, Any]) -> SeriesShown:
    lines = [
        Line(
            name=STEP_WORDS.get(step["step"], step["step"]),
            figures=list(_figures(step["figures"])),
            tool=f"{step['tool']} {step['version']}".strip(),
            seconds=step["seconds"],
        )
        for step in outcome["steps"]
    ]
    warnings = [text.removeprefix(f"{role}: ") for text in outcome["warnings"]]
    names = outcome["pictures"]
    return SeriesShown(role, label(role), warnings, lines, names["before"], names["after"])


def _figures(figures: dict[str, Any]) -> Any:
    for name, words in FIGURE_WORDS.items():
        if name in figures:
            yield words, _text(name, figures[name])


def _text(name: str, value: Any) -> str:
    if isinstance(value, list):
        values = reversed(value) if name in REVERSED else value
        return " × ".join(_text("", each) for each in values)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def picture(row: Preparation, role: str, which: str) -> bytes:
    """Return one picture of a series: before, after, or both in turn."""
    names = row.results.get("series", {}).get(role, {}).get("pictures", {})
    if usages_of([row.case_id])[row.case_id].blinded or not names:
        raise NotFound("There is no such picture.")
    if which in names:
        return storage.read(names[which])
    if which != "flicker":
        raise NotFound("There is no such picture.")
    return pictures.flicker_of(storage.read(names["before"]), storage.read(names["after"]))
