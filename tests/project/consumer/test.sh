#!/usr/bin/env bash
# Installs BUILD_DIR to a scratch prefix, below a DESTDIR too, and uses it by find_package and by pkg-config:
# test.sh BUILD_DIR SOURCE_DIR COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
touch "$scratch/before"
cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/log" || { cat "$scratch/log"; exit 1; }
DESTDIR=$scratch/dest cmake --install "$build" --prefix /opt/axmul >"$scratch/log" || { cat "$scratch/log"; exit 1; }
# CMake's own list of what it installed is all that the build tree gains.
written=$(find "$build" -newer "$scratch/before" -type f ! -name 'install_manifest*.txt' ! -path '*/Testing/*')
[ -z "$written" ] || { echo "the installation wrote into the build tree: $written"; exit 1; }
diff <(cd "$scratch/dest/opt/axmul" && find . -type f | sort) <(cd "$scratch/prefix" && find . -type f | sort) ||
  { echo "DESTDIR and --prefix install different files"; exit 1; }
[ "$(ls "$scratch/dest")" = opt ] || { echo "files outside of DESTDIR's prefix"; exit 1; }
for file in axmul-library.h5 state_dict_to_h5.py; do
  [ -f "$scratch/prefix/share/axmul/$file" ] || { echo "share/axmul/$file is not installed"; exit 1; }
done
find "$scratch/prefix" -type f -exec sh -c 'readelf -d "$1" 2>/dev/null | grep -E "R(UN)?PATH"' sh {} \; |
  grep -v '\[\$ORIGIN[^]:]*\]' && { echo "a RUNPATH is not relative"; exit 1; }
mv "$scratch/prefix" "$scratch/moved"  # an installation can be moved
prefix=$scratch/moved
"$prefix/bin/axmul" --version >/dev/null
expected="-15 $(/usr/bin/python3 -c 'import hashlib, struct
values = range(-128, 128)
table = b"".join(struct.pack("<i", a * b) for a in values for b in values)
print(hashlib.sha256(b"s8s8" + table).hexdigest())')"

cmake -S "$source/tests/project/consumer" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
cmake --build "$scratch/cmake" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
[ "$("$scratch/cmake/consumer")" = "$expected" ] || { echo "find_package consumer: wrong output"; exit 1; }

pc=$(dirname "$(find "$prefix" -name axmul.pc)")
# shellcheck disable=SC2046
PKG_CONFIG_PATH=$pc "$compiler" "$source/tests/project/consumer/main.cpp" -o "$scratch/consumer" \
  $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs axmul) -Wl,-rpath,"$(dirname "$pc")"
[ "$("$scratch/consumer")" = "$expected" ] || { echo "pkg-config consumer: wrong output"; exit 1; }
