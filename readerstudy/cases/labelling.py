"""Put cases into strata and tag them. The only place that writes either.

A stratum decides how cases are drawn and how results are grouped, so it stands still while a
study with the case is blinded. Tags only help the staff to find cases and may change at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.cases.models import Case, Series, Tag
from readerstudy.cases.usage import usage_of
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError

MAX_STRATUM = Case._meta.get_field("stratum").max_length or 0
MAX_UNIT = Series._meta.get_field("unit").max_length or 0
MAX_TAG = Tag._meta.get_field("name").max_length or 0
MAX_TAGS_AT_ONCE = 20
MAX_DAY = 36_525


def set_stratum(*, cases: Iterable[Case], stratum: str, actor: Any, reason: str = "") -> int:
    """Put cases into a stratum (none, if it is empty); return how many were in another."""
    stratum = clean_stratum(stratum)
    with write_transaction():
        changed = [case for case in _locked(cases) if case.stratum != stratum]
        require_not_blinded(changed)
        for case in changed:
            _move(case, stratum, actor, reason)
    return len(changed)


def _move(case: Case, stratum: str, actor: Any, reason: str) -> None:
    old, case.stratum = case.stratum, stratum
    case.save(update_fields=["stratum"])
    audit.record(
        actor=actor,
        action="case.set_stratum",
        target=f"case {case.pk}",
        old={"stratum": old},
        new={"stratum": stratum},
        reason=reason.strip(),
    )


def set_day(*, case: Case, day: int, actor: Any, reason: str = "") -> bool:
    """State how many days after the first of its subject a case was examined; return if new."""
    check_day(day)
    with write_transaction():
        (found,) = _locked([case])
        if found.day == day:
            return False
        old, found.day = found.day, day
        found.save(update_fields=["day"])
        audit.record(
            actor=actor,
            action="case.set_day",
            target=f"case {case.pk}",
            old={"day": old},
            new={"day": day},
            reason=reason.strip(),
        )
    return True


def check_day(day: int) -> int:
    """Return a day since the first examination; refuse what is no such number."""
    if not 0 <= day <= MAX_DAY:
        raise ReaderStudyError(
            f"A day counts from the first examination, 0 to {MAX_DAY}; dates are not kept."
        )
    return day


def clean_day(text: str) -> int | None:
    """Read a day; None for an empty cell."""
    if not text.strip():
        return None
    try:
        return check_day(int(text))
    except ValueError as error:
        raise ReaderStudyError(
            f"A day is a whole number of days since the first examination, got {text!r}."
        ) from error


def add_tags(*, cases: Iterable[Case], tags: Iterable[str], actor: Any) -> int:
    """Put tags on cases; return how many cases lacked one of them."""
    names = clean_tags(tags)
    with write_transaction():
        found = [Tag.objects.get_or_create(name=name)[0] for name in names]
        return sum(_tag(case, found, actor) for case in _locked(cases))


def _tag(case: Case, tags: list[Tag], actor: Any) -> bool:
    old = tags_of(case)
    lacking = [tag for tag in tags if tag.name not in old]
    if not lacking:
        return False
    case.tags.add(*lacking)
    _record_tags(case, old, actor)
    return True


def remove_tags(*, cases: Iterable[Case], tags: Iterable[str], actor: Any) -> int:
    """Take tags off cases; return how many cases had one. A tag that no case has disappears."""
    names = clean_tags(tags)
    with write_transaction():
        count = sum(_untag(case, names, actor) for case in _locked(cases))
        Tag.objects.filter(name__in=names, cases__isnull=True).delete()
    return count


def _untag(case: Case, names: list[str], actor: Any) -> bool:
    old = tags_of(case)
    if not set(old) & set(names):
        return False
    case.tags.remove(*case.tags.filter(name__in=names))
    _record_tags(case, old, actor)
    return True


def _record_tags(case: Case, old: list[str], actor: Any) -> None:
    audit.record(
        actor=actor,
        action="case.tag",
        target=f"case {case.pk}",
        old={"tags": old},
        new={"tags": tags_of(case)},
    )


def tags_of(case: Case) -> list[str]:
    """Return the names of a case's tags, sorted."""
    return sorted(case.tags.values_list("name", flat=True))


def set_unit(*, series: Series, unit: str, actor: Any) -> bool:
    """State the unit of a quantitative map; return whether it was another."""
    unit = clean_unit(unit)
    with write_transaction():
        series = Series.objects.select_for_update().select_related("case").get(pk=series.pk)
        if series.unit == unit:
            return False
        _require_unit_free(series)
        old, series.unit = series.unit, unit
        series.save(update_fields=["unit"])
        audit.record(
            actor=actor,
            action="case.set_unit",
            target=f"case {series.case_id}",
            old={"role": series.role, "unit": old},
            new={"role": series.role, "unit": unit},
        )
    return True


def _require_unit_free(series: Series) -> None:
    if usage_of(series.case).blinded:
        raise Conflict(
            f"The unit of case {series.case.code} stands still while a study with it is locked, "
            "running or closed; readers measure in it."
        )


def clean_unit(text: str) -> str:
    """Return a unit as it is stored: spaces single, not too long."""
    unit = " ".join(text.split())
    if len(unit) > MAX_UNIT:
        raise ReaderStudyError(
            f"A unit has at most {MAX_UNIT} characters; this one has {len(unit)}."
        )
    return unit


def clean_stratum(text: str) -> str:
    """Return a stratum as it is stored: spaces single, not too long."""
    stratum = " ".join(text.split())
    if len(stratum) > MAX_STRATUM:
        raise ReaderStudyError(
            f"A stratum has at most {MAX_STRATUM} characters; this one has {len(stratum)}."
        )
    return stratum


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Return tags as they are stored: lower case, spaces single, each once."""
    names = list(dict.fromkeys(" ".join(tag.lower().split()) for tag in tags))
    names = [name for name in names if name]
    if not names:
        raise ReaderStudyError("Give at least one tag.")
    if len(names) > MAX_TAGS_AT_ONCE:
        raise ReaderStudyError(f"Give at most {MAX_TAGS_AT_ONCE} tags at once.")
    for name in names:
        if len(name) > MAX_TAG or "," in name or ";" in name:
            raise ReaderStudyError(
                f"A tag has at most {MAX_TAG} characters and neither comma nor semicolon."
            )
    return names


def require_not_blinded(cases: Iterable[Case]) -> None:
    """Refuse to change the strata of cases that a blinded study relies on."""
    blinded = [case.code for case in cases if usage_of(case).blinded]
    if blinded:
        raise Conflict(
            f"The strata of {len(blinded)} cases stand still while a study with them is locked, "
            f"running or closed: {', '.join(blinded[:5])}. Leave them out, or wait until it is "
            "unblinded."
        )


def _locked(cases: Iterable[Case]) -> list[Case]:
    """Return the cases as they are now, held for this transaction, by code."""
    keys = {case.pk for case in cases}
    if not keys:
        raise ReaderStudyError("Choose at least one case.")
    found = list(Case.objects.select_for_update().filter(pk__in=keys).order_by("code"))
    if len(found) != len(keys):
        raise ReaderStudyError(
            f"{len(keys) - len(found)} of the chosen cases are no longer there. Choose again."
        )
    return found
