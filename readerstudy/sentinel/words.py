"""Words that must not reach a reader: what the database knows of origin, source and cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from readerstudy.cases.models import Series, Tag
from readerstudy.reading.models import EncodedSeries
from readerstudy.sentinel.grep import words
from readerstudy.studies.asking import SINGLE_ARM
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin

CLASS_WORDS = ("real", "synthetic", "fake", "generated", "generator", "artificial", "gan", "truth")


def of_truth(study: Study, origins: Mapping[Any, Origin]) -> dict[str, set[str]]:
    """Return by kind the words that no answer may hold."""
    cases = list(study.cases.select_related("subject"))
    series = Series.objects.filter(case__in=cases)
    encoded = EncodedSeries.objects.filter(study=study)
    found = {
        "a generator's name": words(o.generator for o in origins.values()),
        "a generation run": words(
            name for o in origins.values() for name in (o.generation_run, o.external_run)
        ),
        "a hash of a generation record": words(o.record_sha256 for o in origins.values()),
        "a case code": words(value for case in cases for value in (case.code, case.pk)),
        "a subject's code": words(
            value for case in cases for value in (case.subject.code, case.subject.source_key)
        ),
        "a key of the source": words(case.source_key for case in cases),
        "a hash of an image": words(
            value for row in series.values_list("sha256", "source_sha256", "pk") for value in row
        )
        | words(encoded.values_list("pixel_sha256", flat=True)),
        "the name of a stored object": words(_object_names(series, encoded)),
        "the study's own name or identifier": words((study.name, study.pk, study.protocol_hash)),
    }
    return {kind: listed for kind, listed in found.items() if listed}


def of_cases(study: Study) -> dict[str, set[str]]:
    """Return by kind the words that must not come with one case."""
    arms = study.arms.values_list("code", "name")
    tags = Tag.objects.filter(cases__in=study.cases.all())
    return {
        "a word for the classes": set(CLASS_WORDS),
        "an arm's name": words(name for row in arms for name in row if name != SINGLE_ARM),
        "a stratum": words(study.cases.values_list("stratum", flat=True)),
        "a tag": words(tags.values_list("name", flat=True)),
    }


def of_the_protocol(study: Study) -> list[str]:
    """Return the texts that every reader is meant to see; they may use any word."""
    questions = study.questions.prefetch_related("options")
    texts = [study.reader_title, study.instructions]
    for question in questions:
        texts += [question.text, question.help, question.unit]
        texts += [t for option in question.options.all() for t in (option.label, option.anchor)]
    return [text for text in (*texts, *_slot_words(study)) if len(text) > 1]


def _slot_words(study: Study) -> Iterable[str]:
    viewing = study.display
    for slot in viewing.slots:
        yield from (slot.label, slot.code)
    for preset in viewing.presets:
        yield preset.label


def _object_names(series: Any, encoded: Any) -> Iterable[str]:
    yield from series.values_list("object_name", flat=True)
    for stored in encoded.values_list("objects_by_encoding", flat=True):
        for names in stored.values():
            yield from names
