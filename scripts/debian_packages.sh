#!/usr/bin/env bash
# Install the Debian packages that the tests need, only when one is missing and only if we may.
set -euo pipefail
# The three libraries draw the PDF of a report (WeasyPrint).
wanted=(chromium fonts-liberation libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
echo "Debian packages needed by the tests: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "Install them first:  sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
# Orthanc (45 MB) starts a service where it is installed, so only continuous integration takes it;
# elsewhere, and where it cannot be had, its tests are skipped and say so: the small server of the
# tests stands in.
if [ -n "${CI:-}" ]; then
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    orthanc orthanc-dicomweb || echo "Orthanc cannot be installed; its tests will be skipped."
  # The tests start a server of their own, in a temporary folder, and throw it away.
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    postgresql || echo "PostgreSQL cannot be installed; its tests will be skipped."
fi
