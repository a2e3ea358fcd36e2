"""What the pages of the planner and of the dry run show."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from readerstudy.rehearsal.forms import SizeForm
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.rehearsal.pilots import Pilot, pilot_of
from readerstudy.stats.sample_size import USED, Inputs
from readerstudy.studies.models import Study

AIM_OF = {
    "turing": "equivalence",
    "agreement": "kappa",
    "reference": "auc",
    "mrmc-difference": "mrmc",
    "score": "kappa",
}
TELLING_ACCURACY = 0.65


def likely_aim(study: Study) -> str:
    """Return the aim that fits the primary endpoint of a study."""
    primary = [entry.endpoint for entry in study.analyses if entry.primary]
    return next((AIM_OF[name] for name in primary if name in AIM_OF), "equivalence")


def starting_inputs(study: Study, aim: str) -> dict[str, Any]:
    """Return the inputs with which a plan of this study starts."""
    defaults = Inputs()
    values = {name: getattr(defaults, name) for name in USED[aim]}
    fitting = {"readers": max(study.readers.count(), 2), "margin": study.margin}
    if aim == "difference":
        fitting["accuracy"] = TELLING_ACCURACY
    return values | {name: value for name, value in fitting.items() if name in values}


def query_of(aim: str, form: SizeForm, pilot: Pilot | None = None) -> str:
    """Return the address of a plan."""
    given = {name: form.data.get(name) for name in USED[aim]}
    return urlencode({"aim": aim, **given, **({"run": pilot.number} if pilot else {})})


def outcome_of(run: Rehearsal | None) -> dict[str, Any] | None:
    """Return the result of a dry run as its page shows it."""
    if run is None or run.result is None:
        return None
    result = run.result
    rows = result["endpoints"]
    judged = [row for row in rows if row["covers"] is not None]
    return {
        **result,
        "pilot": pilot_of(run),
        "primary": [row for row in rows if row["primary"]],
        "others": [row for row in rows if not row["primary"]],
        "covered": sum(row["covers"] for row in judged),
        "judged": len(judged),
        "waited": max((reader["days_waited"] for reader in result["readers"]), default=0),
        "twice": sum(reader["sent_twice"] for reader in result["readers"]),
        "taken_back": sum(reader["taken_back"] for reader in result["readers"]),
        "stopped": [reader for reader in result["readers"] if reader["stopped"]],
    }
