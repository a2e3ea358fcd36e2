"""The planned analysis of a study, stated before the lock: one entry for each endpoint.

Part of the protocol. `parse` turns the document into frozen objects and refuses, in words, what
cannot be carried out; the analysis app executes the entries by the names of their methods.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from readerstudy import stats
from readerstudy.core.errors import ReaderStudyError

ENDPOINTS = {
    "turing": "Right calls of real and synthetic, against guessing",
    "agreement": "Agreement between readers",
    "reference": "Right calls against the reference standard",
    "preference": "How often one image is preferred",
    "mrmc-difference": "Difference in diagnostic accuracy between arms, over readers and cases",
    "score": "Mean and distribution of the scores",
    "comparison": "Distribution of the answers in real and in synthetic images",
    "auc": "Area under the ROC curve, in each arm",
    "regression": "Logistic models of the truth from the answers",
    "survival": "Time to an event, by answer or measurement",
}
UNITS = {
    "case": "Case, with the readings of one case as a cluster",
    "subject": "Patient, with all cases of one patient as a cluster",
    "reading": "Reading",
    "reader": "Reader",
}
READERS = {
    "random": "Random: the result holds for readers like these",
    "fixed": "Fixed: the result holds for these readers",
}
NOT_EVALUABLE = {
    "exclude": "Left out, and counted",
    "wrong": "Counted as wrong",
}
MISSING = {
    "available": "All reads that there are",
    "complete": "Only cases that every reader read in every arm",
}
MAX_TITLE = 120
ADJUSTMENTS = {"": "None", "bonferroni": "Bonferroni", "holm": "Holm", "bh": "Benjamini–Hochberg"}


@dataclass(frozen=True)
class PlannedAnalysis:
    """What is computed for one endpoint.

    Attributes
    ----------
    code, title : str
        Stable code; words for tables.
    question : str
        Code of the question whose answers are analysed.
    endpoint, unit : str
        Keys of ENDPOINTS and UNITS.
    primary : bool
        Primary endpoints decide the study; the others describe.
    methods : tuple of str
        Public names of `readerstudy.stats`, in the order in which they are reported.
    confidence : str
        Code of the question whose graded confidence makes a score of the answer, for ROC.
    arms : tuple of str
        Codes of the arms compared, the reference first; empty: all together.
    margin : float or None
        Of equivalence or non-inferiority, as a proportion or a difference in area.
    threshold : float or None
        Least coefficient of agreement that counts as reproducible, such as the 0.5 of Park et al.
    family, adjustment : str
        Endpoints of one family share an adjustment for multiple testing; a key of ADJUSTMENTS.
    consensus : bool
        The answers are those after discordant ones were resolved; False: the first ones, as given.
    stop_below : float or None
        Sessions that are repeated end once every reader's share of right calls lies below this.
    positive : str
        Level that is counted as positive; empty: the last one.
    readers, not_evaluable, missing : str
        Keys of READERS, NOT_EVALUABLE and MISSING.
    subgroups : tuple of str
        Parts in which the endpoint is estimated once more, without a test: ``stratum``,
        ``generator``, ``experience`` of the reader, ``period``, or an endpoint of the reference
        standard as ``reference:who_grade``.
    cutoffs : tuple of float
        Borders of the groups of a categorical net reclassification, as shares of the scale; of an
        area alone the first one is the largest false-positive fraction of a partial area.
    covariates : tuple of str
        Endpoints of the reference standard that enter a model, such as ``age``; of a comparison,
        by whose values real and synthetic images are divided before they are compared; of
        survival, measurements beside the answers (a minus before the name: lower is worse).
    time, event : str
        Endpoints of the reference standard that hold a time and whether the event came (1 or 0).
        Two names each, separated by a comma, are one time from two sources that are compared, as
        progression on true and on synthetic images: ``ttp_true, ttp_synthetic``. Of a regression
        ``event`` is the outcome, such as ``idh``, and ``positive`` its value that counts; patients
        whose endpoint ``cohort`` is ``validation`` are held out.
    horizons : tuple of float
        Times at which survival and areas under time-dependent curves are stated.
    alpha : float
        Of tests; intervals have the level 1 - alpha.
    draws, seed : int
        Of resampling.
    """

    code: str
    title: str
    question: str
    endpoint: str
    unit: str = "case"
    primary: bool = False
    methods: tuple[str, ...] = ()
    confidence: str = ""
    arms: tuple[str, ...] = ()
    margin: float | None = None
    threshold: float | None = None
    family: str = ""
    adjustment: str = ""
    consensus: bool = False
    stop_below: float | None = None
    positive: str = ""
    readers: str = "random"
    not_evaluable: str = "exclude"
    missing: str = "available"
    subgroups: tuple[str, ...] = ()
    cutoffs: tuple[float, ...] = ()
    covariates: tuple[str, ...] = ()
    time: str = ""
    event: str = ""
    horizons: tuple[float, ...] = ()
    alpha: float = 0.05
    draws: int = 2000
    seed: int = 71

    @property
    def endpoint_label(self) -> str:
        return ENDPOINTS[self.endpoint]

    @property
    def unit_label(self) -> str:
        return UNITS[self.unit]

    @property
    def adjustment_label(self) -> str:
        return ADJUSTMENTS[self.adjustment]


Plan = tuple[PlannedAnalysis, ...]
TEXTS = ("methods", "arms", "subgroups", "covariates")
NUMBERS = ("cutoffs", "horizons")


def document_of(plan: Plan) -> list[dict[str, Any]]:
    """Return a plan as JSON; `parse` gives it back."""
    lists = (*TEXTS, *NUMBERS)
    return [
        {**asdict(entry), **{name: list(getattr(entry, name)) for name in lists}} for entry in plan
    ]


def parse(document: Any) -> Plan:
    """Return the plan that a document describes.

    Raises
    ------
    ReaderStudyError
        ``analysis`` with the first fault, in words.
    """
    if not isinstance(document, list | tuple):
        raise _fault("The planned analysis must be a list.")
    plan = tuple(_entry(one) for one in document)
    codes = [entry.code for entry in plan]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise _fault(f"Two planned analyses are called “{twice}”.")
    return plan


def _entry(value: Any) -> PlannedAnalysis:
    if not isinstance(value, Mapping):
        raise _fault("Each planned analysis must be an object.")
    if unknown := set(value) - {field.name for field in fields(PlannedAnalysis)}:
        raise _fault(f"A planned analysis has an unknown entry, {min(map(str, unknown))}.")
    lists: dict[str, Any] = {name: _texts(name, value.get(name, ())) for name in TEXTS}
    lists |= {name: _numbers(name, value.get(name, ())) for name in NUMBERS}
    try:
        entry = PlannedAnalysis(**{**value, **lists})
    except TypeError as error:
        raise _fault(f"A planned analysis is not complete: {error}.") from error
    _check_forms(entry)
    _check(entry)
    return entry


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _fault(f"The {name} of a planned analysis must be a list of texts.")
    return tuple(value)


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not all(map(_is_number, value)):
        raise _fault(f"The {name} of a planned analysis must be a list of numbers.")
    return tuple(float(one) for one in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_forms(entry: PlannedAnalysis) -> None:
    """Refuse what is of another type, before anything is compared with it."""
    for field in fields(PlannedAnalysis):
        value = getattr(entry, field.name)
        if field.type == "str" and not isinstance(value, str):
            raise _fault(f"The {field.name} of a planned analysis must be a text.")
        if field.type == "bool" and not isinstance(value, bool):
            raise _fault(f"{field.name.capitalize()} of a planned analysis must be true or false.")
        if field.type == "float | None" and not (value is None or _is_number(value)):
            raise _fault(f"The {field.name.replace('_', ' ')} must be a number or left out.")
        if field.type == "float" and not _is_number(value):
            raise _fault(f"The {field.name} of a planned analysis must be a number.")
        if field.type == "int" and (not isinstance(value, int) or isinstance(value, bool)):
            raise _fault(f"The {field.name} of a planned analysis must be a whole number.")
    if not entry.title.strip():
        raise _fault("A planned analysis needs a title.")
    if len(entry.title) > MAX_TITLE:
        raise _fault(f"The title of a planned analysis has at most {MAX_TITLE} characters.")


KNOWN = {
    "endpoint": ENDPOINTS,
    "unit": UNITS,
    "adjustment": ADJUSTMENTS,
    "readers": READERS,
    "not_evaluable": NOT_EVALUABLE,
    "missing": MISSING,
}


def _check(entry: PlannedAnalysis) -> None:
    for name, known in KNOWN.items():
        if getattr(entry, name) not in known:
            raise _fault(f"“{entry.title}”: there is no {name} {getattr(entry, name)!r}.")
    if unknown := set(entry.methods) - set(stats.__all__):
        raise _fault(f"“{entry.title}”: there is no method {min(unknown)!r}.")
    for name in ("margin", "threshold", "stop_below"):
        share = getattr(entry, name)
        if share is not None and not 0 < share < 1:
            raise _fault(f"“{entry.title}”: {name.replace('_', ' ')} must lie between 0 and 1.")
    if not 0 < entry.alpha < 0.5:
        raise _fault(f"“{entry.title}”: alpha must lie between 0 and 0.5.")
    if not 100 <= entry.draws <= 100_000:
        raise _fault(f"“{entry.title}”: draws must lie between 100 and 100,000.")
    if list(entry.cutoffs) != sorted(set(entry.cutoffs)) or not all(
        0 < cut < 1 for cut in entry.cutoffs
    ):
        raise _fault(f"“{entry.title}”: cut-offs must rise and lie between 0 and 1.")
    if any(time <= 0 for time in entry.horizons):
        raise _fault(f"“{entry.title}”: horizons must be times after 0.")
    if entry.adjustment and not entry.family:
        raise _fault(f"“{entry.title}”: an adjustment needs the family that shares it.")


def with_margin(plan: Plan, margin: float) -> Plan:
    """Return the plan with another margin around guessing."""
    return tuple(
        replace(entry, margin=margin)
        if entry.endpoint == "turing" and entry.margin is not None
        else entry
        for entry in plan
    )


def gaps(plan: Plan, *, questions: Collection[str], arms: Collection[str]) -> list[str]:
    """Return what a plan names but the study does not have, as sentences."""
    found = []
    for entry in plan:
        asked = [code for code in (entry.question, entry.confidence) if code]
        found += [
            f"“{entry.title}” analyses the question “{code}”, which the study does not ask."
            for code in asked
            if code not in questions
        ]
        found += [
            f"“{entry.title}” compares the arm “{code}”, which the study does not have."
            for code in entry.arms
            if code not in arms
        ]
    return found


def _fault(message: str) -> ReaderStudyError:
    return ReaderStudyError(message, code="analysis")
