"""What the commands of ``readerstudy prepare`` do: read, run, write image, report and sheet."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.preparation import pictures
from readerstudy.imaging.preparation.chain import ChainResult, run_chain
from readerstudy.imaging.preparation.chain_spec import (
    PRESETS,
    TEMPLATE,
    StepSpec,
    load_chain,
    parse_chain,
)
from readerstudy.imaging.preparation.chain_steps import Item, Tools
from readerstudy.imaging.preparation.external import write_nifti
from readerstudy.imaging.preparation.records import Mask, PreparationError
from readerstudy.imaging.volumes import FoundSeries, find_series, load

IMAGE = "image"
OTHER = "fixed"


def chain(options: argparse.Namespace) -> dict[str, Any]:
    """Run a chain over every case in a folder."""
    steps = _chain_of(options.chain)
    target = Path(options.target)
    lines, warnings, failed = [], [], 0
    for case, found in _cases(Path(options.source)):
        try:
            result = _run_case(found, steps, options)
        except PreparationError as error:
            failed += 1
            lines.append(f"{case}: not prepared. {error}")
            continue
        _write_case(target / case, found, result)
        warnings += [f"{case}: {text}" for text in result.warnings]
        lines.append(f"{case}: {', '.join(result.items)} prepared")
    if failed:
        raise PreparationError("\n".join([*lines, f"{failed} cases failed"]), "See above.")
    text = "".join(f"{line}\n" for line in [*lines, *warnings])
    return {"text": text, "warnings": warnings}


def _chain_of(name: str) -> tuple[StepSpec, ...]:
    return parse_chain(PRESETS[name]["steps"]) if name in PRESETS else load_chain(name)


def _cases(folder: Path) -> Iterator[tuple[str, dict[str, FoundSeries]]]:
    """Cases of a folder with their series by role."""
    found = [one for one in find_series(folder) if one.status == "ok"]
    if not found:
        raise PreparationError(f"{folder.name} holds no image", "Name a folder of images.")
    for case, group in groupby(sorted(found, key=_by_case), key=lambda one: one.case):
        roles: dict[str, FoundSeries] = {}
        for one in group:
            roles[_free(one.role or "other", roles)] = one
        yield case, roles


def _by_case(one: FoundSeries) -> tuple[str, str]:
    return one.case, one.name


def _free(role: str, taken: dict[str, FoundSeries]) -> str:
    number = 1
    name: str = role
    while name in taken:
        number += 1
        name = f"{role}-{number}"
    return name


def _run_case(
    found: dict[str, FoundSeries], steps: tuple[StepSpec, ...], options: argparse.Namespace
) -> ChainResult:
    volumes = {role: load(one) for role, one in found.items()}
    return run_chain(volumes, steps, lent=_tools(options))


def _tools(options: argparse.Namespace) -> Tools:
    given = getattr(options, "given_mask", None)
    return Tools(
        given={"": load_nifti(given, allow_constant=True)} if given else {},
        command=getattr(options, "mask_command", ""),
        timeout_s=getattr(options, "mask_seconds", 900.0),
        resolve=_resolve,
    )


def _resolve(name: str, role: str) -> Volume:
    """The reference of a role: a file, or the file of that role in a folder."""
    path = Path(name)
    if path.is_dir():
        for one in find_series(path):
            if one.status == "ok" and one.role == role:
                return load(one)
        raise PreparationError(f"{path.name} holds no {role}", "Put a reference there.")
    return load_nifti(path)


def _write_case(folder: Path, found: dict[str, FoundSeries], result: ChainResult) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for role, item in result.items.items():
        write_nifti(item.volume, folder / f"{role}.nii.gz")
        if item.mask is not None:
            write_nifti(_as_mask(item.volume, item.mask), folder / f"{role}-brain-mask.nii.gz")
        before = to_lps(load(found[role]))
        (folder / f"{role}-check.png").write_bytes(_sheet(before, item))
    _write_json(folder / "preparation.json", dict(result.record))


def _as_mask(volume: Volume, mask: Mask) -> Volume:
    return Volume(mask.astype(np.uint8), volume.affine_lps, "nifti", {}, "")


def _sheet(before: Volume, item: Item) -> bytes:
    moved = any(record.parameters.get("to") == TEMPLATE for record in item.records)
    first, second = pictures.pair(before, item.volume, item.mask, same_place=not moved)
    return pictures.png(pictures.side_by_side(first, second))


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def single(options: argparse.Namespace) -> dict[str, Any]:
    """Run one step on one image."""
    source = _read(options.source)
    series = {IMAGE: source}
    step = _STEPS[options.command](options, series)
    lent = _tools(options)
    if getattr(options, "mask", None):
        lent = Tools(given={IMAGE: load_nifti(options.mask, allow_constant=True)})
        steps = [{"step": "brain_mask", "method": "given", "apply": False, "roles": [IMAGE]}, step]
    else:
        steps = [step]
    result = run_chain(series, parse_chain(steps), lent=lent)
    return _deliver(options, source, result)


def _read(path: str) -> Volume:
    """One image: a NIfTI file, or a folder with one DICOM series."""
    if Path(path).is_dir():
        found = [one for one in find_series(path) if one.status == "ok"]
        if len(found) != 1:
            reason = f"{Path(path).name} holds {len(found)} images"
            raise PreparationError(reason, "Name a file, or a folder with one series.")
        return load(found[0])
    return load_nifti(path)


def _reorient(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    del options, series
    return {"step": "reorient"}


def _resample(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    step: dict[str, Any] = {"step": "resample", "interpolation": options.interpolation}
    if options.spacing:
        one = len(options.spacing) == 1
        step["spacing_mm"] = options.spacing[0] if one else list(options.spacing)
    if options.to:
        series[OTHER] = _read(options.to)
        step["to"] = OTHER
    return {**step, "roles": [IMAGE]}


def _register(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    to = TEMPLATE
    if options.fixed != TEMPLATE:
        series[OTHER] = _read(options.fixed)
        to = OTHER
    return {
        "step": "register",
        "to": to,
        "from": IMAGE,
        "kind": options.kind,
        "seed": options.seed,
        "interpolation": options.interpolation,
        "roles": [IMAGE],
    }


def _bias(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    del series
    return {
        "step": "bias",
        "iterations": list(options.iterations),
        "fwhm": options.fwhm,
        "spline_mm": options.spline_mm,
    }


def _brain_mask(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    del series
    method = "command" if options.mask_command else "given" if options.given_mask else "computed"
    return {
        "step": "brain_mask",
        "method": method,
        "apply": not options.keep_head,
        "margin_mm": options.margin_mm,
        "seed": options.seed,
    }


def _normalise(options: argparse.Namespace, series: dict[str, Volume]) -> dict[str, Any]:
    del series
    return {
        "step": "normalise",
        "method": options.method,
        "mean": options.mean,
        "sd": options.sd,
        "percentiles": list(options.percentiles),
        "limits": list(options.limits),
        "clip": options.clip,
        "reference": options.reference,
    }


_STEPS = {
    "reorient": _reorient,
    "resample": _resample,
    "register": _register,
    "bias": _bias,
    "brain-mask": _brain_mask,
    "normalise": _normalise,
}


def _deliver(options: argparse.Namespace, source: Volume, result: ChainResult) -> dict[str, Any]:
    item = result.items[IMAGE]
    target = Path(options.target)
    stem = target.name.removesuffix(".gz").removesuffix(".nii")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(item.volume, target)
    if getattr(options, "mask_out", None) and item.mask is not None:
        write_nifti(_as_mask(item.volume, item.mask), Path(options.mask_out))
    report = Path(options.report) if options.report else target.with_name(f"{stem}.json")
    picture = Path(options.sheet) if options.sheet else target.with_name(f"{stem}-check.png")
    _write_json(report, dict(result.record))
    picture.write_bytes(_sheet(to_lps(source), item))
    return {"text": _told(item), "warnings": result.warnings_of(IMAGE)}


def _told(item: Item) -> str:
    lines = []
    for record in item.records:
        shown = {k: v for k, v in record.figures.items() if k not in ("matrix", "template_sha256")}
        figures = ", ".join(f"{key} {value}" for key, value in shown.items())
        lines += [f"{record.step}: {figures} ({record.seconds:.1f} s)", *record.warnings]
    return "".join(f"{line}\n" for line in lines)
