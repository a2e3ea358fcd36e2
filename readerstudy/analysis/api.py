"""Ratings of an unblinded study for programs: JSON, page by page, one row per answer."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.analysis import datasets, export
from readerstudy.core.authentication import SessionAuthentication
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.access import access_study
from readerstudy.studies.permissions import Action

USUAL, MOST = 1000, 10_000


class RatingSerializer(serializers.Serializer[dict[str, Any]]):
    """One answer to one question in one reading; the words are those of codebook.csv."""

    reader = serializers.CharField(help_text="Code of the reader in this study")
    arm = serializers.CharField()
    period = serializers.IntegerField()
    position = serializers.IntegerField()
    stage = serializers.IntegerField()
    repeat = serializers.IntegerField(help_text="1 if the case was shown a second time")
    item = serializers.CharField()
    case = serializers.CharField()
    subject = serializers.CharField()
    origin = serializers.CharField(help_text="Truth: real, synthetic or unknown")
    generator = serializers.CharField(allow_blank=True)
    question = serializers.CharField()
    question_kind = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    points_lps_mm = serializers.CharField(allow_blank=True)
    measured = serializers.CharField(allow_blank=True)
    not_evaluable = serializers.BooleanField()
    received_at_utc = serializers.CharField()
    look_seconds = serializers.FloatField(allow_null=True)
    corrections = serializers.IntegerField()
    case_withdrawn = serializers.BooleanField()
    reader_withdrawn = serializers.BooleanField()
    blind_broken = serializers.BooleanField()


class RatingsPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of ratings; ``next`` is the number of the next page, null on the last."""

    study = serializers.UUIDField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    next = serializers.IntegerField(allow_null=True)
    ratings = RatingSerializer(many=True)


class RatingsView(APIView):
    """The answers of a study, in the order of reader, period and position."""

    @extend_schema(
        operation_id="study_ratings",
        parameters=[
            OpenApiParameter("page", int, description="From 1"),
            OpenApiParameter("page_size", int, description=f"At most {MOST}; usually {USUAL}"),
            OpenApiParameter("reader", str, description="Code of one reader"),
            OpenApiParameter("question", str, description="Code of one question"),
        ],
        responses=RatingsPageSerializer,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        study = access_study(pk=pk, user=request.user, action=Action.EXPORT)
        page, size = _whole(request, "page", 1), min(_whole(request, "page_size", USUAL), MOST)
        wanted = {name: request.query_params.get(name) for name in ("reader", "question")}
        rows = (
            row
            for row in export.long_rows(datasets.load(study, actor=request.user))
            if all(value in (None, row[name]) for name, value in wanted.items())
        )
        start = (page - 1) * size
        found = list(islice(rows, start, start + size + 1))
        document = {
            "study": study.pk,
            "page": page,
            "page_size": size,
            "next": page + 1 if len(found) > size else None,
            "ratings": [_told(row) for row in found[:size]],
        }
        return Response(RatingsPageSerializer(document).data)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "look_seconds": None if row["look_seconds"] == "" else row["look_seconds"]}


def _whole(request: Request, name: str, usual: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise ReaderStudyError(f"{name} must be a whole number from 1 on.", code="invalid")
    return int(text)


class SchemaView(SpectacularJSONAPIView):
    """The description of this interface, OpenAPI 3."""

    urlconf = "readerstudy.analysis.api_urls"
    permission_classes = (IsAuthenticated,)
    authentication_classes = (SessionAuthentication,)
