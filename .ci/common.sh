# shellcheck shell=bash
# Sourced by the scripts beside it. It enters the root of the repository and defines what they share.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1

# The ends of the supported range of Python versions.
# shellcheck disable=SC2034
lowest=3.11 highest=3.13

# Print the path of an interpreter of version $1, from PATH or from pyenv, or fail.
python_of() {
    if "python$1" -c '' 2>/dev/null; then
        echo "python$1"
    elif command -v pyenv >/dev/null && prefix=$(pyenv prefix "$(pyenv latest "$1" 2>/dev/null)" 2>/dev/null); then
        echo "$prefix/bin/python"
    else
        echo "needs Python $1" >&2
        return 1
    fi
}

# Install into the environment $1 what the other arguments say, by uv: in a quarter of pip's time.
install() {
    local uv="$PWD/build/uv"
    [ -x "$uv/bin/uv" ] || { python3 -m venv "$uv" && "$uv/bin/pip" install -q uv; }
    "$uv/bin/uv" pip install -q --python "$1/bin/python" "${@:2}"
}

# Bring .venv up to date with the extras $1.
environment() {
    [ -x .venv/bin/python ] || python3 -m venv .venv
    install .venv -e ".[$1]"
}

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
