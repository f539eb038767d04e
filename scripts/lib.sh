# Shared by the scripts of this folder; sourced, not run.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export repo

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    return 1
  fi
}

# Installs the Debian packages that are missing. Calls apt only when something is.
need_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    say "note: this is no Debian; make sure that the equivalents of these are installed: $*"
    return 0
  fi
  for package in "$@"; do
    case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) in
      installed*) ;;
      *) missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing Debian packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || say "note: apt-get update failed; trying with what is known"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2 ||
    die "could not install packages; as root, run: apt-get install ${missing[*]}"
}

# kubectl, the Python client and what else the end-to-end tests use. A kubectl that is there already is never replaced.
need_test_tools() {
  local packages=()
  command -v kubectl >/dev/null || packages+=(kubernetes-client)
  command -v curl >/dev/null || packages+=(curl)
  command -v python3 >/dev/null || packages+=(python3)
  /usr/bin/python3 -c 'import kubernetes' 2>/dev/null || packages+=(python3-kubernetes)
  [ ${#packages[@]} -eq 0 ] || need_packages "${packages[@]}"
}

# How many compilers to run: one per core, fewer where memory is short (the largest sources take about 1.5 GB).
build_jobs() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
  by_memory=$((${memory_kb:-$((cores * 1500000))} / 1500000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  echo "${WH_JOBS:-$((cores < by_memory ? cores : by_memory))}"
}

# Milliseconds since some fixed moment.
now_ms() { date +%s%3N; }
