"""Find a stored check for its reader, and the addresses from and to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from readerstudy.core.errors import NotFound
from readerstudy.readers.models import DisplayCheck


def own_check(*, user: Any, pk: int) -> DisplayCheck:
    """Return a finished check of this reader."""
    check = DisplayCheck.objects.filter(pk=pk, user=user).exclude(algorithm="").first()
    if check is None:
        raise NotFound("There is no such display check among yours.")
    return check


def address(check: DisplayCheck, *, goal: str) -> str:
    """Return the address of a result with the page to go on to."""
    page = reverse("display-check-result", args=[check.pk])
    return f"{page}?{urlencode({'next': goal})}"


def start_address(*, goal: str) -> str:
    """Return the address at which a check begins."""
    return f"{reverse('display-check')}?{urlencode({'next': goal})}"
