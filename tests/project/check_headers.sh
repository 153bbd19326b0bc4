#!/usr/bin/env bash
# Compiles every public header alone: check_headers.sh COMPILER SOURCE_DIR.
set -uo pipefail
compiler=$1 root=$2 failed=0
while read -r header; do
  echo "#include \"${header#"$root"/include/}\"" |
    "$compiler" -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$root/include" -x c++ - ||
    { echo "does not compile alone: $header"; failed=1; }
done < <(find "$root/include/axmul" -name '*.hpp' -not -path '*/train/*' | sort)
exit $failed
