"""``{% truth_panel case %}`` after ``{% load truth %}``: the way to a case's truth, or why not.

``{% compare_panel case %}`` is the way to a comparison with the other cases of the subject.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template

from readerstudy.cases.flags import Flag
from readerstudy.cases.models import Case, Series
from readerstudy.cases.native_layout import Shown
from readerstudy.cases.native_words import flags_of, geometry_words
from readerstudy.truth.native_case import relatives_of
from readerstudy.truth.visibility import why_hidden

register = template.Library()


@register.inclusion_tag("truth/panel.html", takes_context=True)
def truth_panel(context: dict[str, Any], case: Case) -> dict[str, Any]:
    """Show a link to the page of a case's truth to whoever may see it. Shows no truth itself."""
    return {"case": case, "why_hidden": why_hidden(context["request"].user, case)}


@register.inclusion_tag("truth/compare_panel.html", takes_context=True)
def compare_panel(context: dict[str, Any], case: Case) -> dict[str, Any]:
    """Show links to comparisons with the other cases of the subject to whoever may see them."""
    request = context["request"]
    query = f"?{urlencode({'list': listed})}" if (listed := request.GET.urlencode()) else ""
    reason = why_hidden(request.user, case)
    relatives = [] if reason else relatives_of(case)
    return {"case": case, "why_hidden": reason, "relatives": relatives, "query": query}


@register.filter
def native_geometry(one: Shown) -> str:
    """Say on which grid a series lies and in which plane it is shown."""
    return geometry_words(one)


@register.filter
def native_flags(series: Series) -> list[Flag]:
    """Return the quality flags of a series in words."""
    return flags_of(series)
