"""What the reading page may send; fields are listed by hand."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from readerstudy.core.errors import ReaderStudyError

MAX_BODY_CHARACTERS = 200_000


class CheckedSerializer(serializers.Serializer[dict[str, Any]]):
    @classmethod
    def checked(cls, data: Any) -> dict[str, Any]:
        """Return the valid data, or refuse with one sentence."""
        if len(json.dumps(data)) > MAX_BODY_CHARACTERS:
            raise ReaderStudyError("The request is too large to be a reader's answer.")
        serializer = cls(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class DraftSerializer(CheckedSerializer):
    answers = serializers.DictField()
    viewer = serializers.DictField(required=False)


class SubmissionSerializer(CheckedSerializer):
    key = serializers.UUIDField()
    answers = serializers.DictField()
    clock = serializers.DictField(required=False)
    viewer = serializers.DictField(required=False)


class PreferencesSerializer(CheckedSerializer):
    keys = serializers.DictField()
    mouse = serializers.DictField()


class SessionSerializer(CheckedSerializer):
    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)
    enrolment = serializers.CharField(max_length=32)
