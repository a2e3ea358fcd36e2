"""DICOMweb servers come from the environment, checked, and their secrets are not shown."""

from __future__ import annotations

import pytest

from readerstudy.intake.dicomweb_servers import Server, ServerError, servers_from

URL = "https://pacs.example.org/dicom-web/"


def named(**values: str) -> dict[str, str]:
    return {f"READERSTUDY_DICOMWEB_PACS_{name}": value for name, value in values.items()}


def test_servers_are_named_by_their_variable(tmp_path):
    (tmp_path / "password").write_text("secret\n")
    environment = {
        **named(URL=URL, TOKEN="abc"),
        "READERSTUDY_DICOMWEB_OLD_ARCHIVE_URL": "http://localhost:8042/dicom-web",
        "READERSTUDY_DICOMWEB_OLD_ARCHIVE_USER": "reader",
        "READERSTUDY_DICOMWEB_OLD_ARCHIVE_PASSWORD_FILE": str(tmp_path / "password"),
        "READERSTUDY_VAR": "/var/lib/readerstudy",
    }
    found = servers_from(environment)
    assert found == {
        "pacs": Server("pacs", "https://pacs.example.org/dicom-web", token="abc"),
        "old-archive": Server(
            "old-archive", "http://localhost:8042/dicom-web", user="reader", password="secret"
        ),
    }
    assert found["pacs"].host == "pacs.example.org"
    assert "abc" not in repr(found)
    assert "secret" not in repr(found)
    assert servers_from({}) == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"URL": "ftp://a/b"}, "begin with https"),
        ({"URL": "https://"}, "begin with https"),
        ({"URL": "file:///etc/passwd"}, "begin with https"),
        ({"URL": "https://user:word@a/b"}, "more than an address"),
        ({"URL": "https://a/b?x=1"}, "more than an address"),
        ({"URL": "http://pacs.example.org/dicom-web"}, "not encrypted"),
        ({"URL": URL, "TOKEN": "a", "USER": "b", "PASSWORD": "c"}, "not both"),
        ({"URL": URL, "USER": "b"}, "belong together"),
        ({"URL": URL, "CA_FILE": "/no/such/file"}, "names no file"),
    ],
)
def test_unsafe_or_incomplete_settings_stop_the_start(values, said):
    with pytest.raises(ServerError, match=said):
        servers_from(named(**values))


def test_a_trusted_network_can_be_declared():
    values = named(URL="http://pacs.example.org/dicom-web", ALLOW_HTTP="yes")
    assert servers_from(values)["pacs"].url.startswith("http://")
