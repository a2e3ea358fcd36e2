"""Addresses of what keeps a study going: amendments, previews, periods, attempts."""

from django.urls import path

from readerstudy.reading import audit_views, run_views, views

STUDY = "staff/studies/<uuid:pk>/"
READER = f"{STUDY}readers/<str:code>/"

urlpatterns = [
    path("read/<str:enrolment>/changes/", views.ChangesPage.as_view(), name="read-changes"),
    path(f"{STUDY}audit/", audit_views.StudyAuditPage.as_view(), name="study-audit"),
    path(f"{STUDY}audit.csv", audit_views.StudyAuditFile.as_view(), name="study-audit-file"),
    path(f"{STUDY}amend/", run_views.AmendPage.as_view(), name="study-amend"),
    path(f"{STUDY}withdraw/", run_views.WithdrawPage.as_view(), name="study-withdraw"),
    path(f"{STUDY}add-reader/", run_views.AddReaderPage.as_view(), name="study-add-reader"),
    path(f"{STUDY}preview/", run_views.PreviewPage.as_view(), name="study-preview"),
    path(f"{STUDY}letters/announce/", run_views.AnnouncePage.as_view(), name="study-announce"),
    path(f"{READER}remind/", run_views.RemindPage.as_view(), name="study-remind"),
    path(
        f"{READER}withdraw/", run_views.WithdrawReaderPage.as_view(), name="study-withdraw-reader"
    ),
    path(f"{READER}replace/", run_views.ReplaceReaderPage.as_view(), name="study-replace-reader"),
    path(f"{READER}open/", run_views.OpenEarlyPage.as_view(), name="study-open-early"),
    path(f"{READER}attempt/", run_views.AttemptPage.as_view(), name="study-attempt"),
]
