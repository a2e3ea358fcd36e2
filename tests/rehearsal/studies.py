"""A small draft of each template, with cases of both classes and their reference standard."""

from __future__ import annotations

import uuid

from readerstudy.cases import canonical
from readerstudy.cases.ingest import new_case, source_key
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.studies import design
from readerstudy.studies.models import Study
from readerstudy.studies.templates.registry import TEMPLATES
from readerstudy.truth import recording_reference, register
from tests.factories import CoordinatorFactory
from tests.scenario import brain, volume

SHOWN_TOGETHER = ("wang2023-quality", "two-alternatives")


def case_of(subject: str, version: str, roles: set[str], seed: int) -> Case:
    key = source_key(subject)
    owner, _ = Subject.objects.get_or_create(source_key=key, defaults={"code": f"S-{key[:10]}"})
    case = new_case(owner)
    for offset, role in enumerate(sorted(roles)):
        columns = canonical.store_volume(volume(brain(seed + offset)))
        Series.objects.create(case=case, role=role, source_orientation="LPS", **columns)
    if version == "real":
        register.declare_real(cases=[case], actor=None)
    else:
        made = register.Generated(generator="toy", run=uuid.uuid4(), record_sha256="0" * 64)
        register.declare_synthetic(case=case, generated=made, actor=None)
    return case


def draft_of(key: str, n_subjects: int = 4) -> Study:
    """Return a draft of a template: each subject as real and as synthetic, or by turns."""
    template = TEMPLATES[key]
    roles = {slot.role for slot in template.viewing.slots}
    study = design.create_study(
        template=key,
        name=f"Study {key}",
        reader_title="Brain MR reading",
        actor=CoordinatorFactory(),
    )
    both = template.design.plan == "one_version" or key in SHOWN_TOGETHER
    chosen = []
    for number in range(n_subjects):
        versions = ("real", "synthetic") if both else (("real", "synthetic")[number % 2],)
        cases = [case_of(f"{key}{number}", v, roles, 20 * number + 7) for v in versions]
        for place, (version, case) in enumerate(zip(versions, cases, strict=True)):
            together = key in SHOWN_TOGETHER
            chosen.append(
                design.Chosen(
                    case,
                    item=cases[0].code if together else "",
                    place=place if together else 0,
                    group="" if together else {"real": "A", "synthetic": "B"}[version],
                )
            )
            add_references(study, case, number)
    design.set_cases(study=study, cases=chosen, actor=study.created_by)
    if template.design.repeats:
        document = {**study.design, "repeats": 1, "lag": 2}
        design.set_plan(study=study, document=document, actor=study.created_by)
    study.refresh_from_db()
    return study


def add_references(study: Study, case: Case, number: int) -> None:
    """Put the right answer of each question with a reference on record, by turns."""
    for question in study.questions.all():
        if question.truth.get("source") == "reference":
            values = question.truth["values"]
            wanted = sorted(set(values.values()))
            code = wanted[number // 2 % len(wanted)]
            value = next(v for v, c in values.items() if c == code)
            recording_reference.record_reference(
                case=case,
                endpoint=question.truth["endpoint"],
                value=value,
                method="histopathology",
                actor=None,
            )
