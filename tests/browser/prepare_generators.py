"""Fill a fresh database for the road of a generator: a coordinator, cases, a training folder.

Run in a process of its own, since it needs the settings of the server under test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from readerstudy.cases.ingest import import_folder  # noqa: E402
from readerstudy.cases.models import Case  # noqa: E402
from readerstudy.truth import register  # noqa: E402
from synthesis.phantom.writer import write_cohort  # noqa: E402
from tests.scenario import person  # noqa: E402

SPACING_MM = (6.0, 3.0, 3.0)


def main(var: Path) -> None:
    call_command("migrate", verbosity=0)
    person("coordinator", coordinator=True)
    write_cohort(var / "training" / "cohort", range(3001, 3004), spacing_mm=SPACING_MM, workers=1)
    write_cohort(var / "shown", range(3101, 3105), spacing_mm=SPACING_MM, workers=1)
    import_folder(var / "shown")
    register.declare_real(cases=list(Case.objects.order_by("code")), actor=None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
