"""Opaque identifiers: random, without order, meaning or relation to what they name."""

import secrets

TOKEN_LENGTH = 22  # 16 random bytes in URL-safe base64


def new_token() -> str:
    """Return a fresh token of 128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)
