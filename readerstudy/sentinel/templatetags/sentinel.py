"""The card of the leak sentinel on the launch page."""

from __future__ import annotations

from typing import Any

from django import template

from readerstudy.sentinel.presentation import card_of
from readerstudy.sentinel.standing import WALKED
from readerstudy.studies.models import Study

register = template.Library()


@register.inclusion_tag("sentinel/card.html")
def sentinel_card(study: Study) -> dict[str, Any]:
    """Draw cue by cue what the last run found; nothing before the lock."""
    if study.state not in WALKED or study.rehearsal_of_id is not None:
        return {}
    return {"study": study, **card_of(study)}
