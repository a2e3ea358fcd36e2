"""Search and retrieval against real servers: Orthanc where it is installed, and one with faults."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pydicom
import pytest

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake.dicomweb import Client, SeriesEntry, Terms
from readerstudy.intake.dicomweb_http import DicomwebError, Patience, TryAgain
from readerstudy.intake.dicomweb_servers import Server
from tests.intake import dicomweb_running as running
from tests.intake.dicomweb_running import OTHER, STUDY_A, STUDY_B, T1, T2, set_fault

HASTY = Patience(silence=1.0, answer=2.0, tries=2, pause=0.01)
SMALL, ORTHANC = "small", "orthanc"


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return running.archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def small(archive):
    with running.small_server(archive, token=running.TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def orthanc(archive, tmp_path_factory):
    if not running.ORTHANC or not running.PLUGIN.exists():
        pytest.skip("Orthanc with its DICOMweb plugin is not installed")
    with running.orthanc(tmp_path_factory.mktemp("orthanc"), archive) as server:
        yield server


@pytest.fixture(autouse=True)
def _limits(settings, tmp_path):
    settings.WORK_ROOT = tmp_path
    settings.INTAKE_MAX_FILE_BYTES = 2**20
    settings.INTAKE_MAX_TOTAL_BYTES = 2**22
    settings.INTAKE_FREE_BYTES = 0


@pytest.fixture(params=[SMALL, ORTHANC])
def server(request) -> Server:
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(server):
    with Client(server) as client:
        yield client


@pytest.fixture
def faulty(small):
    with Client(small, HASTY) as client:
        yield client
    set_fault(small, "", 0)


def entry(uid: str = T1, study: str = STUDY_A) -> SeriesEntry:
    return SeriesEntry(uid, study, "", None, "MR", "", None)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        (Terms(patient_id="SEC^RET-17"), [STUDY_A]),
        (Terms(accession="ACC 2"), [STUDY_B]),
        (Terms(description="Brain"), [STUDY_B]),
        (Terms(description="MR*"), [STUDY_B, STUDY_A]),
        (Terms(description="Schädel, K"), [STUDY_A]),
        (Terms(patient_id="SEC^RET-18"), []),
        (Terms(patient_id="SEC?RET*"), [STUDY_A]),
        (Terms(date_from="2024-01-31", date_to="2024-01-31"), [STUDY_A]),
        (Terms(date_from="2024-02-01"), [STUDY_B]),
        (Terms(date_to="2024-12-31"), [STUDY_A]),
        (Terms(date_from="2020-01-01", date_to="2030-01-01"), [STUDY_B, STUDY_A]),
        (Terms(patient_id="nobody"), []),
        (Terms(patient_id="SEC^RET-17", accession="ACC 2"), []),
    ],
)
def test_exams_are_found_by_each_term(client, terms, found):
    assert [one.uid for one in client.search_studies(terms)] == found


def test_an_exam_is_described(client):
    (exam,) = client.search_studies(Terms(accession="ACC 1"))
    assert (exam.patient_id, exam.date, exam.accession) == ("SEC^RET-17", "2024-01-31", "ACC 1")
    assert (exam.description, exam.modalities) == ("MR Schädel, Kontrolle", ("MR",))
    assert exam.series == 3


def test_the_series_of_an_exam_are_listed_by_number(client):
    listed = client.search_series(STUDY_A)
    assert [(one.number, one.description) for one in listed] == [
        (1, "Ax T1 FSE"),
        (2, "Ax T2 TSE"),
        (3, "Ax FLAIR"),
    ]
    assert {one.study_uid for one in listed} == {STUDY_A}
    assert {one.instances for one in listed} <= {5, None}


@pytest.mark.parametrize("uid", [T1, T2], ids=["uncompressed", "compressed"])
def test_a_series_comes_byte_for_byte_in_its_stored_form(client, archive, tmp_path, uid):
    told = []
    paths = client.retrieve(entry(uid), tmp_path / "in", progress=lambda *n: told.append(n))
    sent = {pydicom.dcmread(p).SOPInstanceUID: p for p in (archive / uid).iterdir()}
    assert len(paths) == len(sent) == 5
    assert told == [(n, 5) for n in range(1, 6)]
    for path in paths:
        came, original = pydicom.dcmread(path), pydicom.dcmread(sent[path.stem])
        assert came.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
        assert came.PixelData == original.PixelData
        assert (came.pixel_array == original.pixel_array).all()
        assert came == original


def test_an_unknown_series_is_told(client, tmp_path):
    with pytest.raises(DicomwebError, match=r"no instances|404"):
        client.retrieve(entry("1.2.3"), tmp_path / "in")
    assert client.search_series("1.2.3") == []


def test_wrong_credentials_are_told(server):
    wrong = Server(server.name, server.url, user="importer", password="wrong")
    with Client(wrong) as client, pytest.raises(DicomwebError, match=r"credentials .*401"):
        client.search_studies(Terms(patient_id="x"))


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(), "at least one term"),
        (Terms(patient_id="   "), "at least one term"),
        (Terms(patient_id="*"), "wildcard alone"),
        (Terms(description="??*"), "wildcard alone"),
        (Terms(patient_id="x" * 70), "at most 64"),
        (Terms(patient_id="a\\b"), "no backslash"),
        (Terms(patient_id="a\r\nHost: b"), "no backslash"),
        (Terms(date_from="1.2.2024"), "year-month-day"),
        (Terms(date_from="2024-02-01", date_to="2024-01-01"), "lies after"),
    ],
)
def test_terms_that_cannot_be_used_are_refused_before_asking(small, terms, said):
    before = running.asked(small)
    with Client(small) as client, pytest.raises(ReaderStudyError, match=said):
        client.search_studies(terms)
    assert running.asked(small) == before


@pytest.mark.parametrize("uid", ["", "1.2/../x", "1.2?x=1", "a", "1..2", "1" * 65])
def test_only_uids_reach_an_address(small, tmp_path, uid):
    before = running.asked(small)
    with Client(small) as client:
        for call in (lambda: client.search_series(uid), lambda: client.instances(STUDY_A, uid)):
            with pytest.raises(ReaderStudyError, match="digits and points"):
                call()
    assert running.asked(small) == before


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("403", "does not allow this account"),
        ("404", "no such images or no DICOMweb service"),
        ("406", "stored form"),
        ("500", "status 500"),
        ("html", "text/html where DICOM JSON"),
        ("damaged", "damaged JSON"),
        ("object", "no list of DICOM JSON"),
        ("away", "redirects to another server"),
        ("other port", "redirects to another server"),
        ("file", "redirects to another server"),
        ("endless", "found too much"),
    ],
)
def test_what_a_server_gets_wrong_is_told_and_not_asked_again(faulty, small, fault, said):
    set_fault(small, fault, times=2)
    before = len(running.asked(small))
    with pytest.raises(DicomwebError, match=said) as refused:
        faulty.search_studies(Terms(patient_id="SEC^RET-17"))
    assert not isinstance(refused.value, TryAgain)
    assert "SEC" not in str(refused.value)
    assert len(running.asked(small)) == before + 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("503", "busy"),
        ("slow", "does not answer in time"),
        ("drip", "too slowly"),
        ("close", "ended early"),
    ],
)
def test_what_may_pass_is_asked_again_and_then_given_up(faulty, small, fault, said):
    set_fault(small, fault, times=1)
    assert len(faulty.search_studies(Terms(patient_id="SEC^RET-17"))) == 1
    set_fault(small, fault, times=9)
    with pytest.raises(TryAgain, match=said):
        faulty.search_studies(Terms(patient_id="SEC^RET-17"))


def test_redirects_on_the_same_server_are_followed_but_not_in_circles(faulty, small):
    set_fault(small, "moved", times=1)
    assert len(faulty.search_studies(Terms(patient_id="SEC^RET-17"))) == 1
    set_fault(small, "circle", times=1)
    with pytest.raises(DicomwebError, match="in a circle"):
        faulty.search_studies(Terms(patient_id="SEC^RET-17"))


def retrieve_wrong(client, small, tmp_path, fault: str, times: int) -> None:
    """Retrieve with faults that begin after the list of instances."""
    uids = client.instances(STUDY_A, T1)
    client.instances = lambda *_: uids
    set_fault(small, fault, times=times)
    client.retrieve(entry(), tmp_path / "in")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("jpeg", "image/jpeg in place of"),
        ("two", "several files"),
        ("empty", "is empty"),
        ("no dicom", "no DICOM file"),
        ("html", "text/html where application/dicom"),
        ("404", "no such images"),
    ],
)
def test_a_wrong_instance_is_told_and_leaves_no_file(faulty, small, tmp_path, fault, said):
    with pytest.raises(DicomwebError, match=said):
        retrieve_wrong(faulty, small, tmp_path, fault, 9)
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("fault", ["cut", "ends", "503", "close"])
def test_a_broken_transfer_is_repeated_and_leaves_no_half_file(faulty, small, tmp_path, fault):
    with pytest.raises(TryAgain):
        retrieve_wrong(faulty, small, tmp_path, fault, 9)
    assert list((tmp_path / "in").iterdir()) == []
    retrieve_wrong(faulty, small, tmp_path, fault, 1)
    assert len(list((tmp_path / "in").glob("*.dcm"))) == 5


def test_an_instance_without_multipart_is_taken_too(faulty, small, archive, tmp_path):
    retrieve_wrong(faulty, small, tmp_path, "bare", 5)
    digests = [
        {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        for folder in (archive / T1, tmp_path / "in")
    ]
    assert digests[0] == digests[1]


def test_a_retrieval_goes_on_where_it_stopped(faulty, small, tmp_path):
    paths = faulty.retrieve(entry(), tmp_path / "in")
    for path in paths[3:]:
        path.unlink()
    kept = {path.name: path.stat().st_mtime_ns for path in paths[:3]}
    before = len(running.asked(small))
    faulty.retrieve(entry(), tmp_path / "in")
    fetched = [path for path in running.asked(small)[before:] if "/instances/" in path]
    assert len(fetched) == 2
    assert {p.name: p.stat().st_mtime_ns for p in paths[:3]} == kept


def test_too_large_an_instance_and_too_large_a_series_are_refused(
    faulty, tmp_path, settings, archive
):
    one = next((archive / T1).iterdir()).stat().st_size
    settings.INTAKE_MAX_FILE_BYTES = one - 100
    with pytest.raises(DicomwebError, match="more than"):
        faulty.retrieve(entry(), tmp_path / "in")
    settings.INTAKE_MAX_FILE_BYTES = 2**20
    settings.INTAKE_MAX_TOTAL_BYTES = 3 * one
    with pytest.raises(ReaderStudyError, match="larger than an import may be"):
        faulty.retrieve(entry(), tmp_path / "in")


def test_a_server_that_is_away_is_told():
    with running.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = Server("away", f"http://127.0.0.1:{taken.getsockname()[1]}/dicom-web")
        with Client(away, HASTY) as client, pytest.raises(TryAgain, match="cannot be reached"):
            client.search_studies(Terms(patient_id="x"))


def test_an_unencrypted_answer_to_https_is_told(small):
    https = Server("tls", small.url.replace("http://", "https://"))
    with Client(https, HASTY) as client, pytest.raises(DicomwebError):
        client.search_studies(Terms(patient_id="x"))


def test_many_instances_are_listed_page_by_page(faulty, monkeypatch):
    monkeypatch.setattr("readerstudy.intake.dicomweb.PAGE", 2)
    assert len(faulty.instances(STUDY_A, T1)) == 5
    assert len(faulty.instances(STUDY_B, OTHER)) == 5
    monkeypatch.setattr("readerstudy.intake.dicomweb.MAX_INSTANCES", 4)
    with pytest.raises(DicomwebError, match="more than 4"):
        faulty.instances(STUDY_A, T1)
