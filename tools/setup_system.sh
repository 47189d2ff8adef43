#!/usr/bin/env bash
# Installs what pip cannot: Python's venv module and OpenGL, on Debian and Ubuntu; with `test` also
# what some tests use, and are skipped without. Elsewhere it names what to install in one line and
# goes on, since it may be there under another name (the program says so in one line too if no
# OpenGL 3.3 is to be had).
#
#   tools/setup_system.sh run|test [PYTHON]
#
# Touches nothing, and needs no network, where all is there already.
set -euo pipefail

usage="usage: tools/setup_system.sh run|test [PYTHON]"
purpose=${1:?$usage}
python=${2:-python3}

# libgl1 and libegl1 dispatch to a driver; libgl1-mesa-dri has llvmpipe, which needs no GPU.
needed=(libgl1 libegl1 libgl1-mesa-dri)
wanted=()
case $purpose in
    run) ;;
    # A display and a keyboard for the window's tests, the tracer that counts GL calls, the shaders'
    # reference compiler, and Vulkan in software, over which Mesa's zink is a second driver.
    test) wanted=(xvfb xauth xdotool apitrace glslang-tools mesa-vulkan-drivers) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac

# venv alone is no proof: Debian ships it without ensurepip, and then it fails half-way.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$python" = python3 ]; then
        needed+=(python3 python3-venv)
    else
        # As python3.12-venv on Debian and Ubuntu.
        echo "setup: no $python with a working venv module: install ${python##*/}-venv, or leave PYTHON out" >&2
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

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
# A machine that has just started may be updating itself: wait for its lock.
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=120 "$@" 2>&1 >/dev/null
}

# Installs those of the packages that are missing, or says in one line what to do.
updated=
ensure() {
    local missing=() package said by_hand
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    by_hand="as root: apt-get update && apt-get install ${missing[*]}"
    if [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
        echo "setup: missing ${missing[*]}; $by_hand" >&2
        return 1
    fi
    echo "setup: installing ${missing[*]}"
    # A list that cannot be refreshed is no reason to stop if the packages are known already.
    [ -n "$updated" ] || apt update >/dev/null || true
    updated=yes
    if ! said=$(apt install -y --no-install-recommends "${missing[@]}"); then
        said=$(grep -m 1 '^E: ' <<<"$said" || tail -n 1 <<<"$said")
        echo "setup: apt-get failed (${said#E: }); $by_hand" >&2
        return 1
    fi
}

ensure "${needed[@]}" || exit 1
# Each by itself: one that this system does not have must not keep the others away.
for package in "${wanted[@]}"; do
    ensure "$package" || echo "setup: going on; the tests that use $package are skipped" >&2
done
