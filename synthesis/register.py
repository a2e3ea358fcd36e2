"""Hand generated images to the reader study: a case with its inputs, and its origin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from readerstudy.cases import canonical
from readerstudy.cases.ingest import new_case
from readerstudy.cases.models import Case, Series
from readerstudy.core.db import write_transaction
from readerstudy.imaging.geometry import Volume
from readerstudy.truth.register import Generated, declare_synthetic
from synthesis.dicom_out import UNITS
from synthesis.levels import OutputMapping
from synthesis.models import GenerationRun


def register_generated(
    *,
    run: GenerationRun,
    source: Case,
    levels: Volume,
    mapping: OutputMapping,
    record_sha256: str,
    actor: Any,
) -> Case:
    """Create the synthetic counterpart of a case: the same inputs, the generated series.

    Case, series and origin appear in one transaction. The generated image goes through the same
    canonical storage as an imported one: a map is stored in its unit, as an acquired map is.
    """
    volume, unit = levels, ""
    if mapping.in_unit:
        values = (levels.array * mapping.slope).astype(np.float32)
        volume, unit = replace(levels, array=values), UNITS.get(run.role, "")
    columns = {**canonical.store_volume(volume), "unit": unit}
    with write_transaction():
        case = new_case(source.subject)
        for series in source.series.exclude(role=run.role):
            Series.objects.create(**columns_of(series), case=case)
        Series.objects.create(case=case, role=run.role, source_orientation="LPS", **columns)
        generated = Generated(
            generator=str(run.checkpoint), run=run.pk, record_sha256=record_sha256
        )
        declare_synthetic(case=case, generated=generated, actor=actor)
    return case


def columns_of(series: Series) -> dict[str, Any]:
    """Return what a series is made of, to show the same content in another case."""
    names = (
        "role",
        "sha256",
        "object_name",
        "dtype",
        "shape",
        "spacing_mm",
        "affine_lps",
        "source_orientation",
        "source_sha256",
        "source_kind",
        "unit",
        "facts",
        "flags",
        "preparation",
    )
    return {name: getattr(series, name) for name in names}
