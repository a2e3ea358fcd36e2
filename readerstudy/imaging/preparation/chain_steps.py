"""How each step of a chain goes through the series of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.preparation import external
from readerstudy.imaging.preparation.bias import bias
from readerstudy.imaging.preparation.brain_mask import (
    MaskFinding,
    apply_mask,
    find_brain_mask,
    record_of,
)
from readerstudy.imaging.preparation.chain_spec import (
    EACH,
    REFERENCE,
    TEMPLATE,
    ChainError,
    StepSpec,
)
from readerstudy.imaging.preparation.normalise import normalise
from readerstudy.imaging.preparation.records import (
    Mask,
    PreparationError,
    Prepared,
    StepRecord,
    timed,
    version_of,
)
from readerstudy.imaging.preparation.register import (
    Registration,
    find_template_transform,
    find_transform,
)
from readerstudy.imaging.preparation.register import record_of as registration_record
from readerstudy.imaging.preparation.reorient import reorient
from readerstudy.imaging.preparation.resample import Grid, grid_of, mask_onto, onto, resample
from readerstudy.imaging.preparation.template import template

ORDER = ("t1", "t1c", "t2", "flair")
MAPS = ("adc", "cbv", "cbf", "dwi", "asl", "fa", "md")
SEGMENTATION = "mask"
Resolve = Callable[[str, str], Volume]


@dataclass(frozen=True, eq=False)
class Item:
    """One series on its way through the chain."""

    volume: Volume
    mask: Mask | None = None
    records: tuple[StepRecord, ...] = ()

    def after(self, step: Prepared) -> Item:
        """The series after a step."""
        return Item(step.volume, step.mask, (*self.records, step.record))


@dataclass(frozen=True, eq=False)
class Tools:
    """What the caller lends to a chain.

    Attributes
    ----------
    given : mapping of str to Volume
        Brain masks by role for the method "given"; the key "" serves every role without one.
    command : str
        The operator's command line for the method "command".
    timeout_s : float
        For the command.
    resolve : callable, optional
        From the name of a reference and a role to a volume, for histogram matching.
    """

    given: Mapping[str, Volume] = field(default_factory=dict)
    command: str = ""
    timeout_s: float = external.TIMEOUT_S
    resolve: Resolve | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One step at work: its place in the chain, what was asked for, and the series so far."""

    number: int
    spec: StepSpec
    items: dict[str, Item]
    lent: Tools

    def run(self) -> None:
        """Do the step; the series are replaced in `items`."""
        _DOES[self.spec.name](self)

    def failed(self, reason: str, advice: str, role: str = "") -> ChainError:
        """An error that says at which step and series it arose."""
        where = f", {role}" if role else ""
        return ChainError(f"step {self.number} ({self.spec.name}{where}): {reason}", advice)

    @contextmanager
    def on(self, role: str) -> Iterator[None]:
        """Name the step and the series in errors of a block."""
        try:
            yield
        except ChainError:
            raise
        except PreparationError as error:
            raise self.failed(error.reason, error.advice, role) from error

    def chosen(self, *left_out: str) -> list[str]:
        """Roles that the step is for; those named but absent are passed over."""
        if self.spec.roles is None:
            return [role for role in self.items if role not in left_out]
        leader = reference_role(list(self.items))
        wanted = [leader if role == REFERENCE else role for role in self.spec.roles]
        found = [role for role in wanted if role in self.items]
        if not found:
            there = ", ".join(self.items)
            reason = f"there is no series {' or '.join(self.spec.roles)}"
            raise self.failed(reason, f"There are {there}.")
        return found

    def named(self, key: str) -> str:
        """Role that a parameter names."""
        role = str(self.spec.parameters[key])
        if role == REFERENCE:
            return reference_role(list(self.items))
        if role not in self.items:
            raise self.failed(f"there is no series {role}", f"There are {', '.join(self.items)}.")
        return role

    def interpolation(self, role: str) -> Any:
        """As asked for; segmentations keep their labels."""
        return "nearest" if role == SEGMENTATION else self.spec.parameters["interpolation"]


