"""Addresses of members, versions and phases of a study."""

from django.urls import path

from readerstudy.studies import member_views

STUDY = "staff/studies/<uuid:pk>/"

urlpatterns = [
    path(f"{STUDY}members/", member_views.MembersPage.as_view(), name="study-members"),
    path(
        f"{STUDY}members/change/",
        member_views.MemberChangePage.as_view(),
        name="study-member-change",
    ),
]
