"""All study templates, by key, in the order in which they are offered."""

from __future__ import annotations

from readerstudy.studies.templates.added_value import ADDED_VALUE
from readerstudy.studies.templates.base import StudyTemplate
from readerstudy.studies.templates.image_quality import IMAGE_QUALITY
from readerstudy.studies.templates.map_quality import MAP_QUALITY
from readerstudy.studies.templates.morphology import MORPHOLOGY
from readerstudy.studies.templates.simulated_contrast import SIMULATED_CONTRAST
from readerstudy.studies.templates.turing_session import TURING_SESSION
from readerstudy.studies.templates.two_alternatives import TWO_ALTERNATIVES
from readerstudy.studies.templates.visual_turing_test import MIXED_SEQUENCES, VISUAL_TURING_TEST

TEMPLATES: dict[str, StudyTemplate] = {
    template.key: template
    for template in (
        VISUAL_TURING_TEST,
        MIXED_SEQUENCES,
        TURING_SESSION,
        MORPHOLOGY,
        MAP_QUALITY,
        ADDED_VALUE,
        SIMULATED_CONTRAST,
        TWO_ALTERNATIVES,
        IMAGE_QUALITY,
    )
}
