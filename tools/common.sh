# Shared by tools/run and tools/test: installs what is missing, configures and builds.
# Sourced with the repository root as the working directory.

# is_installed PACKAGE
is_installed() {
  dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

# as_root COMMAND…: through sudo where needed.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages KIND…: the packages of those kinds in tools/packages.txt that are not there yet.
# Says first what will be installed and how large it is. With no_install=yes it stops there when
# anything needed is missing. Packages of kind `optional` that the distribution lacks are named.
install_packages() {
  local kind package packages missing=() optional=() absent=()
  for kind in "$@"; do
    read -r -a packages < <(sed -n "s/^$kind //p" tools/packages.txt)
    for package in "${packages[@]}"; do
      is_installed "$package" && continue
      if [ "$kind" = optional ]; then optional+=("$package"); else missing+=("$package"); fi
    done
  done
  [ ${#missing[@]} -eq 0 ] && [ ${#optional[@]} -eq 0 ] && return
  if [ "${no_install:-}" = yes ]; then
    [ ${#optional[@]} -eq 0 ] || echo "axmul: missing, their tests are skipped: ${optional[*]}" >&2
    [ ${#missing[@]} -eq 0 ] && return
    echo "axmul: missing: ${missing[*]}" >&2
    exit 1
  fi
  if ! command -v apt-get >/dev/null; then
    [ ${#missing[@]} -eq 0 ] && return
    echo "axmul: this is not Debian; install the counterparts of: ${missing[*]}" >&2
    exit 1
  fi
  as_root apt-get update -qq >&2
  for package in "${optional[@]}"; do
    if [ -n "$(apt-cache madison "$package" 2>/dev/null)" ]; then missing+=("$package"); else absent+=("$package"); fi
  done
  [ ${#absent[@]} -eq 0 ] ||
    echo "axmul: this distribution has no ${absent[*]}: the tests that need it are skipped" >&2
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}" >&2
  # "Need to get 12 MB of archives." and "After this operation, 34 MB of additional disk space …"
  LC_ALL=C as_root apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>/dev/null |
    grep -E '^(Need to get|After this operation)' >&2 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
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
