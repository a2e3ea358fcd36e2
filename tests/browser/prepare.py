"""Fill a fresh database for the browser tests: accounts and phantom cases of both classes.

Run in a process of its own, since it needs the settings of the server under test. The stand-in
for a generator blurs the acquired image; that is enough to be told apart, and honest about it.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from scipy import ndimage  # noqa: E402

from readerstudy.cases import canonical  # noqa: E402
from readerstudy.cases.ingest import import_folder, new_case  # noqa: E402
from readerstudy.cases.models import Case, Series  # noqa: E402
from readerstudy.truth import register  # noqa: E402
from synthesis.phantom.writer import write_cohort  # noqa: E402
from synthesis.register import columns_of  # noqa: E402
from tests.scenario import person  # noqa: E402


def main(folder: Path, count: int, spacing: tuple[float, float, float]) -> None:
    call_command("migrate", verbosity=0)
    person("coordinator", coordinator=True)
    write_cohort(folder, range(2001, 2001 + 2 * count), spacing_mm=spacing, workers=1)
    import_folder(folder)
    real = list(Case.objects.order_by("code"))
    register.declare_real(cases=real, actor=None)
    generated = register.Generated(generator="blur", run=uuid.uuid4(), record_sha256="0" * 64)
    for source in real[:count]:
        register.declare_synthetic(case=blurred(source), generated=generated, actor=None)


def blurred(source: Case) -> Case:
    """A counterpart of a case whose T1c is blurred within the brain."""
    case = new_case(source.subject)
    for series in source.series.exclude(role="t1c"):
        Series.objects.create(**columns_of(series), case=case)
    volume = canonical.load_volume(source.series.get(role="t1c"))
    array = ndimage.gaussian_filter(volume.array.astype("float32"), (0.3, 1, 1))
    array[volume.array == 0] = 0
    columns = canonical.store_volume(replace(volume, array=array.astype("int16")))
    Series.objects.create(case=case, role="t1c", source_orientation="LPS", **columns)
    return case


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), tuple(float(x) for x in sys.argv[3].split(",")))
