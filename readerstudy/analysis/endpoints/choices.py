"""Choices between images beside each other: what each one speaks for, ties and sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import REAL, SYNTHETIC, Dataset, Item, Read
from readerstudy.studies.analysis_plan import PlannedAnalysis

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
KINDS = ("place", "ranking")


@dataclass(frozen=True)
class Aim:
    """What is counted: ``verb`` and ``what`` in words, and which members of an item count."""

    code: str
    title: str
    verb: str
    what: str
    other: str


RIGHT = Aim("right", "Right choices", "chose", "the right image", "Another image")


@dataclass(frozen=True)
class Choices:
    """One entry per choice.

    Attributes
    ----------
    value : ndarray (n,)
        1 where the choice counts, 0 where not, 0.5 for "equal".
    left : ndarray (n,)
        1 where the image on the left was chosen, 0 where another one was; NaN where not known.
    reader, cluster, item : ndarray of int (n,)
    arm : tuple of str
    chance : float
        Share that counts if every choice is by lot.
    """

    entry: PlannedAnalysis
    aim: Aim
    text: str
    readers: tuple[str, ...]
    silent: tuple[str, ...]
    value: FloatArray
    left: FloatArray
    reader: IntArray
    item: IntArray
    cluster: IntArray
    arm: tuple[str, ...]
    chance: float
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.value.size)

    @property
    def level(self) -> float:
        return 1 - self.entry.alpha

    @property
    def is_tie(self) -> npt.NDArray[np.bool_]:
        return np.equal(self.value, 0.5)

    @property
    def decided(self) -> Choices:
        """The choices without those of "equal"."""
        return self.of(~self.is_tie)

    @property
    def halved(self) -> Choices:
        """Each choice twice, those of "equal" once for each side: a tie counts half."""
        first, second = np.ceil(self.value), np.floor(self.value)
        twice = self.of(np.concatenate([np.arange(len(self))] * 2))
        return replace(twice, value=np.concatenate([first, second]))

    def of(self, keep: npt.NDArray[np.generic]) -> Choices:
        """Return some choices, by a mask or by numbers."""
        where = np.flatnonzero(keep) if keep.dtype == bool else keep
        names = ("value", "left", "reader", "item", "cluster")
        arrays = {name: getattr(self, name)[where] for name in names}
        return replace(self, arm=tuple(self.arm[int(i)] for i in where), **arrays)

    def n_words(self) -> str:
        """Return "4 readers, 50 pairs, 200 choices, 12 of them equal"."""
        ties = int(self.is_tie.sum())
        return (
            f"{many(np.unique(self.reader).size, 'reader')}, "
            f"{many(np.unique(self.item).size, 'set')} of images, {many(len(self), 'choice')}, "
            f"{ties:,} of them “equal”"
        )


def choices_of(data: Dataset, entry: PlannedAnalysis) -> Choices:
    """Return the choices between images beside each other.

    What counts is the right image where the protocol says which it is, else the synthetic one
    beside real ones, else that of the first generator, else the first one of the set.

    Raises
    ------
    ValueError
        If the question does not choose an image, nothing was chosen, or sets differ in how many
        of their images count.
    """
    question = data.protocol.question(entry.question)
    if question.kind not in KINDS:
        raise ValueError(f"“{question.text}” does not choose between images beside each other")
    if entry.consensus:
        raise ValueError("the plan asks for consensus; a preference is that of each reader")
    rows, aim, members, lost = _rows(data, entry)
    if not rows:
        raise ValueError(f"“{question.text}” has no answer that can be counted")
    reads = [one for one, _, _ in rows]
    present = {one.reader for one in reads}
    readers = [code for code in data.reader_codes if code in present]
    readers += sorted(present - set(readers))
    items = list(dict.fromkeys(one.item for one in reads))
    persons = [data.items[one.item].subject for one in reads]
    item, reader = (
        _numbers([getattr(one, name) for one in reads], known)
        for name, known in (("item", items), ("reader", readers))
    )
    subject = _numbers(persons, list(dict.fromkeys(persons)))
    return Choices(
        entry=entry,
        aim=aim,
        text=question.text,
        readers=tuple(readers),
        silent=tuple(code for code in data.reader_codes if code not in present),
        value=np.array([value for _, value, _ in rows]),
        left=np.array([left for _, _, left in rows]),
        reader=reader,
        item=item,
        cluster={"subject": subject, "reader": reader}.get(entry.unit, item),
        arm=tuple(one.arm for one in reads),
        chance=_chance([data.items[code] for code in items], members),
        notes=tuple(f"{many(n, 'choice')} {what}." for what, n in lost.items() if n),
    )


def _rows(
    data: Dataset, entry: PlannedAnalysis
) -> tuple[list[tuple[Read, float, float]], Aim, dict[str, tuple[int, ...]], dict[str, int]]:
    """Return read, value and side of each choice, what counts, and what was left out."""
    code = entry.question
    arms = entry.arms or data.protocol.arm_codes
    reads = [one for one in data.first_reads if one.arm in arms and one.item in data.items]
    given = [one for one in reads if code in one.answers]
    unusable = [one for one in reads if code in one.not_evaluable]
    aim, members = _aim(data, code, [data.items[one.item] for one in (*given, *unusable)])
    known = [one for one in given if members.get(one.item)]
    wrong = entry.not_evaluable == "wrong" and aim is RIGHT
    lost = {
        "of sets whose images could not be told apart, left out": len(given) - len(known),
        f"“not evaluable”, {'counted as not right' if wrong else 'left out'}": len(unusable),
    }
    if entry.missing == "complete":
        kept = _complete([(one.item, one.reader, one.arm) for one in known], len(arms))
        lost["of sets that not every reader read, left out"] = sum(
            one.item not in kept for one in known
        )
        known = [one for one in known if one.item in kept]
    rows = [
        (one, _value(one.answers[code], members[one.item]), _left(one.answers[code]))
        for one in known
    ]
    if wrong:
        rows += [(one, 0.0, float("nan")) for one in unusable if members.get(one.item)]
    return rows, aim, members, lost


def _complete(reads: Sequence[tuple[str, str, str]], arms: int) -> set[str]:
    seen: dict[str, set[tuple[str, str]]] = {}
    for item, reader, arm in reads:
        seen.setdefault(item, set()).add((reader, arm))
    readers = {reader for _, reader, _ in reads}
    return {item for item, pairs in seen.items() if len(pairs) == len(readers) * arms}


def _numbers(values: Sequence[str], known: Sequence[str]) -> IntArray:
    place = {value: number for number, value in enumerate(known)}
    return np.array([place[value] for value in values], dtype=np.int64)


def _aim(
    data: Dataset, question: str, items: Sequence[Item]
) -> tuple[Aim, dict[str, tuple[int, ...]]]:
    """Return what is counted, and the members of each item that count for it."""
    distinct = {one.code: one for one in items}.values()
    asked = data.protocol.question(question)
    if asked.truth:
        right = {one.code: one.right.get(question) for one in distinct}
        known: dict[str, tuple[int, ...]] = {
            code: (int(one["member"]),) for code, one in right.items() if isinstance(one, dict)
        }
        return RIGHT, known
    origins = {origin for one in distinct for origin in one.origins}
    if {REAL, SYNTHETIC} <= origins:
        aim = Aim(
            "synthetic", "Preference for the synthetic image", "preferred", "the synthetic image",
            "Real image",
        )  # fmt: skip
        mixed = {
            one.code: _places(one.origins, SYNTHETIC)
            for one in distinct
            if {REAL, SYNTHETIC} <= set(one.origins)
        }
        return aim, mixed
    names = list(dict.fromkeys(name for one in distinct for name in one.generators if name))
    if len(names) > 1:
        first = names[0]
        aim = Aim(
            "generator", f"Preference for {first}", "preferred", f"the image of {first}",
            " or ".join(names[1:]),
        )  # fmt: skip
        several = {
            one.code: _places(one.generators, first)
            for one in distinct
            if len(set(one.generators)) > 1
        }
        return aim, several
    aim = Aim("first", "Preference for the first image", "preferred", "the first image", "Another")
    return aim, {one.code: (0,) for one in distinct}


def _places(names: Sequence[str], wanted: str) -> tuple[int, ...]:
    return tuple(number for number, name in enumerate(names) if name == wanted)


def _value(answer: dict[str, list[int]], members: tuple[int, ...]) -> float:
    chosen = answer.get("members") or []
    return float(chosen[0] in members) if chosen else 0.5


def _left(answer: dict[str, list[int]]) -> float:
    shown = answer.get("shown") or []
    return float(shown[0] == 0) if shown else float("nan")


def _chance(items: Sequence[Item], members: dict[str, tuple[int, ...]]) -> float:
    """Return the share by lot, which has to be the same for every set."""
    shares = {len(members[one.code]) / max(len(one.cases), 2) for one in items}
    if len(shares) > 1:
        raise ValueError(
            "sets of images differ in how many of their images count, so there is no one share "
            "that stands for no preference"
        )
    (share,) = shares
    if not 0.0 < share < 1.0:
        raise ValueError("every image of a set counts, so nothing is chosen between")
    return share
