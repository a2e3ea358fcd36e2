"""Choose the cases of a study in a given ratio. Part of truth, since it must know the classes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from readerstudy.cases.models import Case, Series
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import design
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth import barring
from readerstudy.truth.models import Origin
from readerstudy.truth.runs import RunChoice, is_of

Form = tuple[int, ...]


@dataclass(frozen=True)
class Pool:
    """The cases that could be shown in a study, by class."""

    real: list[Case]
    synthetic: list[Case]
    unknown: int
    barred: int = 0
    of_other_form: int = 0

    @property
    def subjects_in_both(self) -> int:
        return len(_subjects(self.real) & _subjects(self.synthetic))

    @property
    def strata(self) -> list[tuple[str, int, int]]:
        """Each stratum with its number of real and of synthetic cases."""
        counts = [Counter(case.stratum for case in part) for part in (self.real, self.synthetic)]
        names = sorted(set(counts[0]) | set(counts[1]))
        return [(name, counts[0][name], counts[1][name]) for name in names]


def pool_of(
    study: Study, *, generation_run: RunChoice | None = None, among: Iterable[Case] | None = None
) -> Pool:
    """Return the available cases that have every series the study shows.

    ``generation_run`` narrows the synthetic cases to one run, ``among`` the real ones. Cases of
    subjects that trained a generator of the synthetic ones are left out, unless the protocol
    admits them; so are real ones of another form, such as volumes where single slices were made.
    """
    cases = Case.objects.available().select_related("subject").order_by("code")
    for role in study.slots:
        cases = cases.with_role(role)
    origins = Origin.objects.in_bulk([case.pk for case in cases])
    allowed = None if among is None else {case.pk for case in among}
    real, synthetic, unknown = [], [], 0
    for case in cases:
        origin = origins.get(case.pk)
        if origin is None:
            unknown += 1
        elif origin.kind == Origin.Kind.REAL and (allowed is None or case.pk in allowed):
            real.append(case)
        elif origin.kind == Origin.Kind.SYNTHETIC and is_of(origin, generation_run):
            synthetic.append(case)
    pool = _without_trained(study, Pool(real, synthetic, unknown), origins)
    return _of_one_form(study, pool)


def _of_one_form(study: Study, pool: Pool) -> Pool:
    """Leave out real cases that are volumes or slices where the synthetic ones are not."""
    forms = _forms(study, pool.real + pool.synthetic)
    wanted = [forms.get(case.pk, set()) for case in pool.synthetic]
    if not wanted:
        return pool
    fitting = [case for case in pool.real if forms.get(case.pk, set()) in wanted]
    return replace(pool, real=fitting, of_other_form=len(pool.real) - len(fitting))


def _forms(study: Study, cases: Iterable[Case]) -> dict[Any, set[Form]]:
    forms: dict[Any, set[Form]] = {}
    shown = Series.objects.filter(case__in=list(cases), role__in=study.slots)
    for case, shape in shown.values_list("case", "shape"):
        forms.setdefault(case, set()).add(_form(shape))
    return forms


def _require_one_form(study: Study, cases: list[Case]) -> None:
    if len({form for forms in _forms(study, cases).values() for form in forms}) > 1:
        raise ReaderStudyError(
            "The choice would hold single slices and volumes, or slices of two planes; a study "
            "shows one kind. Choose one generation run."
        )


def _form(shape: Sequence[int]) -> Form:
    """The axes along which an image is one voxel thick: none of a volume."""
    return tuple(axis for axis, length in enumerate(shape) if length == 1)


def _without_trained(study: Study, pool: Pool, origins: dict[Any, Origin]) -> Pool:
    runs = {origins[case.pk].generation_run for case in pool.synthetic}
    trained = barring.trained_by(study, runs, [*pool.real, *pool.synthetic])
    real = [case for case in pool.real if case.pk not in trained]
    synthetic = [case for case in pool.synthetic if case.pk not in trained]
    return Pool(real, synthetic, pool.unknown, len(trained))


@dataclass(frozen=True)
class Wish:
    """How many items of each class a study shows, and how they are drawn.

    ``n_training`` is the number of training cases of each class, or of training items where
    cases stand beside each other or are versions of one patient.
    """

    n_real: int
    n_synthetic: int
    n_training: int = 0
    equal_strata: bool = False
    both_versions: bool = False

    @property
    def n_pairs(self) -> int:
        """How many items are made of a real and a synthetic case."""
        if self.n_real != self.n_synthetic:
            raise ReaderStudyError(
                "This design shows a real and a synthetic version of each: ask for equal numbers "
                "of both."
            )
        return self.n_real


@dataclass(frozen=True)
class Draw:
    """The items drawn, each as the cases that are shown beside each other."""

    main: list[list[Case]]
    training: list[list[Case]]


def choose_cases(
    *,
    study: Study,
    n_real: int,
    n_synthetic: int,
    seed: int,
    actor: Any,
    n_training: int = 0,
    equal_strata: bool = False,
    both_versions: bool = False,
    generation_run: RunChoice | None = None,
    among: Iterable[Case] | None = None,
) -> list[Case]:
    """Draw cases of both classes by a stored seed and make them the cases of the draft.

    The study's design says what an item is: a case alone, a real and a synthetic case beside each
    other, or both versions of a patient of which each reader sees one. Unless ``both_versions``
    is set, no subject appears as real and as synthetic otherwise. Training cases are of subjects
    that are not read.
    """
    wish = Wish(n_real, n_synthetic, n_training, equal_strata, both_versions)
    if n_real + n_synthetic == 0:
        raise ReaderStudyError("Choose at least one case.")
    pool = pool_of(study, generation_run=generation_run, among=among)
    drawn = _way_of(study)(pool, wish, random.Random(seed))
    _require_one_form(study, [case for item in (*drawn.main, *drawn.training) for case in item])
    chosen = [
        *_chosen(drawn.main, StudyCase.Phase.MAIN),
        *_chosen(drawn.training, StudyCase.Phase.TRAINING),
    ]
    with write_transaction():
        design.set_cases(study=study, cases=chosen, actor=actor)
        audit.record(
            actor=actor,
            action="truth.choose_cases",
            target=f"study {study.pk}",
            new={"real": n_real, "synthetic": n_synthetic, "training": n_training, "seed": seed},
        )
    return [one.case for one in chosen]


def how_drawn(study: Study) -> str:
    """Say in a sentence what the design draws; empty where cases are drawn one by one."""
    said = {
        _random_pairs: "Each item shows a real and a synthetic case of two patients, paired by lot",
        _beside: "Both versions of each patient are drawn and stand beside each other",
        _reference_first: "Both versions of each patient are drawn and stand beside each other",
        _versions: "Both versions of each patient are drawn; a reader sees one of them",
    }
    return said.get(_way_of(study), "")


Way = Callable[[Pool, Wish, random.Random], Draw]


def _way_of(study: Study) -> Way:
    plan = study.plan
    if plan.pairing == "random":
        return _random_pairs
    if plan.pairing == "subject":
        return _beside if plan.sides_drawn else _reference_first
    return _versions if plan.plan == "one_version" else _singles


def _chosen(items: list[list[Case]], phase: str) -> list[design.Chosen]:
    return [
        design.Chosen(case, item=members[0].code, place=place, phase=phase)
        for members in items
        for place, case in enumerate(members)
    ]


def _singles(pool: Pool, wish: Wish, rng: random.Random) -> Draw:
    training = _classes(pool, wish, wish.n_training, wish.n_training, rng)
    trained = _subjects(training)
    rest = Pool(_without(pool.real, trained), _without(pool.synthetic, trained), pool.unknown)
    main = _classes(rest, wish, wish.n_real, wish.n_synthetic, rng)
    return Draw([[case] for case in main], [[case] for case in training])


def _classes(
    pool: Pool, wish: Wish, n_real: int, n_synthetic: int, rng: random.Random
) -> list[Case]:
    synthetic = _draw(pool.synthetic, n_synthetic, "synthetic", rng, equal=wish.equal_strata)
    taken = set() if wish.both_versions else _subjects(synthetic)
    free = _without(pool.real, taken)
    left_out = len(pool.real) - len(free)
    real = _draw(free, n_real, "real", rng, others=left_out, equal=wish.equal_strata)
    return [*real, *synthetic]


def _random_pairs(pool: Pool, wish: Wish, rng: random.Random) -> Draw:
    """Pair real and synthetic cases of different subjects by lot, of one stratum where possible.

    Which of the two comes first is drawn too: its code names the item, and must not tell.
    """
    count = wish.n_pairs + wish.n_training
    cases = _classes(pool, replace(wish, both_versions=False), count, count, rng)
    by_class = [sorted(part, key=_stratum) for part in (cases[:count], cases[count:])]
    pairs = [rng.sample(pair, 2) for pair in zip(*by_class, strict=True)]
    rng.shuffle(pairs)
    return Draw(pairs[wish.n_training :], pairs[: wish.n_training])


def _reference_first(pool: Pool, wish: Wish, rng: random.Random) -> Draw:
    """Put the real version of each subject in the first place, the synthetic one in the second."""
    pairs = _both_versions(pool, wish.n_pairs + wish.n_training, rng)
    return Draw(pairs[wish.n_training :], pairs[: wish.n_training])


def _beside(pool: Pool, wish: Wish, rng: random.Random) -> Draw:
    drawn = _reference_first(pool, wish, rng)
    mixed = [[rng.sample(pair, 2) for pair in part] for part in (drawn.main, drawn.training)]
    return Draw(*mixed)


def _versions(pool: Pool, wish: Wish, rng: random.Random) -> Draw:
    """Take both versions of each subject as items of their own; training shows one by lot."""
    drawn = _reference_first(pool, wish, rng)
    singles = [[case] for pair in drawn.main for case in pair]
    return Draw(singles, [[rng.choice(pair)] for pair in drawn.training])


def _both_versions(pool: Pool, count: int, rng: random.Random) -> list[list[Case]]:
    versions: list[dict[int, list[Case]]] = [{}, {}]
    for known, cases in zip(versions, (pool.real, pool.synthetic), strict=True):
        for case in cases:
            known.setdefault(case.subject_id, []).append(case)
    subjects = sorted(versions[0].keys() & versions[1].keys())
    if count > len(subjects):
        raise ReaderStudyError(
            f"You asked for {count} subjects with a real and a synthetic version, but only "
            f"{len(subjects)} have both."
        )
    chosen = rng.sample(subjects, count)
    return [[rng.choice(known[subject]) for known in versions] for subject in chosen]


def _draw(
    cases: list[Case],
    count: int,
    what: str,
    rng: random.Random,
    *,
    others: int = 0,
    equal: bool = False,
) -> list[Case]:
    if count < 0:
        raise ReaderStudyError(f"The number of {what} cases cannot be negative.")
    if count > len(cases):
        why = f" ({others} more belong to subjects chosen as synthetic)" if others else ""
        raise ReaderStudyError(
            f"You asked for {count} {what} cases, but only {len(cases)} can be used{why}."
        )
    return _equal_parts(cases, count, what, rng) if equal else rng.sample(cases, count)


def _equal_parts(cases: list[Case], count: int, what: str, rng: random.Random) -> list[Case]:
    """Draw equally many cases of each stratum; where it does not divide, lots give one more."""
    strata: dict[str, list[Case]] = {}
    for case in cases:
        strata.setdefault(case.stratum, []).append(case)
    names = sorted(strata)
    more = set(rng.sample(names, count % len(names))) if names else set()
    drawn: list[Case] = []
    for name in names:
        wanted = count // len(names) + (name in more)
        if wanted > len(strata[name]):
            raise ReaderStudyError(
                f"Equal parts of {count} {what} cases need {wanted} of the stratum "
                f"“{name or 'none'}”, but only {len(strata[name])} can be used."
            )
        drawn += rng.sample(strata[name], wanted)
    return drawn


def _stratum(case: Case) -> str:
    return case.stratum


def _without(cases: list[Case], subjects: set[int]) -> list[Case]:
    return [case for case in cases if case.subject_id not in subjects]


def _subjects(cases: list[Case]) -> set[int]:
    return {case.subject_id for case in cases}
