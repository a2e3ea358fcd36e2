"""Addresses of members, versions and phases of a study."""

from django.urls import path

from readerstudy.studies import letter_views, member_views, version_views

STUDY = "staff/studies/<uuid:pk>/"

urlpatterns = [
    path(f"{STUDY}members/", member_views.MembersPage.as_view(), name="study-members"),
    path(
        f"{STUDY}members/change/",
        member_views.MemberChangePage.as_view(),
        name="study-member-change",
    ),
    path(f"{STUDY}letters/", letter_views.LettersPage.as_view(), name="study-letters"),
    path(f"{STUDY}versions/", version_views.VersionsPage.as_view(), name="study-versions"),
    path(f"{STUDY}clone/", version_views.ClonePage.as_view(), name="study-clone"),
    path(f"{STUDY}archive/", version_views.ArchivePage.as_view(), name="study-archive"),
    path(f"{STUDY}deviations/", version_views.DeviationsPage.as_view(), name="study-deviations"),
]
