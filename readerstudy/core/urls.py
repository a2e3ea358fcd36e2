"""Addresses of the audit log and of background jobs."""

from django.urls import path

from readerstudy.core import views

urlpatterns = [
    path("staff/audit/", views.AuditPage.as_view(), name="audit"),
    path("staff/jobs/<uuid:pk>/", views.job, name="job"),
    path("staff/jobs/<uuid:pk>/retry/", views.job_retry, name="job-retry"),
]
