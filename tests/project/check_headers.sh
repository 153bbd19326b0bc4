#!/usr/bin/env bash
# Compiles every public header alone: check_headers.sh COMPILER SOURCE_DIR [TORCH_INCLUDE_DIR…].
# Those of the training module need libtorch's folders; without them they are left out.
set -uo pipefail
compiler=$1 root=$2
shift 2
flags=(-std=c++20 -Wall -Wextra -Werror -fsyntax-only -x c++)
leave_out=()
if (($# == 0)); then
  leave_out=(-not -path '*/train/*')
fi
for folder in "$@"; do
  [[ $folder == /usr/include ]] || flags+=(-isystem "$folder")  # there anyway, and in its own place
done
check() {
  local header=$1
  shift
  echo "#include \"${header#"$root"/include/}\"" | "$@" -I"$root/include" - ||
    { echo "does not compile alone: $header"; return 1; }
}
export -f check
export root
# libtorch's headers take seconds each: as many at a time as there are processors.
find "$root/include/axmul" -name '*.hpp' "${leave_out[@]}" -print0 | sort -z |
  xargs -0 -P "$(nproc)" -I{} bash -c 'check "$@"' check {} "$compiler" "${flags[@]}"
