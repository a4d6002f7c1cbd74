#!/usr/bin/env bash
# Sets text2art up, on Google Colab and on any fresh machine, and runs it.
#
#   ./setup_colab.sh                  set up: on Colab into the running Python, elsewhere into .venv beside this file
#   ./setup_colab.sh draw "a prompt"  the same, then draw (all options of: python -m text2art_nb draw --help)
#   ./setup_colab.sh lab [ARG...]     the same with JupyterLab, then open text2art.ipynb in it (ARG goes to JupyterLab)
#   ./setup_colab.sh kernel           set up the Python of a notebook's kernel, PYTHON: what is in it stays as it is
#   ./setup_colab.sh test [ARG...]    set up with what the checks need, then run the checks (ARG goes to pytest)
#   ./setup_colab.sh test --all       the same with the nightly tests, which take up to an hour
#   ./setup_colab.sh --with-pixray    set up, and pixray beside it in .pixray (PIXRAY_SOURCES=DIR: from clones in DIR)
#   ./setup_colab.sh home OWNER/REPO  write where the repository is on GitHub into README, notebook and pyproject.toml
#
# PYTHON=/path/to/python chooses the Python. Safe to run again: with nothing to do it takes a fraction of a second.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bootstrap=$here/text2art_nb/runtime/bootstrap.py
home=$here/text2art_nb/runtime/set_repository.py
venv=$here/.venv

fail() {
    printf 'text2art: %s\n' "$*" >&2
    exit 1
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Prints the first Python that is new enough: the usual one before others, as that is the one people expect.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
        if is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and none was found. On Debian or Ubuntu: sudo apt-get install python3 python3-venv"
}

# Makes .venv with the Python $1, or says what the system lacks for it.
make_venv() {
    echo "text2art: making $venv with $("$1" --version)"
    if "$1" -m venv --clear "$venv" 2>/dev/null || "$1" -m virtualenv -q --clear "$venv" 2>/dev/null; then
        return
    fi
    local package
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    fail "$1 cannot make virtual environments (its venv module is missing or broken)." \
        "On Debian or Ubuntu: sudo apt-get install $package"
}

# Sets $python to the Python with all that is needed in it. $1: extras of pyproject.toml, with commas between.
set_up() {
    if [ ! -x "$venv/bin/python" ]; then
        python=$(find_python)
        if "$python" -P "$bootstrap" in-colab; then
            "$python" -P "$bootstrap" setup --extras "$1"
            return
        fi
        make_venv "$python"
    elif ! "$venv/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pip") is None)' 2>/dev/null; then
        python=$(find_python) # half made, or its Python is gone
        make_venv "$python"
    fi
    python=$venv/bin/python
    "$python" -P "$bootstrap" setup --extras "$1"
}

# Sets up the Python of a running kernel, $PYTHON, whosever it is: nothing but ours may change in it.
set_up_kernel() {
    python=${PYTHON:-python3}
    command -v "$python" >/dev/null || fail "there is no Python $python"
    is_recent "$python" || fail "Python 3.11 or newer is needed, and this notebook's is $("$python" --version 2>&1)"
    "$python" -P "$bootstrap" kernel
}

# Runs every check, whatever the ones before it said, so that one run shows all there is to mend.
run_checks() {
    cd "$here"
    local failed=() tier=(-m "not nightly") arguments=() argument
    for argument in "$@"; do
        if [ "$argument" = --all ]; then
            tier=(--hypothesis-profile=nightly)
        else
            arguments+=("$argument")
        fi
    done
    check() {
        echo "== $*"
        "$python" -m "$@" || failed+=("$*")
    }
    check ruff check .
    check ruff format --check .
    check mypy
    echo "== lint-imports"
    "$python" -c "from importlinter.cli import lint_imports_command as main; main(['--no-cache'])" ||
        failed+=("lint-imports")
    # A process a core, and one thread in each: most tests are small, and threads that wait for each other waste both.
    export OMP_NUM_THREADS=1
    check pytest --numprocesses=auto --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder "${tier[@]}" ${arguments[@]+"${arguments[@]}"}
    [ ${#failed[@]} -eq 0 ] || fail "failed: $(printf '%s; ' "${failed[@]}")"
}

verb=${1-setup}
[ $# -eq 0 ] || shift
case $verb in
setup)
    set_up ""
    echo "text2art: ready. Draw with: $0 draw \"an underwater city\""
    ;;
draw)
    set_up ""
    exec "$python" -m text2art_nb draw "$@"
    ;;
lab)
    set_up lab
    cd "$here"
    exec "$python" -m jupyterlab text2art.ipynb "$@"
    ;;
kernel)
    set_up_kernel
    ;;
test)
    set_up dev,docs,train,serve,ui,notices,firestore
    run_checks "$@"
    ;;
--with-pixray)
    set_up ""
    exec "$python" -P "$here/text2art_nb/runs/pixray/install.py"
    ;;
home)
    python=$(find_python)
    exec "$python" -P "$home" "$@"
    ;;
-h | --help | help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    ;;
*)
    fail "unknown verb '$verb': it is nothing (set up), draw, lab, kernel, test, --with-pixray or home"
    ;;
esac
