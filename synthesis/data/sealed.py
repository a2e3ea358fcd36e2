"""Records that carry their own fingerprint: a changed one is refused when it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from synthesis.data.hashing import json_sha256


class Sealed(ABC):
    """A record whose JSON form ends with the sha256 of the rest.

    Attributes
    ----------
    schema : str
        Name and version of the form.
    refusal : type of ValueError
        Raised when a stored record cannot be used.
    """

    schema: ClassVar[str]
    refusal: ClassVar[type[ValueError]] = ValueError

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return what is recorded, as JSON values."""

    @classmethod
    @abstractmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Make the record of its `facts`."""

    @property
    def sha256(self) -> str:
        """Fingerprint: of the canonical JSON of schema and facts."""
        return json_sha256(self._body())

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form with its fingerprint."""
        return {**self._body(), "sha256": self.sha256}

    def _body(self) -> dict[str, Any]:
        return {"schema": self.schema, **self.facts()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read the JSON form back.

        Raises
        ------
        ValueError
            Of the kind ``refusal``: another schema, or it does not match its fingerprint.
        """
        if stored.get("schema") != cls.schema:
            raise cls.refusal(
                f"The record is of schema {stored.get('schema')!r}, not {cls.schema!r}."
            )
        record = cls.from_facts(stored)
        if record.sha256 != stored.get("sha256"):
            raise cls.refusal(
                "The record does not match its fingerprint: it has been changed. Restore it."
            )
        return record
