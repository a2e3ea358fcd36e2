"""``readerstudy allocation verify CERTIFICATE``: draw an allocation again and compare.

For a reviewer on another machine: it needs neither Django nor a database. Exit codes: 0 the
table drawn again is the one in the certificate, 2 it is not, 1 the file cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from readerstudy.reading import allocation

HELP = "draw the allocation of a certificate again and compare"
SAME, UNUSABLE, DIFFERENT = 0, 1, 2


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help=HELP, description=HELP.capitalize() + ".")
    verify.add_argument("certificate", type=Path, help="allocation_certificate.json of a study")


def run(options: argparse.Namespace) -> int:
    """Verify a certificate; say in one line what was found."""
    try:
        certificate = _read(options.certificate)
        differences = allocation.verify(certificate)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"{options.certificate}: {_words(error)}\n")
        return UNUSABLE
    rows = len(certificate["table"])
    if differences:
        sys.stdout.write(" ".join(differences) + "\n")
        return DIFFERENT
    sys.stdout.write(
        f"The table of {rows} rows was drawn again from seed {certificate['seed']} "
        f"and agrees bit for bit (SHA-256 {certificate['table_hash']}).\n"
    )
    return SAME


def _read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or "table" not in found:
        raise ValueError("this is not an allocation certificate")
    return found


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    if isinstance(error, json.JSONDecodeError):
        return f"is no JSON: {error}"
    if isinstance(error, KeyError):
        return f"lacks the entry {error}"
    return str(error)
