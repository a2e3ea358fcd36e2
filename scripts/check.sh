#!/usr/bin/env bash
# Format, lint, types, import rules, migrations. Fails at the first that is not right.
set -euo pipefail
bin=.venv/bin
$bin/ruff format --check .
$bin/ruff check .
$bin/mypy readerstudy/stats readerstudy/cli.py readerstudy/stats_cli readerstudy/imaging \
  readerstudy/reading/allocation.py synthesis/networks synthesis/training synthesis/data \
  synthesis/metrics synthesis/phantom synthesis/generate.py synthesis/manifest.py
PYTHONPATH=. $bin/lint-imports --no-cache
$bin/python manage.py makemigrations --check --dry-run
