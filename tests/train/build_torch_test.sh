#!/usr/bin/env bash
# tools/build-torch builds libaxmul_torch.so for a Python's torch, and the operators' tests pass on it:
# build_torch_test.sh SOURCE_DIR PYTHON COMPILER AXMUL
set -euo pipefail
source=$1 python=$2 compiler=$3 axmul=$4
"$python" -c 'import torch, numpy' 2>/dev/null || { echo "skipped: $python has no PyTorch"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*"; exit 1; }

library=$(CXX=$compiler "$source/tools/build-torch" "$python" --into "$scratch/build")
[ "$library" = "$scratch/build/lib/libaxmul_torch.so" ] || fail "it printed: $library"
# Of find_package() calls OpenMP and git alone.
if grep -iE '^(HDF5|Boost|fmt|Eigen3|nlohmann_json|CLI11|Torch|OPENSSL)_[A-Z]*DIR' "$scratch/build/CMakeCache.txt"; then
  fail "it looked for packages it does without"
fi
AXMUL_PROGRAM=$axmul AXMUL_TORCH_LIBRARY=$library PYTHONPATH=$source/tools OMP_WAIT_POLICY=passive \
  "$python" -B "$source/tests/train/operators_test.py" "$source/luts/axmul-library.h5"

"$source/tools/build-torch" "$scratch/no-python" 2>"$scratch/err" && fail "a Python that is not there"
grep -q "there is no program $scratch/no-python" "$scratch/err" || fail "$(cat "$scratch/err")"
printf '#!/bin/sh\nexec "%s" -S "$@"\n' "$python" >"$scratch/bare-python"  # without site-packages
chmod +x "$scratch/bare-python"
"$source/tools/build-torch" "$scratch/bare-python" 2>"$scratch/err" && fail "a Python without PyTorch"
grep -q "has no PyTorch" "$scratch/err" || fail "$(cat "$scratch/err")"
