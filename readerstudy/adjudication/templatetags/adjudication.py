"""The way to the panels of the signed-in person."""

from __future__ import annotations

from typing import Any

from django import template

from readerstudy.adjudication.access import seats_of

register = template.Library()


@register.simple_tag
def panels_of(user: Any) -> int:
    """Return how many panels wait for votes of a user."""
    return seats_of(user).count() if user.is_authenticated else 0
