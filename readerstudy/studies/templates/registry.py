"""All study templates, by key, in the order in which they are offered."""

from __future__ import annotations

from readerstudy.studies.templates.base import StudyTemplate
from readerstudy.studies.templates.visual_turing_test import VISUAL_TURING_TEST

TEMPLATES: dict[str, StudyTemplate] = {template.key: template for template in (VISUAL_TURING_TEST,)}
