# Sourced by the scripts: strict shell, the cache folder, one way to speak and one to fail.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CLOISTER_CACHE=${CLOISTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cloister}
if [ -x "$CLOISTER_CACHE/node/bin/node" ]; then
  PATH=$CLOISTER_CACHE/node/bin:$PATH
fi

say() { printf '== %s\n' "$*"; }
fail() { # what went wrong, what to do
  printf 'error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf '       %s\n' "$2" >&2; fi
  exit 1
}
