"""``readerstudy prepare``: the preprocessing chain, or one step of it, on files.

The steps load SimpleITK and scipy, so they are imported when a command runs, not before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HELP = "prepare images: register, resample, N4, brain mask, normalise"
SINGLE = {
    "reorient": "bring the axes into the order left, posterior, superior",
    "resample": "another spacing, or the grid of another image",
    "register": "rigid or affine registration to another image or the template",
    "bias": "even out brightness (N4)",
    "brain-mask": "find the brain, and clear everything else",
    "normalise": "z-score, percentiles or histogram matching",
}


def add(parser: argparse.ArgumentParser, *, parser_class: Any) -> None:
    """Add the chain and the single steps."""
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=parser_class
    )
    chain = commands.add_parser("chain", help="a chain of steps over a case or many")
    chain.add_argument("chain", help="JSON or TOML file, or the name of a preset")
    chain.add_argument("source", metavar="IN_FOLDER", help="folder of NIfTI or DICOM images")
    chain.add_argument("target", metavar="OUT_FOLDER", help="one folder per case is written")
    _add_mask_sources(chain)
    chain.set_defaults(prepare="chain")
    presets = commands.add_parser("presets", help="list the presets, or print one as JSON")
    presets.add_argument("name", nargs="?", help="preset to print")
    presets.set_defaults(prepare="presets")
    for name, text in SINGLE.items():
        single = commands.add_parser(name, help=text)
        single.set_defaults(prepare="single")
        _add_files(single, name)
        _ADD[name](single)


def _add_files(parser: argparse.ArgumentParser, name: str) -> None:
    option = "--moving" if name == "register" else "--in"
    parser.add_argument(option, dest="source", required=True, metavar="FILE", help="the image")
    parser.add_argument("--out", dest="target", required=True, metavar="FILE.nii.gz")
    parser.add_argument("--report", metavar="FILE.json", help="default: beside the output")
    parser.add_argument("--sheet", metavar="FILE.png", help="default: beside the output")
    if name in ("bias", "normalise"):
        parser.add_argument("--mask", metavar="FILE", help="brain mask (default: foreground)")


def _add_reorient(parser: argparse.ArgumentParser) -> None:
    del parser


def _add_resample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spacing", nargs="+", type=float, metavar="MM", help="one, or x y z")
    parser.add_argument("--to", metavar="FILE", help="an image whose grid is taken")
    _add_interpolation(parser)


def _add_register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fixed", required=True, metavar="FILE", help="an image, or template")
    parser.add_argument("--kind", choices=("rigid", "similarity", "affine"), default="rigid")
    parser.add_argument("--seed", type=int, default=0)
    _add_interpolation(parser)


def _add_interpolation(parser: argparse.ArgumentParser) -> None:
    choices = ("linear", "nearest", "bspline", "sinc")
    parser.add_argument("--interpolation", choices=choices, default="linear")


def _add_bias(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--iterations", nargs="+", type=int, default=[50, 50, 50, 50])
    parser.add_argument("--fwhm", type=float, default=0.15)
    parser.add_argument("--spline-mm", type=float, default=200.0)


def _add_brain_mask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mask-out", metavar="FILE", help="write the mask here")
    parser.add_argument("--keep-head", action="store_true", help="clear nothing")
    parser.add_argument("--margin-mm", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    _add_mask_sources(parser)


def _add_mask_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--given-mask", metavar="FILE", help='for the method "given"')
    parser.add_argument(
        "--mask-command",
        default="",
        metavar="COMMAND",
        help='for the method "command", such as "hd-bet -i {input} -o {output}"',
    )
    parser.add_argument("--mask-seconds", type=float, default=900.0, help="limit of the command")


def _add_normalise(parser: argparse.ArgumentParser) -> None:
    methods = ("z-score", "percentile", "histogram")
    parser.add_argument("--method", choices=methods, default="z-score")
    parser.add_argument("--mean", type=float, default=0.0)
    parser.add_argument("--sd", type=float, default=1.0)
    parser.add_argument("--percentiles", nargs=2, type=float, default=[1.0, 99.0])
    parser.add_argument("--limits", nargs=2, type=float, default=[0.0, 1000.0])
    parser.add_argument("--clip", action="store_true")
    parser.add_argument("--reference", metavar="FILE", help="image to match")


_ADD = {
    "reorient": _add_reorient,
    "resample": _add_resample,
    "register": _add_register,
    "bias": _add_bias,
    "brain-mask": _add_brain_mask,
    "normalise": _add_normalise,
}


def run(options: argparse.Namespace) -> int:
    """Run a command; 0 done, 1 wrong use or a step failed, 2 done but a person must look."""
    from readerstudy.imaging.errors import ImageError
    from readerstudy.imaging.preparation.records import PreparationError
    from readerstudy.prepare_cli import work

    try:
        report = _do(options, work)
    except (PreparationError, ImageError, ValueError, OSError) as error:
        sys.stderr.write(f"readerstudy prepare {options.command}: {error}\n")
        return 1
    sys.stdout.write(report["text"])
    return 2 if report["warnings"] else 0


def _do(options: argparse.Namespace, work: Any) -> dict[str, Any]:
    if options.prepare == "presets":
        return {"text": _presets(options.name), "warnings": []}
    if options.prepare == "chain":
        found: dict[str, Any] = work.chain(options)
        return found
    single: dict[str, Any] = work.single(options)
    return single


def _presets(name: str | None) -> str:
    from readerstudy.imaging.preparation.chain_spec import PRESETS

    if name is None:
        return "".join(f"{key:<12} {one['explained']}\n" for key, one in PRESETS.items())
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name}; there are {', '.join(PRESETS)}")
    return json.dumps({"steps": PRESETS[name]["steps"]}, indent=2) + "\n"


def shortened(arguments: Sequence[str]) -> list[str]:
    """Let ``prepare CHAIN.json IN OUT`` stand for ``prepare chain CHAIN.json IN OUT``."""
    words = list(arguments)
    known = {"chain", "presets", *SINGLE}
    if len(words) > 1 and words[0] == "prepare" and _is_chain(words[1]) and words[1] not in known:
        words.insert(1, "chain")
    return words


def _is_chain(word: str) -> bool:
    return Path(word).suffix.lower() in (".json", ".toml")
