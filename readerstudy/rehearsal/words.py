"""The outcome of a dry run in plain lines, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from readerstudy.rehearsal.models import Rehearsal


def lines(rehearsal: Rehearsal) -> list[str]:
    """Return what came out, as text; every number in it is simulated."""
    result: dict[str, Any] = rehearsal.result or {}
    told = result["verification"]
    return [
        f"Dry run {rehearsal.number} of {rehearsal.study} (simulated), seed {rehearsal.seed}",
        f"{rehearsal.readers} readers, {told['acknowledged']} readings; median "
        f"{result['median_hours']:.1f} h a reader, longest {result['longest_hours']:.1f} h",
        f"{told['values']} values sent: {told['lost']} lost, {told['doubled']} doubled, "
        f"{told['changed']} changed",
        "",
        *_endpoints(result["endpoints"]),
    ]


def _endpoints(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield f"{row['title']}: {row['measure']} {_estimate(row)}".rstrip()


def _estimate(row: dict[str, Any]) -> str:
    if row["estimate"] is None:
        return f"undefined: {row['reason']}"
    text = f"{row['estimate']:.3f}"
    if row["low"] is not None and row["high"] is not None:
        text += f" ({row['low']:.3f} to {row['high']:.3f}, width {row['width']:.3f})"
    if row["planted"] is None:
        return text
    verdict = {True: ", covered", False: ", not covered", None: ""}[row["covers"]]
    return f"{text}, planted {row['planted']:.3f}{verdict}"
