"""All addresses. Readers have /, /read/, /i/ and /api/read/; the staff have /staff/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
