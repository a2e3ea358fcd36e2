"""Compare stored images with their checksums, when a verification reads the files too."""

from __future__ import annotations

from collections.abc import Iterator

from readerstudy.cases.models import Series
from readerstudy.cases.verifying import damage_of
from readerstudy.core.verifying import Scope, verifies


@verifies("stored images")
def images(scope: Scope) -> Iterator[str]:
    """Yield the series whose pixels are not those that were imported."""
    if not scope.files:
        return
    for series in Series.objects.select_related("case").order_by("pk").iterator():
        if damage := damage_of(series):
            yield f"Case {series.case.code}, {series.role}: {damage}"
