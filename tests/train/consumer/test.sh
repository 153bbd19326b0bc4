#!/usr/bin/env bash
# Installs BUILD_DIR to a scratch prefix and uses axmul::train from there:
# test.sh BUILD_DIR SOURCE_DIR COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
quietly() { "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }
quietly cmake --install "$build" --prefix "$scratch/prefix"
mv "$scratch/prefix" "$scratch/moved"  # an installation can be moved
"$scratch/moved/bin/axmul-train" --help >/dev/null
quietly cmake -S "$source/tests/train/consumer" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$scratch/moved" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release
quietly cmake --build "$scratch/cmake"
[ "$("$scratch/cmake/consumer")" = 1.00 ] || { echo "consumer of axmul::train: wrong output"; exit 1; }
