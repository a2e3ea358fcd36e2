"""Virtual readers: answers to any form from stated skill, bias and spread. Pure.

One model for all kinds of questions (docs/algorithms/virtual-readers.md). The evidence x that a
reader has of a case is normal with variance 1, made of parts: the case, the case in its arm, the
reader's view of the case, and what is new at each reading (Roe & Metz, Acad Radiol 1997;4:298).
Every part is a fixed function of the seed and its names, so that readers may read in any order
and at once, and the same seed gives the same answers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scipy import special

from readerstudy.rehearsal.assumptions import Assumptions
from readerstudy.studies.answers import NOT_EVALUABLE, QuestionSpec, is_shown

PREVALENCE = 0.3
EQUAL_WITHIN = 0.25
TEXT = "Simulated answer"
Box = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Aim:
    """What is right for a question, known to the simulation alone.

    Attributes
    ----------
    noise, signal : str
        Codes of two classes that evidence tells apart; empty for questions without.
    right : str
        Code of the right choice for this case; empty if there is none.
    member : int or None
        Of images beside each other: the one that is right.
    origin : bool
        Real or synthetic is asked (d′ and criterion count, else the AUC).
    """

    noise: str = ""
    signal: str = ""
    right: str = ""
    member: int | None = None
    origin: bool = True


@dataclass(frozen=True)
class Shown:
    """One reading as the simulation knows it: what the page must not be told."""

    item: str
    arm: str = "main"
    arm_number: int = 0
    repeat: int = 0
    sides: tuple[int, ...] = (0,)
    aims: Mapping[str, Aim] = field(default_factory=dict)


@dataclass(frozen=True)
class Slot:
    """Where a region may be marked: code, plane and corners of the image in mm."""

    code: str
    plane: str
    box: Box


@dataclass(frozen=True)
class Skill:
    """The realised values of one reader: what a study of this reader should recover."""

    dprime: float
    criterion: float
    bias: float


@dataclass(frozen=True)
class VirtualReader:
    """One reader of a dry run."""

    code: str
    seed: str
    stated: Assumptions

    @property
    def skill(self) -> Skill:
        """Return this reader's own values, drawn around the stated ones."""
        spread = self.stated.reader_spread
        return Skill(
            dprime=self.stated.dprime + spread * self._z("dprime"),
            criterion=self.stated.criterion + spread * self._z("criterion"),
            bias=spread * self._z("bias"),
        )

    def separation(self, aim: Aim, arm: str, number: int) -> float:
        """Return the distance of the two classes' evidence, in its standard deviations."""
        if aim.origin:
            return self.skill.dprime
        own = self.stated.reader_spread * self._z("separation")
        return (
            own + self.stated.arm_spread * self._z("separation", arm) + gained(self.stated, number)
        )

    def answers(
        self, specs: Sequence[QuestionSpec], shown: Shown, slots: Sequence[Slot] = ()
    ) -> dict[str, Any]:
        """Fill a form, question by question, as the display rules ask for them."""
        values: dict[str, Any] = {}
        for spec in specs:
            if not is_shown(spec, values):
                continue
            chance = self._u("answers", spec.code, shown.item, shown.arm, shown.repeat)
            if not spec.required and chance > self.stated.optional:
                continue
            value = self._answer(spec, shown, slots, values)
            if value not in (None, []):
                values[spec.code] = value
        return values

    def _answer(
        self, spec: QuestionSpec, shown: Shown, slots: Sequence[Slot], values: Mapping[str, Any]
    ) -> Any:
        key = (spec.code, shown.item, shown.arm)
        doubt = self._u("evaluable", *key, shown.repeat)
        if spec.may_be_not_evaluable and doubt < self.stated.not_evaluable:
            return dict(NOT_EVALUABLE)
        answers: dict[str, Callable[[], Any]] = {
            "single": lambda: self._choice(spec, shown),
            "ordinal": lambda: self._choice(spec, shown),
            "confidence": lambda: self._confidence(spec, shown, values),
            "multi": lambda: self._several(spec, shown),
            "number": lambda: _on_scale(spec, self._common(key, shown.repeat)),
            "region": lambda: self._region(spec, shown, slots),
            "place": lambda: self._places(spec, shown),
            "ranking": lambda: self._places(spec, shown),
            "text": lambda: TEXT,
        }
        return answers[spec.kind]()

    def evidence(self, code: str, aim: Aim, shown: Shown) -> float:
        """Return x of a question with two classes: signal lies above, noise below 0."""
        side = 0.5 if aim.right == aim.signal else -0.5
        distance = self.separation(aim, shown.arm, shown.arm_number)
        return side * distance + self._parts((code, shown.item), shown)

    def _parts(self, key: tuple[Any, ...], shown: Shown) -> float:
        """Return a normal number of variance 1 with the stated parts."""
        stated = self.stated
        return (
            math.sqrt(stated.case_share) * _normal(self.seed, "case", *key)
            + math.sqrt(stated.arm_case_share) * _normal(self.seed, "case", *key, shown.arm)
            + math.sqrt(stated.reader_case_share) * self._z("view", *key, shown.arm)
            + math.sqrt(stated.fresh_share) * self._z("fresh", *key, shown.arm, shown.repeat)
        )

    def _common(self, key: tuple[Any, ...], repeat: int) -> float:
        """Return a latent value that readers share in part, with this reader's bias."""
        shared = self.stated.agreement
        own, steady = 1 - shared, self.stated.steadiness
        return (
            math.sqrt(shared) * _normal(self.seed, "latent", *key[:2])
            + self.skill.bias
            + math.sqrt(own * steady) * self._z("own", *key)
            + math.sqrt(own * (1 - steady)) * self._z("own", *key, repeat)
        )

    def _choice(self, spec: QuestionSpec, shown: Shown) -> str:
        aim = shown.aims.get(spec.code, Aim())
        if aim.signal and aim.right in (aim.noise, aim.signal):
            x = self.evidence(spec.code, aim, shown) - self.skill.criterion
            if len(spec.options) == 2 or spec.kind == "single":
                return aim.signal if x > 0 else aim.noise
            level = _level(x, thresholds(len(spec.options)))
            rising = spec.options.index(aim.signal) > spec.options.index(aim.noise)
            return spec.options[level if rising else -1 - level]
        key = (spec.code, shown.item, shown.arm)
        if spec.kind == "ordinal" and not aim.right:
            value = self._common(key, shown.repeat)
            return spec.options[_level(value, thresholds(len(spec.options)))]
        return self._nominal(spec, aim.right, key, shown.repeat)

    def _nominal(self, spec: QuestionSpec, right: str, key: tuple[Any, ...], repeat: int) -> str:
        """Return what the case is, or, where it was not recognised, any choice."""
        latent = right or _pick(spec.options, draw(self.seed, "latent", *key[:2]))
        again = self._again(key, repeat)
        if self._u("recognised", *key, *again) < math.sqrt(self.stated.agreement):
            return latent
        return _pick(spec.options, self._u("guess", *key, *again))

    def _again(self, key: tuple[Any, ...], repeat: int) -> tuple[int, ...]:
        """Return what names a second view of a case; empty where it is the first one again."""
        same = repeat == 0 or self._u("steady", *key, repeat) < self.stated.steadiness
        return () if same else (repeat,)

    def _several(self, spec: QuestionSpec, shown: Shown) -> list[str]:
        chosen = []
        for option in spec.options:
            key = (f"{spec.code}.{option}", shown.item, shown.arm)
            there = draw(self.seed, "latent", *key[:2]) < PREVALENCE
            again = self._again(key, shown.repeat)
            if self._u("recognised", *key, *again) >= math.sqrt(self.stated.agreement):
                there = self._u("guess", *key, *again) < PREVALENCE
            if there:
                chosen.append(option)
        return chosen

    def _confidence(self, spec: QuestionSpec, shown: Shown, values: Mapping[str, Any]) -> Any:
        strength = abs(self._certainty(spec, shown, values))
        if spec.options:
            return spec.options[_level(strength, confidence_steps(len(spec.options)))]
        low, high = _range(spec)
        return _rounded(spec, low + (high - low) * (2 * float(special.ndtr(strength)) - 1))

    def _certainty(self, spec: QuestionSpec, shown: Shown, values: Mapping[str, Any]) -> float:
        """Return how far the evidence for the answer lies from the criterion."""
        aim = shown.aims.get(spec.bound_to, Aim())
        if aim.member is not None and isinstance(values.get(spec.bound_to), int):
            told = sorted(self._utilities(spec.bound_to, shown), reverse=True)
            return (told[0] - told[1]) / math.sqrt(2)
        if aim.signal and aim.right in (aim.noise, aim.signal):
            return self.evidence(spec.bound_to, aim, shown) - self.skill.criterion
        return self._common((spec.code, shown.item, shown.arm), shown.repeat)

    def _utilities(self, code: str, shown: Shown) -> list[float]:
        """Return for each member of an item how much it looks like what is asked for."""
        right = shown.aims.get(code, Aim()).member
        return [
            (self.skill.dprime if member == right else 0.0)
            + self._parts((code, shown.item, member), shown)
            for member in range(len(shown.sides))
        ]

    def _places(self, spec: QuestionSpec, shown: Shown) -> Any:
        told = self._utilities(spec.code, shown)
        ranked = sorted(range(len(shown.sides)), key=lambda place: -told[shown.sides[place]])
        if spec.kind == "ranking":
            return ranked
        first, second = (told[shown.sides[place]] for place in ranked[:2])
        if spec.equal and first - second < EQUAL_WITHIN:
            return "equal"
        return ranked[0]

    def _region(self, spec: QuestionSpec, shown: Shown, slots: Sequence[Slot]) -> Any:
        role = spec.region.get("role")
        slot = next((one for one in slots if role in (None, one.code)), None)
        if slot is None:
            return None
        key = (spec.code, shown.item, shown.arm)
        kind = spec.region["kind"]
        centre = self._mark(slot, key, shown.repeat)
        points = [centre] if kind == "point" else self._ends(slot, centre, key)
        return {
            "region": {
                "kind": kind,
                "role": slot.code,
                "plane": slot.plane,
                "points_mm": points,
                "measured": _measured(kind, points),
            }
        }

    def _mark(self, slot: Slot, key: tuple[Any, ...], repeat: int) -> list[float]:
        point = []
        for axis, (low, high) in enumerate(zip(*slot.box, strict=True)):
            meant = planted_point(self.seed, slot, key[0], key[1])[axis]
            off = self.stated.region_mm * self._z("mark", *key, axis, repeat)
            point.append(min(max(meant + off, low), high))
        return point

    def _ends(self, slot: Slot, centre: list[float], key: tuple[Any, ...]) -> list[list[float]]:
        """Return two corners in the plane of the slot around a point."""
        flat = {"axial": 2, "coronal": 1, "sagittal": 0}[slot.plane]
        ends = []
        for sign in (-1, 1):
            end = list(centre)
            for axis, (low, high) in enumerate(zip(*slot.box, strict=True)):
                if axis != flat:
                    half = (high - low) * (0.05 + 0.05 * self._u("size", *key, axis))
                    end[axis] = min(max(centre[axis] + sign * half, low), high)
            ends.append(end)
        return ends

    def seconds(self, number: int) -> float:
        """Return the time that the reader's case ``number`` (from 0) takes."""
        stated = self.stated
        practice = 1 + stated.learning * math.exp(-number / stated.learning_cases)
        spread = math.exp(stated.seconds_spread * self._z("time", number))
        return stated.seconds * practice * spread

    def clock(self, number: int) -> dict[str, int]:
        """Return the times of a case as the page sends them, in ms."""
        total = self.seconds(number)
        load = min(0.2 + self._u("load", number), total / 2)
        return {
            "load_ms": round(1000 * load),
            "look_ms": round(1000 * (total - load)),
            "idle_ms": 0,
            "away_ms": 0,
        }

    def chance(self, *names: Any) -> float:
        """Return a uniform number for what the reader does besides answering."""
        return self._u("habit", *names)

    def _z(self, *names: Any) -> float:
        return _normal(self.seed, self.code, *names)

    def _u(self, *names: Any) -> float:
        return draw(self.seed, self.code, *names)


