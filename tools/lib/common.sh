# Sourced by the commands in tools/ and bench/: where we are, and what must be installed.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The names of all packages for these uses on this release, from tools/packages.
packages_for() {
  local column use name_bookworm name_trixie wanted
  . /etc/os-release
  case "${VERSION_CODENAME:-}" in
    bookworm) column=2 ;;
    trixie) column=3 ;;
    *) die "this is ${PRETTY_NAME:-an unknown system}; the package names are known for Debian 12 and 13 (tools/packages)" ;;
  esac
  for wanted in "$@"; do
    while read -r use name_bookworm name_trixie; do
      [ "$use" = "$wanted" ] || continue
      [ "$column" = 2 ] && echo "$name_bookworm" || echo "$name_trixie"
    done < <(grep -v '^#' "$root/tools/packages")
  done | grep -vx -- -
}

# Installs what is missing. A node or npm that is there already stays: some machines carry their own,
# which refuses Debian's.
install_packages() {
  local name missing=()
  for name in $(packages_for "$@"); do
    case "$name" in
      nodejs) command -v node >/dev/null && continue ;;
      npm) command -v npm >/dev/null && continue ;;
    esac
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "needs root to install ${missing[*]}; run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# Builds a preset, all of it or the targets named. ccache knows precompiled headers only when told so.
build() {
  export CCACHE_SLOPPINESS=pch_defines,time_macros
  local preset=$1
  shift
  say "building $preset"
  (cd "$root" && cmake --preset "$preset" >"$root/build/$preset.configure.log" 2>&1) ||
    { cat "$root/build/$preset.configure.log" >&2; die "cmake --preset $preset failed"; }
  cmake --build "$root/build/$preset" -- ${1+"$@"}
}