def reference_role(roles: Sequence[str]) -> str:
    """The series that stands for the case: T1 where there is one, else T1c, T2, FLAIR, others."""
    ranked = [role for role in ORDER if role in roles]
    others = sorted(role for role in roles if role != SEGMENTATION and role not in MAPS)
    return (ranked or others or sorted(roles))[0]


def _reorient(step: Step) -> None:
    for role in step.chosen():
        item = step.items[role]
        done = reorient(item.volume)
        step.items[role] = item.after(replace(done, mask=_upright(item).mask))


def _upright(item: Item) -> Item:
    """The series and its mask in LPS order."""
    volume = reorient(item.volume).volume
    if item.mask is None:
        return replace(item, volume=volume)
    turned = reorient(replace(item.volume, array=item.mask)).volume.array
    return replace(item, volume=volume, mask=turned)


def _resample(step: Step) -> None:
    target, spacing = step.spec.parameters["to"], step.spec.parameters["spacing_mm"]
    to = None
    if target is not None:
        to = template() if target == TEMPLATE else step.items[step.named("to")].volume
    for role in step.chosen():
        item = step.items[role]
        with step.on(role):
            done = resample(
                item.volume,
                spacing_mm=None if spacing is None else (spacing[2], spacing[1], spacing[0]),
                to=to,
                to_name=str(target or ""),
                interpolation=step.interpolation(role),
                mask=item.mask,
            )
        step.items[role] = item.after(done)


def _register(step: Step) -> None:
    if step.spec.parameters["to"] == TEMPLATE:
        _register_to_template(step)
        return
    goal = step.named("to")
    fixed = step.items[goal].volume
    leader = _companion(step.items) or goal
    matrices: dict[str, Matrix] = {}
    for role in step.chosen(SEGMENTATION):
        if role not in (goal, SEGMENTATION):
            matrices[role] = _register_one(step, role, fixed, goal)
    if SEGMENTATION in step.chosen():
        _follow(step, SEGMENTATION, grid_of(fixed), matrices.get(leader, np.eye(4)), leader)


def _register_one(step: Step, role: str, fixed: Volume, goal: str) -> Matrix:
    kind, seed = step.spec.parameters["kind"], step.spec.parameters["seed"]
    with step.on(role), timed() as watch:
        found = find_transform(step.items[role].volume, fixed, kind=kind, seed=seed)
        parameters = {k: v for k, v in step.spec.parameters.items() if k != "from"}
        _move(step, role, grid_of(fixed), found.matrix)
    record = registration_record({**parameters, "to": goal}, found, watch.seconds)
    _account(step, role, record)
    return found.matrix


def _move(step: Step, role: str, grid: Grid, matrix: Matrix) -> None:
    item = step.items[role]
    volume = onto(item.volume, grid, matrix=matrix, interpolation=step.interpolation(role))
    mask = None if item.mask is None else mask_onto(item.mask, item.volume, grid, matrix=matrix)
    step.items[role] = Item(volume, mask, item.records)


def _account(step: Step, role: str, record: StepRecord) -> None:
    item = step.items[role]
    step.items[role] = replace(item, records=(*item.records, record))


def _companion(items: Mapping[str, Item]) -> str | None:
    """The series on whose grid the segmentation lies."""
    if SEGMENTATION not in items:
        return None
    grid = grid_of(items[SEGMENTATION].volume)
    alike = [r for r, item in items.items() if r != SEGMENTATION and grid.is_of(item.volume)]
    return reference_role(alike) if alike else None


def _follow(step: Step, role: str, grid: Grid, matrix: Matrix, leader: str) -> None:
    """Move a series by the transform of another one."""
    with step.on(role), timed() as watch:
        _move(step, role, grid, matrix)
    parameters = {**step.spec.parameters, "interpolation": step.interpolation(role)}
    figures = {"follows": leader, "matrix": matrix.tolist()}
    version = version_of("SimpleITK")
    record = StepRecord(step.spec.name, parameters, "SimpleITK", version, watch.seconds, figures)
    _account(step, role, record)


