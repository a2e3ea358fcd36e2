#!/usr/bin/env bash
# Install PyTorch, which stands outside the hashed lock because its CPU and CUDA builds differ.
# See docs/how-to/choose-a-torch-build.md.
set -euo pipefail
version=2.13.0
pip=.venv/bin/pip

if .venv/bin/python -c "import torch; raise SystemExit(not torch.__version__.startswith('$version'))" 2>/dev/null; then
  exit 0
fi
if [ -n "${TORCH_WHEEL:-}" ]; then
  exec $pip install --quiet "$TORCH_WHEEL"
fi
options=(${TORCH_INDEX:+--index-url "$TORCH_INDEX"})
if [ "${TORCH_CUDA:-}" != 1 ] && ! command -v nvidia-smi >/dev/null; then
  # Ask first what would come: some indexes give x86-64 Linux a build with gigabytes of CUDA.
  plan=$($pip install --dry-run --quiet --report - "${options[@]}" "torch==$version" 2>/dev/null)
  if grep -qE '"name": "(nvidia-|cuda-)' <<<"$plan"; then
    cat >&2 <<EOT
The package index offers only a CUDA build of torch $version here, and this machine has no GPU.
Set TORCH_INDEX to an index with CPU builds or TORCH_WHEEL to a CPU wheel, or TORCH_CUDA=1 to
install the CUDA build all the same. See docs/how-to/choose-a-torch-build.md.
EOT
    exit 1
  fi
fi
exec $pip install --quiet "${options[@]}" "torch==$version"
