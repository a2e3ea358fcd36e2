"""All addresses. Readers have /, /read/, /i/ and /api/read/; the staff have /staff/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("readerstudy.readers.urls")),
    path("", include("readerstudy.reading.urls")),
    path("", include("readerstudy.reading.run_urls")),
    path("", include("readerstudy.studies.urls")),
    path("", include("readerstudy.studies.life_urls")),
    path("", include("readerstudy.truth.urls")),
    path("", include("readerstudy.intake.urls")),
    path("", include("readerstudy.adjudication.urls")),
    path("", include("readerstudy.analysis.urls")),
    path("", include("readerstudy.analysis.reads_urls")),
    path("", include("readerstudy.analysis.ratings.urls")),
    path("", include("readerstudy.analysis.other_urls")),
    path("", include("readerstudy.analysis.api_urls")),
    path("", include("readerstudy.rehearsal.urls")),
    path("", include("readerstudy.sentinel.urls")),
    path("", include("readerstudy.cases.urls")),
    path("", include("readerstudy.core.urls")),
    path("", include("synthesis.urls")),
]
handler400 = "readerstudy.core.views.bad_request"
handler404 = "readerstudy.core.views.page_not_found"
handler500 = "readerstudy.core.views.server_error"
