"""The terms of a draw: items, designs and rows, with their checks and their JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Plan = Literal["crossed", "one_version", "split_plot", "partial"]
Schedule = Literal["single", "crossover", "sequential"]
Counterbalance = Literal["readers", "items"]
PLANS = ("crossed", "one_version", "split_plot", "partial")
SCHEDULES = ("single", "crossover", "sequential")
MAIN, TRAINING = "main", "training"


class ImpossibleDesign(ValueError):
    """No table can meet the constraints; the message names the conflict."""


@dataclass(frozen=True)
class Item:
    """What is shown as one presentation.

    Attributes
    ----------
    key : str
        Names the item; opaque.
    subject : str
        Items of one subject are kept ``gap`` positions apart.
    stratum : str
        Groups for balance (disease, sequence, generator …).
    group : str
        Opaque letter of the class whose runs are limited. Nobody needs to know which class.
    unit : str
        Items of one unit are versions of each other; blank: the item has no other version.
    places : int
        Number of images beside each other whose sides are drawn; 1 = a single image.
    """

    key: str
    subject: str
    stratum: str = ""
    group: str = ""
    unit: str = ""
    places: int = 1

    @property
    def category(self) -> tuple[str, str]:
        """Stratum and group: what blocks and samples keep in proportion."""
        return self.stratum, self.group


@dataclass(frozen=True)
class Design:
    """Who reads what, in which arms, when, and what the order must respect.

    Attributes
    ----------
    readers : tuple of str
        Reader codes.
    items : tuple of Item
    plan : {"crossed", "one_version", "split_plot", "partial"}
        Every reader reads every item; one version of each unit; the items of the reader's plot;
        each item is read by ``readers_per_item`` readers.
    schedule : {"single", "crossover", "sequential"}
        One period and one arm; one period for each arm; all arms of an item one after another.
    arms : tuple of str
        Arm codes. For a sequential schedule in the order of the stages.
    counterbalance : {"readers", "items"}
        Crossover only: each reader follows one sequence of arms, or each item does.
    training : tuple of Item
        Shown first, outside the analysis.
    plots, readers_per_item : int
        For the plans that need them.
    repeats : int
        Items that each reader is shown a second time, per period.
    lag : int
        Least distance in positions between an item and its repeat.
    gap : int
        Least distance between two items of one subject; 1 = no constraint.
    max_run : int
        Most items of one group in a row; 0 = no constraint.
    blocks : int
        Parts of a period that have all categories in equal proportion.
    """

    readers: tuple[str, ...]
    items: tuple[Item, ...]
    plan: Plan = "crossed"
    schedule: Schedule = "single"
    arms: tuple[str, ...] = (MAIN,)
    counterbalance: Counterbalance = "readers"
    training: tuple[Item, ...] = ()
    plots: int = 1
    readers_per_item: int = 1
    repeats: int = 0
    lag: int = 1
    gap: int = 1
    max_run: int = 0
    blocks: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the table: at ``position`` (from 1) of ``period`` a reader is shown ``item``.

    ``period`` is 0 for training. ``stage`` counts the arms of a sequential reading from 1.
    ``sides`` names the member shown in each place. ``repeat`` is 1 for a second presentation.
    """

    reader: str
    period: int
    position: int
    item: str
    arm: str = MAIN
    stage: int = 1
    repeat: int = 0
    sides: tuple[int, ...] = (0,)

    @property
    def phase(self) -> str:
        """Main, or training, which no analysis ever sees."""
        return MAIN if self.period else TRAINING


def validate(design: Design) -> None:
    """Refuse what no draw can mend, in words that name the conflict."""
    _require_names(design)
    _require_numbers(design)
    _require_arms(design)
    _require_plan(design)


