"""The points of the launch checklist that concern the allocation and the images."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from readerstudy.cases.models import Series
from readerstudy.reading import trial
from readerstudy.reading.models import Allocation, DisplayForm, EncodedSeries, Reading
from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, adds_checks
from readerstudy.studies.models import Study
from readerstudy.studies.viewing import Slot

FACE, BURNED_IN = "face", "burned_in"
MUCH_CLIPPED = 0.01
NAMED = 5


@adds_checks
def allocation_checks(study: Study) -> Iterable[Check]:
    if study.state == Study.State.DRAFT:
        return
    allocation = Allocation.objects.get(study=study)
    rows = Reading.objects.filter(enrolment__in=study.readers).count()
    yield Check(
        "Protocol",
        "Allocation drawn and stored",
        f"{rows} readings, hash {allocation.table_hash[:8]}",
    )


@adds_checks
def draw_checks(study: Study) -> Iterable[Check]:
    """Try the draw of a draft, so that what cannot be met is said before the lock."""
    ready = study.readers.exists() and study.study_cases.exists()
    if study.state != Study.State.DRAFT or not ready:
        return
    tried = trial.try_draw(study)
    rows = sum(share.readings for share in tried.shares)
    yield Check(
        "Protocol",
        "No order can be drawn" if tried.conflict else "An order can be drawn",
        tried.conflict or f"A trial draw gave {rows} readings and was thrown away",
        BLOCKS if tried.conflict else PASSED,
    )


@adds_checks
def image_checks(study: Study) -> Iterable[Check]:
    if study.state == Study.State.DRAFT:
        return
    roles = study.slots
    wanted = study.study_cases.count() * len(roles)
    ready = EncodedSeries.objects.filter(study=study, role__in=roles).count()
    form = DisplayForm.objects.filter(study=study).first()
    done = form is not None and ready == wanted
    yield Check(
        "Images",
        "One form for all images" if done else "Images are being prepared",
        f"{ready} of {wanted} encoded; same grid, type, header and length"
        if done
        else f"{ready} of {wanted} encoded",
        PASSED if done else BLOCKS,
        before="launch",
    )


@adds_checks
def slot_checks(study: Study) -> Iterable[Check]:
    cases = study.cases.all()
    total = len(cases)
    if not total:
        return
    for slot in study.display.slots:
        having = set(cases.with_role(slot.role).values_list("code", flat=True))
        lacking = sorted(case.code for case in cases if case.code not in having)
        yield Check(
            "Cases",
            f"{slot.label} missing in {len(lacking)} cases" if lacking else f"{slot.label} present",
            _named(lacking) if lacking else f"In all {total} cases",
            BLOCKS if lacking else PASSED,
        )
        yield from _unit_checks(study, slot)


def _unit_checks(study: Study, slot: Slot) -> Iterable[Check]:
    """Compare the unit that the study states with those on record at the import."""
    if not slot.unit:
        return
    series = _shown(study).filter(role=slot.role).exclude(unit__in=("", slot.unit))
    units = sorted(set(series.values_list("unit", flat=True)))
    if units:
        yield Check(
            "Cases",
            f"{slot.label} was imported in other units",
            f"The study states {slot.unit}; imported in {', '.join(units)}",
            LOOK,
        )


@adds_checks
def overlay_checks(study: Study) -> Iterable[Check]:
    overlay, cases = study.display.overlay, study.cases.all()
    if overlay is None or not cases:
        return
    count, total = cases.with_role(overlay.role).count(), len(cases)
    texts = {
        total: ("Overlay present", f"In all {total} cases", PASSED),
        0: ("No case has the overlay", "It will not be shown", LOOK),
    }
    some = (
        f"Only {count} of {total} cases have the overlay",
        "Seen beside some cases only, it would tell them apart; import it for all or show none",
        BLOCKS,
    )
    statement, evidence, status = texts.get(count, some)
    yield Check("Cases", statement, evidence, status)


@adds_checks
def identity_checks(study: Study) -> Iterable[Check]:
    """Faces and burned-in text can name the person."""
    shown = list(_shown(study).select_related("case"))
    if not shown:
        return
    faces, texts = (_flagged(shown, flag) for flag in (FACE, BURNED_IN))
    kept = study.display.faces_reason
    if faces:
        advice = "Remove the faces, or state on the display page why they are shown"
        yield Check(
            "Blinding",
            f"{len(faces)} cases show a face",
            f"Kept: {kept}" if kept else f"{_named(faces)}. {advice}",
            LOOK if kept else BLOCKS,
        )
    if texts:
        yield Check(
            "Blinding",
            f"{len(texts)} cases may have text burned into the image",
            f"{_named(texts)}. Look at them and leave them out",
            BLOCKS,
        )
    if not faces and not texts:
        yield Check("Blinding", "No face and no burned-in text", f"{len(shown)} series looked at")


@adds_checks
def clipping_checks(study: Study) -> Iterable[Check]:
    """Say how much of a map lies outside the fixed range of the study."""
    labels = {slot.role: slot for slot in study.display.slots if slot.range}
    encoded = EncodedSeries.objects.filter(study=study, role__in=labels).select_related("case")
    shares: dict[str, dict[str, float]] = {}
    for one in encoded:
        if one.facts.get("voxels"):
            share = one.facts["clipped"] / one.facts["voxels"]
            shares.setdefault(one.role, {})[one.case.code] = share
    for role, by_case in shares.items():
        slot, most = labels[role], max(by_case.values())
        much = sorted(code for code, share in by_case.items() if share > MUCH_CLIPPED)
        yield Check(
            "Images",
            f"{slot.label}: {len(much)} cases reach beyond the range"
            if much
            else f"{slot.label}: within the range",
            f"At most {100 * most:.1f} % of a case's voxels lie outside "
            f"{_range(slot)}{': ' + _named(much) if much else ''}",
            LOOK if much else PASSED,
            before="launch",
        )


def _range(slot: Slot) -> str:
    low, high = slot.range or (0.0, 0.0)
    return f"{low:g} to {high:g} {slot.unit}"


def _shown(study: Study) -> QuerySet[Series]:
    overlay = study.display.overlay
    roles = [*study.slots, overlay.role] if overlay else study.slots
    return Series.objects.filter(case__in=study.cases.all(), role__in=roles)


def _flagged(series: Iterable[Series], flag: str) -> list[str]:
    return sorted({one.case.code for one in series if flag in one.flags})


def _named(codes: list[str]) -> str:
    more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
    return f"Cases {', '.join(codes[:NAMED])}{more}"
