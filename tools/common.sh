# Shared by tools/run and tools/test: installs what is missing, configures and builds.
# Sourced with the repository root as the working directory.

# install_packages KIND…: the packages of those kinds in tools/packages.txt that are not there yet.
install_packages() {
  local wanted=() missing=() kind package
  for kind in "$@"; do
    read -r -a packages < <(sed -n "s/^$kind //p" tools/packages.txt)
    wanted+=("${packages[@]}")
  done
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null; then
    echo "axmul: this is not Debian; install the counterparts of: ${missing[*]}" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}" >&2
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq >&2
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >&2
}

# build_tree DIR TARGET… -- CMAKE_OPTION…: configures DIR with Ninja and builds the targets.
build_tree() {
  local dir=$1 targets=() ; shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do targets+=("$1"); shift; done
  shift
  local log
  log=$(mktemp)
  if ! cmake -S . -B "$dir" -G Ninja "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  cmake --build "$dir" --target "${targets[@]}" >&2
}
