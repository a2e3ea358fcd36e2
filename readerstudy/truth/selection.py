"""Choose the cases of a study in a given ratio. Part of truth, since it must know the classes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import design
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin
from readerstudy.truth.runs import RunChoice, is_of


@dataclass(frozen=True)
class Pool:
    """The cases that could be shown in a study, by class."""

    real: list[Case]
    synthetic: list[Case]
    unknown: int

    @property
    def subjects_in_both(self) -> int:
        return len(_subjects(self.real) & _subjects(self.synthetic))


def pool_of(
    study: Study, *, generation_run: RunChoice | None = None, among: Iterable[Case] | None = None
) -> Pool:
    """Return the available cases that have every series the study shows.

    ``generation_run`` narrows the synthetic cases to one run, ``among`` the real ones.
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
    return Pool(real, synthetic, unknown)


def choose_cases(
    *,
    study: Study,
    n_real: int,
    n_synthetic: int,
    seed: int,
    actor: Any,
    both_versions: bool = False,
    generation_run: RunChoice | None = None,
    among: Iterable[Case] | None = None,
) -> list[Case]:
    """Draw cases of both classes by a stored seed and make them the cases of the draft.

    Unless ``both_versions`` is set, no subject appears as real and as synthetic.
    """
    if n_real + n_synthetic == 0:
        raise ReaderStudyError("Choose at least one case.")
    pool = pool_of(study, generation_run=generation_run, among=among)
    rng = random.Random(seed)
    synthetic = _draw(pool.synthetic, n_synthetic, "synthetic", rng)
    taken = set() if both_versions else _subjects(synthetic)
    free = [case for case in pool.real if case.subject_id not in taken]
    real = _draw(free, n_real, "real", rng, others=len(pool.real) - len(free))
    with write_transaction():
        design.set_cases(study=study, cases=[*real, *synthetic], actor=actor)
        audit.record(
            actor=actor,
            action="truth.choose_cases",
            target=f"study {study.pk}",
            new={"real": n_real, "synthetic": n_synthetic, "seed": seed},
        )
    return [*real, *synthetic]


def _draw(
    cases: list[Case], count: int, what: str, rng: random.Random, *, others: int = 0
) -> list[Case]:
    if count < 0:
        raise ReaderStudyError(f"The number of {what} cases cannot be negative.")
    if count > len(cases):
        why = f" ({others} more belong to subjects chosen as synthetic)" if others else ""
        raise ReaderStudyError(
            f"You asked for {count} {what} cases, but only {len(cases)} can be used{why}."
        )
    return rng.sample(cases, count)


def _subjects(cases: list[Case]) -> set[int]:
    return {case.subject_id for case in cases}
