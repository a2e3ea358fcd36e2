"""The same walk against a running server, over a socket."""

from __future__ import annotations

import pytest

from readerstudy.core.errors import ReaderStudyError
from readerstudy.sentinel.browser import Live
from tests.sentinel import planted


@pytest.mark.django_db(transaction=True)
def test_a_walk_over_the_network_finds_what_one_in_process_finds(live_server):
    made = planted.prepared(3, 3)
    near, far = planted.walked(made), planted.walked(made, server=live_server.url)
    assert (far.n_cases, far.words, far.verdict) == (near.n_cases, [], near.verdict)
    told = [(row["family"], row["what"]) for row in near.results]
    assert told == [(row["family"], row["what"]) for row in far.results]


def test_a_wrong_address_is_refused_in_words():
    with pytest.raises(ReaderStudyError, match="Give the address"):
        Live("reader.example.org")


def test_a_silent_server_is_said_to_be_silent():
    with pytest.raises(ReaderStudyError, match="does not answer"):
        Live("http://127.0.0.1:9").send("GET", "/", {}, b"")