def _require_names(design: Design) -> None:
    if not design.readers or not design.items:
        raise ImpossibleDesign("A design needs at least one reader and one case.")
    if reader := _twice(design.readers):
        raise ImpossibleDesign(f"Reader {reader} is named twice in the design.")
    if key := _twice(item.key for item in (*design.items, *design.training)):
        raise ImpossibleDesign(
            f"Case {key} is named twice in the design. A training case cannot also be read."
        )
    if arm := _twice(design.arms):
        raise ImpossibleDesign(f"Arm {arm} is named twice in the design.")
    trained = {item.subject for item in design.training}
    for item in design.items:
        if item.subject in trained:
            raise ImpossibleDesign(
                f"Case {item.key} shows a person who is also in the training block. "
                "Choose other training cases."
            )


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _require_numbers(design: Design) -> None:
    least = {"gap": 1, "lag": 1, "max_run": 0, "blocks": 1, "repeats": 0, "plots": 1}
    for name, low in {**least, "readers_per_item": 1}.items():
        if getattr(design, name) < low:
            raise ImpossibleDesign(f"{name} must be at least {low}, not {getattr(design, name)}.")
    if any(item.places < 1 for item in (*design.items, *design.training)):
        raise ImpossibleDesign("Each item needs at least one place.")


def _require_arms(design: Design) -> None:
    if design.plan not in PLANS or design.schedule not in SCHEDULES:
        raise ImpossibleDesign(f"There is no design {design.plan!r} with {design.schedule!r}.")
    if design.schedule == "single" and len(design.arms) != 1:
        raise ImpossibleDesign(f"{len(design.arms)} arms need a crossover or a sequential reading.")
    if design.schedule != "single" and len(design.arms) < 2:
        raise ImpossibleDesign(f"A {design.schedule} design needs at least two arms.")
    if design.schedule == "sequential" and any(item.places > 1 for item in design.items):
        raise ImpossibleDesign("Images to choose between cannot be read in stages.")


def _require_plan(design: Design) -> None:
    readers = len(design.readers)
    if design.plan == "partial" and design.readers_per_item > readers:
        raise ImpossibleDesign(
            f"Each case should be read by {design.readers_per_item} readers, "
            f"but only {readers} are enrolled."
        )
    if design.plan == "partial" and len(design.items) * design.readers_per_item < readers:
        raise ImpossibleDesign(
            f"{len(design.items)} cases read by {design.readers_per_item} each leave some of the "
            f"{readers} readers with nothing to read."
        )
    if design.plan == "split_plot":
        _require_plots(design)
    if design.plan == "one_version":
        _require_versions(design)


def _require_plots(design: Design) -> None:
    subjects = len({item.subject for item in design.items})
    if design.plots < 2 or design.plots > min(len(design.readers), subjects):
        raise ImpossibleDesign(
            f"{design.plots} plots cannot be made of {len(design.readers)} readers and "
            f"{subjects} subjects: each plot needs one of both, and there must be two plots."
        )


def _require_versions(design: Design) -> None:
    versions = versions_of(design.items)
    wanted = max(len(group) for group in versions.values())
    if wanted < 2:
        raise ImpossibleDesign("No case has another version; one version per reader means nothing.")
    for unit, group in versions.items():
        if len(group) != wanted:
            raise ImpossibleDesign(
                f"Case {unit} has {len(group)} of {wanted} versions. "
                "Add the missing one or take the case out."
            )


def versions_of(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return the versions of each unit, sorted by group and key; a lone item is its own unit."""
    units: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: (item.group, item.key)):
        units.setdefault(item.unit or item.key, []).append(item)
    return units


def design_document(design: Design) -> dict[str, Any]:
    """Return a design as JSON, as stored and as printed in the certificate."""
    document = asdict(design)
    for name in ("readers", "arms", "items", "training"):
        document[name] = list(document[name])
    return document


def design_from(document: dict[str, Any]) -> Design:
    """Return the design that :func:`design_document` stored.

    Raises
    ------
    ImpossibleDesign
        If something is missing or unknown.
    """
    known = {field.name for field in fields(Design)}
    if unknown := set(document) - known:
        raise ImpossibleDesign(f"The stored design has an unknown entry: {min(unknown)}.")
    try:
        return Design(
            **{
                **document,
                "readers": tuple(document["readers"]),
                "arms": tuple(document["arms"]),
                "items": tuple(Item(**item) for item in document["items"]),
                "training": tuple(Item(**item) for item in document["training"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise ImpossibleDesign(f"The stored design is not complete: {error}.") from error
