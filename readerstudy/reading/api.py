"""The reading page's programming interface. Thin: find through access, call one function."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login
from django.http import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.core.errors import Conflict, NotAllowed, ReaderStudyError
from readerstudy.readers import display_check_validity as validity
from readerstudy.readers.models import DisplayCheck
from readerstudy.reading import access, images, preferences, recording
from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.progress import receipt_of, state_of
from readerstudy.reading.serializers import (
    DraftSerializer,
    PreferencesSerializer,
    SessionSerializer,
    SubmissionSerializer,
)
from readerstudy.studies.models import Enrolment


class ReaderAPIView(APIView):
    """A view about one enrolment of the signed-in reader."""

    def enrolment(self, request: Request) -> Enrolment:
        return access.access_enrolment(token=self.kwargs["enrolment"], user=request.user)

    def reading(self, request: Request) -> Reading:
        return access.access_reading(
            enrolment=self.enrolment(request), token=self.kwargs["reading"]
        )

    def display(self, request: Request) -> DisplayCheck | None:
        """Return the check that holds on the display this comes from."""
        device = validity.device_from(request)
        return validity.current_on(user=request.user, device=device)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response


class StateView(ReaderAPIView):
    def get(self, request: Request, **_: str) -> Response:
        return Response(state_of(self.enrolment(request)))


class AnswersView(ReaderAPIView):
    def post(self, request: Request, **_: str) -> Response:
        reading = self.reading(request)
        sent = SubmissionSerializer.checked(request.data)
        submission, new = recording.submit(
            reading=reading,
            key=sent["key"],
            body={k: sent[k] for k in sent if k != "key"},
            display=self.display(request),
        )
        state = state_of(reading.enrolment)
        if submission.outcome == Submission.Outcome.DUPLICATE:
            raise Conflict(submission.reason, code="already_answered", state=state)
        created = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response({"receipt": receipt_of(submission), "state": state}, status=created)


class UndoView(ReaderAPIView):
    def post(self, request: Request, **_: str) -> Response:
        reading = self.reading(request)
        recording.undo(reading=reading)
        return Response({"state": state_of(reading.enrolment)})


class DraftView(ReaderAPIView):
    def put(self, request: Request, **_: str) -> Response:
        draft = DraftSerializer.checked(request.data)
        recording.save_draft(reading=self.reading(request), draft=draft)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PauseView(ReaderAPIView):
    def post(self, request: Request, **_: str) -> Response:
        recording.pause(enrolment=self.enrolment(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResumeView(ReaderAPIView):
    def post(self, request: Request, **_: str) -> Response:
        recording.current_session(self.enrolment(request), self.display(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImageView(APIView):
    """Bytes of one chunk of one image of the present or the next case."""

    def get(self, request: Request, token: str, index: int) -> HttpResponseBase:
        image = access.access_image(token=token, user=request.user)
        accepted = request.headers.get("Accept-Encoding", "")
        return images.chunk_response(image=image, index=index, accepted=accepted)


class PreferencesView(APIView):
    """A reader's own keys and mouse buttons, the same in all studies."""

    def put(self, request: Request) -> Response:
        sent = PreferencesSerializer.checked(request.data)
        preferences.change(user=request.user, keys=sent["keys"], mouse=sent["mouse"])
        return Response(status=status.HTTP_204_NO_CONTENT)


@method_decorator(csrf_protect, name="dispatch")
class SessionView(APIView):
    """Sign in again in place, as the same reader."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def post(self, request: Request) -> Response:
        sent = SessionSerializer.checked(request.data)
        user = authenticate(request._request, username=sent["username"], password=sent["password"])
        if user is None:
            raise ReaderStudyError("The name or the password is not right.", code="sign_in_failed")
        if not Enrolment.objects.filter(token=sent["enrolment"], reader=user).exists():
            raise NotAllowed("Only the reader of this page can go on here.", code="other_user")
        login(request._request, user)
        return Response(status=status.HTTP_204_NO_CONTENT)
