"""Rules that keep the code findable and the blind whole; import-linter checks the layers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
PYTHON = [ROOT / name for name in TRACKED if name.endswith(".py")]
OURS = [path for path in PYTHON if not {"migrations", "tests"} & set(path.parts)]


def run(code: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, cwd=ROOT, check=False)


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_signposts_point_to_files_that_exist(page):
    text = (ROOT / page).read_text()
    named = re.findall(r"\| `([\w/.]+\.(?:py|ts))`|, `([\w/.]+\.(?:py|ts))`", text)
    paths = [first or second for first, second in named]
    assert len(paths) >= 9
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_links_in_the_documents_lead_somewhere():
    for name in (n for n in TRACKED if n.endswith(".md")):
        page = ROOT / name
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{name} links to {target}"


def test_packages_stay_empty_so_that_parts_load_alone():
    full = [
        path.relative_to(ROOT).as_posix()
        for path in OURS
        if path.name == "__init__.py" and path.read_text().strip()
    ]
    allowed = {
        "readerstudy/stats/__init__.py",
        "readerstudy/stats/published/__init__.py",
        "synthesis/networks/__init__.py",
        "synthesis/metrics/__init__.py",
    }
    assert set(full) <= allowed


def test_no_file_is_longer_than_600_lines():
    """A script that is handed out as one file is one file here."""
    long = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in OURS}
    long.pop("readerstudy/analysis/writing/scripts/analysis.py", None)
    assert {name: n for name, n in long.items() if n > 600} == {}


def test_randomness_is_never_drawn_by_the_database():
    found = [p for p in OURS if re.search(r"order_by\(\s*[\"']\?", p.read_text())]
    assert found == []


def test_truth_is_reached_by_no_back_door():
    """Raw SQL and models by name would get past the import rules."""
    allowed = {"readerstudy/truth", "readerstudy/analysis", "readerstudy/core/audit.py"}
    for path in OURS:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("readerstudy/") and not any(name.startswith(a) for a in allowed):
            text = path.read_text()
            assert "get_model(" not in text, name
            assert ".raw(" not in text, name
            assert "truth_origin" not in text, name


def test_relations_from_truth_cannot_be_followed_backwards():
    tree = ast.parse((ROOT / "readerstudy/truth/models.py").read_text())
    relations = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"ForeignKey", "OneToOneField", "ManyToManyField"}
    ]
    assert relations
    for call in relations:
        names = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
        assert names.get("related_name") == "+"


def test_statistics_load_without_django_or_torch():
    code = (
        "import sys; from readerstudy import stats; stats.cohen_kappa([1, 2, 1], [1, 2, 2]); "
        "bad = {'django', 'torch', 'celery', 'pandas'} & set(sys.modules); print(bad); "
        "sys.exit(bool(bad))"
    )
    assert run(code).returncode == 0


def test_a_web_process_has_no_torch_in_memory():
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'readerstudy.settings.test'; "
        "import django; django.setup(); from django.urls import get_resolver; "
        "list(get_resolver().url_patterns); import readerstudy.wsgi; "
        "sys.exit('torch' in sys.modules)"
    )
    assert run(code).returncode == 0


def test_nothing_that_is_shown_or_weighs_much_is_committed():
    endings = (".nii", ".nii.gz", ".dcm", ".pt", ".pth", ".pkl", ".safetensors")
    assert [name for name in TRACKED if name.endswith(endings)] == []


def test_lock_files_name_no_index():
    for name in ("requirements/base.lock", "requirements/dev.lock"):
        assert "://" not in (ROOT / name).read_text()
    assert '"resolved"' not in (ROOT / "static/package-lock.json").read_text()
