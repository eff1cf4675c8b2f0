#!/bin/sh
# Creates the environment in $1. Debian splits venv from python3: where it is missing, install it or say how.
set -eu
find_python() {
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "No Python 3.11 to 3.13 was found; install one (Debian: apt-get install python3 python3-venv)." >&2
    exit 1
}
python=$(find_python)
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq python3-venv
    else
        echo "$python has no venv; as root: apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$python" -m venv "$1"
