"""Every template, from the draft to the export, read by simulated readers through HTTP."""

from __future__ import annotations

import pytest

from readerstudy.rehearsal import discarding, running, starting
from readerstudy.studies.models import Study
from readerstudy.studies.templates.registry import TEMPLATES
from tests.rehearsal.studies import draft_of

pytestmark = pytest.mark.django_db(transaction=True)


def quietly(*_: object) -> None:
    """Tell nobody."""


@pytest.mark.slow
@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_is_read_to_the_end_and_the_export_holds_what_was_sent(key, live_server):
    study = draft_of(key)
    rehearsal = starting.note_rehearsal(
        study=study, readers=2, seed=key, actor=study.created_by, images=True
    )
    done = running.run(rehearsal=rehearsal, url=live_server.url, progress=quietly)
    result = done.rehearsal.result
    told = result["verification"]
    assert list(told["examples"]) == []
    assert told["is_whole"]
    assert told["values"] > 0
    assert result["drawn_truth"] == []
    assert done.data.study.state == Study.State.UNBLINDED
    planned = sum(reader["readings"] for reader in result["readers"])
    assert planned == told["acknowledged"] == len(done.data.reads)
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT
    primary = [row for row in result["endpoints"] if row["primary"]]
    assert primary
    assert all(row["estimate"] is not None or row["reason"] for row in primary)
    discarding.discard(rehearsal=rehearsal, actor=study.created_by, reason="Done")
    assert list(Study.objects.all()) == [study]