def _register_to_template(step: Step) -> None:
    """One transform, found on one series, moves them all: they must lie alike already."""
    leader = step.named("from")
    parameters = {**step.spec.parameters, "from": leader}
    with step.on(leader), timed() as watch:
        found: Registration = find_template_transform(
            step.items[leader].volume, kind=parameters["kind"], seed=parameters["seed"]
        )
    grid = grid_of(template())
    for role in step.chosen():
        if role == leader:
            _move(step, role, grid, found.matrix)
            _account(step, role, registration_record(parameters, found, watch.seconds))
        else:
            _follow(step, role, grid, found.matrix, leader)


def _bias(step: Step) -> None:
    parameters = dict(step.spec.parameters)
    iterations = tuple(parameters.pop("iterations"))
    for role in step.chosen(SEGMENTATION, *MAPS):
        item = step.items[role]
        with step.on(role):
            done = bias(item.volume, mask=item.mask, iterations=iterations, **parameters)
        step.items[role] = item.after(done)


def _brain_mask(step: Step) -> None:
    each = step.spec.parameters["from"] == EACH
    leader = reference_role(list(step.items)) if each else step.named("from")
    roles = [role for role in step.chosen() if role != SEGMENTATION]
    for role in {leader, *roles}:
        step.items[role] = _upright(step.items[role])
    with timed() as watch:
        leading = _finding(step, leader)
    home = step.items[leader].volume
    if leader in roles:
        _mask(step, leader, leading, watch.seconds)
    for role in roles:
        if role == leader:
            continue
        with timed() as watch:
            own = each and role not in MAPS
            finding = (
                _finding(step, role)
                if own
                else _lent_mask(leading, home, step.items[role].volume, leader)
            )
        _mask(step, role, finding, watch.seconds)


def _finding(step: Step, role: str) -> MaskFinding:
    lent = step.lent
    with step.on(role):
        return find_brain_mask(
            step.items[role].volume,
            method=step.spec.parameters["method"],
            given=lent.given.get(role, lent.given.get("")),
            command=lent.command,
            timeout_s=lent.timeout_s,
            seed=step.spec.parameters["seed"],
        )


def _lent_mask(leading: MaskFinding, home: Volume, volume: Volume, leader: str) -> MaskFinding:
    """The mask of another series, on the grid of this one."""
    mask = mask_onto(leading.mask, home, grid_of(volume))
    voxel_ml = float(np.prod(volume.spacing_mm)) / 1e3
    figures = {"volume_ml": round(float(mask.sum()) * voxel_ml, 1)}
    return MaskFinding(mask, f"mask of {leader}", figures, leading.warnings)


def _mask(step: Step, role: str, finding: MaskFinding, seconds: float) -> None:
    if not finding.mask.any():
        advice = "Register the series to one another first."
        raise step.failed("the mask lies outside this series", advice, role)
    item, parameters = step.items[role], dict(step.spec.parameters)
    volume = apply_mask(
        item.volume, finding.mask, apply=parameters["apply"], margin_mm=parameters["margin_mm"]
    )
    record = record_of(finding, parameters, seconds)
    step.items[role] = item.after(Prepared(volume, record, finding.mask))


def _normalise(step: Step) -> None:
    parameters = dict(step.spec.parameters)
    name = parameters.pop("reference")
    for key in ("percentiles", "limits"):
        parameters[key] = tuple(parameters[key])
    for role in step.chosen(SEGMENTATION, *MAPS):
        item = step.items[role]
        with step.on(role):
            reference = _resolved(name, role, step.lent) if name else None
            done = normalise(
                item.volume,
                mask=item.mask,
                reference=reference,
                reference_name=str(name or ""),
                **parameters,
            )
        step.items[role] = item.after(done)


def _resolved(name: str, role: str, lent: Tools) -> Volume:
    if lent.resolve is None:
        raise PreparationError("references cannot be looked up here", "Use another method.")
    return lent.resolve(name, role)


_DOES: dict[str, Callable[[Step], None]] = {
    "reorient": _reorient,
    "resample": _resample,
    "register": _register,
    "bias": _bias,
    "brain_mask": _brain_mask,
    "normalise": _normalise,
}