def gained(stated: Assumptions, arm_number: int) -> float:
    """Return the separation of two classes that gives an arm its mean AUC."""
    wanted = min(max(stated.auc + arm_number * stated.auc_gain, 0.02), 0.995)
    return math.sqrt(2) * float(special.ndtri(wanted))


def thresholds(levels: int) -> list[float]:
    """Return where a normal value is cut so that all levels are equally likely."""
    return [float(special.ndtri(k / levels)) for k in range(1, levels)]


def confidence_steps(levels: int) -> list[float]:
    """Return where the size of a normal value is cut so that all levels are equally likely."""
    return [float(special.ndtri(0.5 + 0.5 * k / levels)) for k in range(1, levels)]


def planted_point(seed: str, slot: Slot, code: str, item: str) -> list[float]:
    """Return the place that all readers mean, in the middle half of the image."""
    return [
        low + (high - low) * (0.25 + 0.5 * draw(seed, "place", code, item, slot.code, axis))
        for axis, (low, high) in enumerate(zip(*slot.box, strict=True))
    ]


def _measured(kind: str, points: list[list[float]]) -> dict[str, float]:
    if kind == "point":
        return {"level": 0.0}
    length = math.dist(*points)
    if kind == "length":
        return {"length_mm": length}
    return {"mean": 0.0, "sd": 0.0, "area_mm2": math.pi * length**2 / 8, "n": 1}


def _on_scale(spec: QuestionSpec, value: float) -> float | int:
    low, high = _range(spec)
    return _rounded(spec, min(max((low + high) / 2 + (high - low) / 8 * value, low), high))


def _range(spec: QuestionSpec) -> tuple[float, float]:
    low = 0.0 if spec.minimum is None else spec.minimum
    return low, low + 100.0 if spec.maximum is None else spec.maximum


def _rounded(spec: QuestionSpec, value: float) -> float | int:
    whole = spec.whole or spec.kind == "confidence"
    return round(value) if whole else round(value, 3)


def _level(value: float, steps: Sequence[float]) -> int:
    return sum(value > step for step in steps)


def _pick(options: Sequence[str], chance: float) -> str:
    return options[min(int(chance * len(options)), len(options) - 1)]


def draw(*names: Any) -> float:
    """Return a number above 0 and below 1 that belongs to these names."""
    text = "|".join(map(str, names))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return ((number >> 12) + 0.5) / 2**52


def _normal(*names: Any) -> float:
    return float(special.ndtri(draw(*names)))
