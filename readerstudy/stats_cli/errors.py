"""What goes wrong on the command line, in the words of the command line."""

from __future__ import annotations

import re

_ASSIGNED = re.compile(r"""\b([a-z_]+)=["']([^"']+)["']""")


class WrongUse(Exception):
    """An option, a file or a value that cannot be used; the message says what to do."""


def in_options(text: str) -> str:
    """Turn the arguments that a message of ``stats`` names into options.

    Examples
    --------
    >>> in_options('pass missing="omit" or assume_independent=True')
    'pass --missing omit or --assume-independent'
    """
    text = text.replace("assume_independent=True", "--assume-independent")
    text = text.replace("cluster=", "--cluster").replace("categories=", "--categories")
    return _ASSIGNED.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    name, value = found.groups()
    return f"--{name.replace('_', '-')} {value.replace(' ', '-')}"
