#!/usr/bin/env bash
# Installs what pip cannot: Python's venv module and OpenGL, on Debian and Ubuntu. Elsewhere it
# names what to install in one line and goes on, since it may be there under another name (the
# program says so in one line too if no OpenGL 3.3 is to be had).
#
#   tools/setup_system.sh run|test [PYTHON]
#
# Touches nothing, and needs no network, where all is there already.
set -euo pipefail

usage="usage: tools/setup_system.sh run|test [PYTHON]"
purpose=${1:?$usage}
python=${2:-python3}

case $purpose in
    # libgl1 and libegl1 dispatch to a driver; libgl1-mesa-dri has llvmpipe, which needs no GPU.
    run) packages=(libgl1 libegl1 libgl1-mesa-dri) ;;
    # A display for the window's tests, and the tracer that counts GL calls.
    test) packages=(libgl1 libegl1 libgl1-mesa-dri xvfb xauth apitrace) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac

# venv alone is no proof: Debian ships it without ensurepip, and then it fails half-way.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$python" = python3 ]; then
        packages+=(python3 python3-venv)
    else
        echo "setup: $python has no working venv module: install it, or set PYTHON" >&2
        exit 1
    fi
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    if [ "$(uname -s)" != Darwin ]; then  # macOS has OpenGL
        echo "setup: no apt-get here; if it fails, install OpenGL 3.3 with EGL (Mesa) by hand" >&2
    fi
    exit 0
fi

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: missing ${missing[*]}; as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }
# A list that cannot be refreshed is no reason to stop if the packages are known already.
apt update || echo "setup: apt-get update failed; trying with the lists that are here" >&2
if ! apt install -y --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "setup: apt-get could not install ${missing[*]}: see its message above" >&2
    exit 1
fi
