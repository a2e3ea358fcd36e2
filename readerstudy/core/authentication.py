"""Authentication of the programming interface. Apart from core.api, which imports DRF's views."""

from __future__ import annotations

from typing import Any

from rest_framework import authentication


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session; an ended one answers 401, so that the page can ask to sign in again."""

    def authenticate_header(self, request: Any) -> str:
        del request
        return "Session"
