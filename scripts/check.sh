#!/usr/bin/env bash
# Format, lint, types, import rules, migrations. Fails at the first that is not right.
set -euo pipefail
bin=.venv/bin
$bin/ruff format --check .
$bin/ruff check .
$bin/mypy readerstudy/stats readerstudy/cli.py readerstudy/allocation_cli.py readerstudy/stats_cli \
  readerstudy/prepare_cli readerstudy/imaging readerstudy/reading/allocation.py \
  readerstudy/studies/answers.py readerstudy/sentinel/separation.py readerstudy/sentinel/cues.py \
  readerstudy/analysis/facts.py readerstudy/analysis/document.py readerstudy/analysis/carrying_out.py \
  readerstudy/analysis/presentation.py readerstudy/analysis/endpoints readerstudy/analysis/writing \
  readerstudy/analysis/exports readerstudy/analysis/importing readerstudy/studies/analysis_fit.py \
  readerstudy/studies/analysis_plan.py readerstudy/rehearsal/virtual_readers.py readerstudy/readers/display_check_targets.py \
  synthesis/networks synthesis/training synthesis/data \
  synthesis/metrics synthesis/phantom synthesis/generate.py synthesis/manifest.py
PYTHONPATH=. $bin/lint-imports --no-cache
$bin/python manage.py makemigrations --check --dry-run
