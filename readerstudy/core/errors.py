"""Errors of the domain: each carries a sentence for the user and an HTTP status."""


class ReaderStudyError(Exception):
    """Something the user asked for cannot be done; ``message`` says why and what to do next."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class NotAllowed(ReaderStudyError):
    """The user's role does not permit this."""

    status = 403
    code = "not_allowed"


class NotFound(ReaderStudyError):
    """There is no such thing for this user. Says the same whether it exists or not."""

    status = 404
    code = "not_found"


class Conflict(ReaderStudyError):
    """The present state does not permit this."""

    status = 409
    code = "conflict"
