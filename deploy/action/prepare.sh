#!/usr/bin/env bash
# Makes the private Python environment that runs the review, from the hash-pinned lock file of this very checkout.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
home="${RUNNER_TEMP:?is set by the runner}/bulletproof"
python="${BULLETPROOF_ACTION_PYTHON:-python3}"

say() {
  echo "::error title=Bulletproof::$1"
  exit 2
}

# A second use in the same job finds it ready.
if cmp -s "$root/requirements.txt" "$home/requirements.txt" && [ -x "$home/venv/bin/python" ]; then
  exit 0
fi

command -v "$python" >/dev/null || say "There is no $python on this runner. Leave the input python-version at its default."
"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  say "The review needs Python 3.11 or newer. Set the input python-version."

rm -rf -- "$home"
mkdir -p -- "$home"
# -I everywhere: nothing in the checked-out repository may be imported in place of a module.
"$python" -I -m venv "$home/venv" || say "Python cannot make a virtual environment here. On Debian and Ubuntu, install python3-venv."
# What is never imported needs no bytecode: --no-compile. The lock is complete, so --no-deps; without it pip refuses `hishel[async]`, which only `hishel` pins.
"$home/venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
  --no-deps --require-hashes --only-binary :all: --requirement "$root/requirements.txt" ||
  say "The packages of the review could not be installed; the lines above say why."
site="$("$home/venv/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
printf '%s\n' "$root" >"$site/bulletproof.pth"
cp -- "$root/requirements.txt" "$home/requirements.txt"
