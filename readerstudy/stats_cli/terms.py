"""Terms of a regression from columns of a file: numbers as they are, labels as indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.tables import MISSING, Table


@dataclass(frozen=True)
class Terms:
    """A matrix of terms.

    Attributes
    ----------
    matrix : list of rows
    names : list of str
    factors : dict
        Terms that stand for one column of labels.
    references : dict
        Label that each of these is compared with.
    """

    matrix: list[list[float]]
    names: list[str]
    factors: dict[str, list[str]]
    references: dict[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what each factor is compared with."""
        return tuple(f"{name}: compared with {ref}." for name, ref in self.references.items())


def read_terms(
    table: Table, columns: Sequence[str], references: Sequence[str], *, missing: str
) -> Terms:
    """Read terms; ``references`` are written COLUMN=LABEL."""
    chosen = dict(_reference(table, text) for text in references)
    values: dict[str, list[float]] = {}
    factors: dict[str, list[str]] = {}
    used: dict[str, str] = {}
    for name in columns:
        texts = table.texts(name)
        if name not in chosen and all(_is_number(text) for text in texts):
            values[name] = table.numbers(name, missing=missing)
            continue
        used[name], indicators = _indicators(table, name, chosen.get(name), missing)
        factors[name] = list(indicators)
        values |= indicators
    matrix = [list(row) for row in zip(*values.values(), strict=True)]
    return Terms(matrix, list(values), factors, used)


def _reference(table: Table, text: str) -> tuple[str, str]:
    name, sign, label = text.partition("=")
    if not sign:
        raise WrongUse(f"--baseline {text}: write it as COLUMN=LABEL")
    return table.require(name), label


def _is_number(text: str) -> bool:
    if text.lower() in MISSING:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _indicators(
    table: Table, name: str, reference: str | None, missing: str
) -> tuple[str, dict[str, list[float]]]:
    texts = table.texts(name)
    gone = [table.is_missing(i, name, text, missing) for i, text in enumerate(texts)]
    levels = sorted({text for text, empty in zip(texts, gone, strict=True) if not empty})
    if reference is not None and reference not in levels:
        raise WrongUse(
            f"{table.name}, column {name}: no row is {reference!r}; there are {', '.join(levels)}"
        )
    if len(levels) < 2:
        raise WrongUse(f"{table.name}, column {name}: all rows are {levels[0]!r}; leave it out")
    if len(levels) > max(12, len(texts) // 5):
        raise WrongUse(
            f"{table.name}, column {name}: {len(levels)} different labels, which is no factor; "
            f"for example {levels[0]!r} is not a number"
        )
    base = reference if reference is not None else levels[0]
    indicators = {
        f"{name} {level}": [
            float("nan") if empty else float(text == level)
            for text, empty in zip(texts, gone, strict=True)
        ]
        for level in levels
        if level != base
    }
    return base, indicators
