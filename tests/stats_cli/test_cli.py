"""The command line as a whole: help, exit codes, outputs, and what it loads."""

from __future__ import annotations

import csv
import io
import subprocess
import sys

import pytest

from readerstudy import cli
from tests.stats_cli.conftest import read_rows

SCORES = "case,truth,score\n1,0,1\n2,1,2\n3,0,3\n4,1,4\n5,1,5\n6,0,2\n"
ALONE = """
import sys
from readerstudy.cli import main
code = main(["stats", "turing", sys.argv[1]])
loaded = {name.split(".")[0] for name in sys.modules}
print(code, *sorted(loaded & {"django", "torch", "celery", "pandas", "synthesis", "statsmodels"}))
"""


def run(*arguments, **more):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **more)


@pytest.mark.parametrize("module", cli.COMMANDS, ids=lambda module: module.NAME)
def test_every_command_explains_itself(stats, module):
    found = stats(module.NAME, "--help")
    assert found.code == 0
    assert "usage: readerstudy stats" in found.out
    assert "--json FILE" in found.out


def test_commands_are_listed(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["stats", "--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert all(module.NAME in told for module in cli.COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("roc",),
        ("dance", "x.csv"),
        ("roc", "x.csv", "--ci", "magic"),
        ("roc", "x.csv", "--wat"),
    ],
)
def test_wrong_use_ends_with_one_and_tells_the_usage(stats, arguments):
    found = stats(*arguments)
    assert found.code == 1
    assert "usage:" in found.err


def test_all_three_outputs_at_once(stats, text_file, tmp_path):
    js, table = tmp_path / "out.json", tmp_path / "out.csv"
    found = stats("roc", text_file(SCORES), "--json", js, "--csv", table)
    assert found.code == 0
    assert "Area under the ROC curve" in found.out
    assert '"command": "roc"' in js.read_text()
    rows = read_rows(table)
    # 7.5 of 9 pairs in order: 2 against 1, 3, 2; 4 and 5 against all three
    assert float(rows[0]["auc"]) == pytest.approx(7.5 / 9)


def test_csv_on_the_screen_stands_alone(stats, text_file):
    found = stats("roc", text_file(SCORES), "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert [row["table"] for row in rows] == ["auc"]


def test_the_screen_is_not_shared(stats, text_file):
    found = stats("roc", text_file(SCORES), "--csv", "-", "--json", "-")
    assert found.code == 1
    assert "cannot share the screen" in found.err


def test_a_folder_that_is_not_there_is_told(stats, text_file, tmp_path):
    found = stats("roc", text_file(SCORES), "--json", tmp_path / "no" / "out.json")
    assert found.code == 1
    assert "cannot be written: No such file or directory" in found.err


def test_the_json_says_what_it_rests_on(stats, text_file):
    told = stats("roc", text_file(SCORES), "--json", "-").document()
    assert told["input"]["rows_used"] == 6
    assert len(told["input"]["sha256"]) == 64
    assert told["options"]["ci"] == "delong"
    assert told["software"].startswith("readerstudy")


def test_it_runs_alone_without_the_web_or_torch(tmp_path):
    path = tmp_path / "reads.csv"
    path.write_text("case,reader,truth,answer\n1,R1,0,0\n2,R1,1,1\n3,R1,1,0\n4,R1,0,0\n")
    done = run(sys.executable, "-c", ALONE, path)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_it_runs_as_a_module_and_its_code_reaches_the_shell(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(SCORES)
    command = (sys.executable, "-m", "readerstudy.cli", "stats", "roc")
    assert run(*command, path).returncode == 0
    assert run(*command, tmp_path / "absent.csv").returncode == 1
    path.write_text("case,truth,score\n1,0,1\n2,0,2\n")
    assert run(*command, path).returncode == 2


def test_a_screen_without_the_characters_gets_plain_ones(tmp_path):
    path = tmp_path / "reads.csv"
    path.write_text("case,reader,truth,answer\n1,R1,0,1\n2,R1,1,0\n3,R1,1,0\n4,R1,0,0\n")
    command = (sys.executable, "-m", "readerstudy.cli", "stats", "turing", path)
    done = run(*command, env={"PYTHONIOENCODING": "ascii"}, cwd=cli.Path(cli.__file__).parents[1])
    assert done.returncode == 0
    assert "d'" in done.stdout
    assert "-0." in done.stdout


def test_a_reader_who_stops_reading_is_no_error(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(SCORES)
    command = f'"{sys.executable}" -m readerstudy.cli stats published --show all | head -n 1'
    done = run("bash", "-c", command)
    assert done.stdout.startswith("Published figures")
    assert done.stderr == ""
