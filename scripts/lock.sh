#!/usr/bin/env bash
# Resolve requirements/*.in into lock files with hashes. PyTorch stays outside.
set -euo pipefail
compile=(.venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url
  --no-header --no-annotate --override requirements/outside.txt)
"${compile[@]}" requirements/base.in -o requirements/base.lock
"${compile[@]}" requirements/dev.in -c requirements/base.lock -o requirements/dev.lock
