"""``{% truth_panel case %}`` after ``{% load truth %}``: the way to a case's truth, or why not."""

from __future__ import annotations

from typing import Any

from django import template

from readerstudy.cases.models import Case
from readerstudy.truth.visibility import why_hidden

register = template.Library()


@register.inclusion_tag("truth/panel.html", takes_context=True)
def truth_panel(context: dict[str, Any], case: Case) -> dict[str, Any]:
    """Show a link to the page of a case's truth to whoever may see it. Shows no truth itself."""
    return {"case": case, "why_hidden": why_hidden(context["request"].user, case)}
