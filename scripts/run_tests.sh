#!/usr/bin/env bash
# Everything that must hold before a change lands.
set -euo pipefail
scripts/check.sh
(cd static && npm run check && npm test)
.venv/bin/python -m pytest -q -n 2 --dist loadgroup -m "not browser"
.venv/bin/python -m pytest -q --doctest-glob='*.md' --doctest-modules README.md docs readerstudy/stats
.venv/bin/python -m pytest -q -m browser -p no:randomly
