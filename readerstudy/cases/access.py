"""Find cases and series for the staff."""

from __future__ import annotations

from typing import Any

from readerstudy.cases.models import Case, Series
from readerstudy.core.errors import NotFound


def access_case(pk: Any) -> Case:
    """Return a case with its subject."""
    case = Case.objects.select_related("subject").filter(pk=pk).first()
    if case is None:
        raise NotFound("There is no such case.")
    return case


def access_series(pk: Any) -> Series:
    """Return a series with its case."""
    series = Series.objects.select_related("case").filter(pk=pk).first()
    if series is None:
        raise NotFound("There is no such series.")
    return series
