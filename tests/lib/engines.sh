# shellcheck shell=bash
# The server stores' engines, started on free loopback ports for as long as one command runs.
#
#   bash tests/lib/engines.sh run [ENGINE...] -- COMMAND [ARGUMENT...]
#
# starts these engines (all of them when none is named), runs the command with their addresses in the environment, and
# ends them. `run redis -- bash` gives a shell with a Redis beside it. An engine that cannot be started is a failure that
# names it. tests/run.sh's stage `engines` reads this file and calls `with_engines` itself.

ENGINES=(redis valkey postgres mariadb dynamodb mongodb)

# Longest life of an engine, when whoever started it could not end it.
ENGINES_LIFE_SECONDS=${ENGINES_LIFE_SECONDS:-3600}
ENGINE_START_SECONDS=30

# with_engines [ENGINE...] -- COMMAND [ARGUMENT...]: the command's exit status, or 1 when an engine did not start.
with_engines() (
    local chosen=() engine status=0
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        chosen+=("$1")
        shift
    done
    shift
    [ ${#chosen[@]} -gt 0 ] || chosen=("${ENGINES[@]}")

    # Engines that drop to a user of their own look for their files in here.
    home=$(mktemp -d "${TMPDIR:-/tmp}/sealed-session-engines.XXXXXX") || exit 1
    chmod 711 "$home"
    started=()
    trap end_engines EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    for engine in "${chosen[@]}"; do
        if ! declare -F "start_$engine" >/dev/null; then
            echo "engines: there is no engine '$engine'; there are: ${ENGINES[*]}" >&2
            exit 2
        fi
        port=$(free_port) || exit 1
        log=$home/$engine.log
        if ! "start_$engine"; then
            echo "engines: $engine did not start; the end of its log:" >&2
            tail -n 20 "$log" >&2
            exit 1
        fi
    done
    "$@" || status=$?
    exit "$status"
)

# Each `start_…` begins an engine on $port, writes to $log, waits until it answers, exports its address and tells its
# version.

start_redis() {
    # `noeviction` is the default: a test that fills the memory sees the error that an application would.
    begin TERM redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --maxmemory 256mb --dir "$home"
    answers redis-cli -p "$port" ping || return 1
    export SEALED_REDIS_URL=redis://127.0.0.1:$port/
    tell redis "$(redis-server --version)"
}

# The tests of Redis run on it too, where they are told so: with SEALED_REDIS_URL=$SEALED_VALKEY_URL and, for the servers that
# they start themselves, SEALED_REDIS_SERVER=valkey-server.
start_valkey() {
    begin TERM valkey-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --maxmemory 256mb --dir "$home"
    answers valkey-cli -p "$port" ping || return 1
    export SEALED_VALKEY_URL=redis://127.0.0.1:$port/
    tell valkey "$(valkey-server --version)"
}

start_postgres() {
    local bin data=$home/postgres
    bin=$(postgres_bin) || return 1
    mkdir -m 755 "$data"
    # The server refuses to run as root.
    drop_to postgres "$data"
    (cd "$data" && "${dropped[@]}" "$bin/initdb" -D "$data/files" -U test -A trust --no-sync -E UTF8 --locale=C.UTF-8) >"$log" 2>&1 ||
        return 1
    # The data is lost at the end anyway: no waiting for the disk. SIGINT: a SIGTERM would wait for the clients.
    begin INT "${dropped[@]}" "$bin/postgres" -D "$data/files" -p "$port" -h 127.0.0.1 -k "$data" \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB
    answers "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" || return 1
    export SEALED_POSTGRES_URL=postgres://test@127.0.0.1:$port/postgres
    tell postgres "$("$bin/postgres" --version)"
}

start_mariadb() {
    local data=$home/mariadb client=(mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root)
    mkdir -m 755 "$data"
    drop_to mysql "$data"
    "${dropped[@]}" mariadb-install-db --no-defaults --datadir="$data/files" --skip-test-db --skip-name-resolve \
        --auth-root-authentication-method=normal >"$log" 2>&1 || return 1
    begin TERM "${dropped[@]}" mariadbd --no-defaults --datadir="$data/files" --port="$port" --bind-address=127.0.0.1 \
        --socket="$data/socket" --pid-file="$data/pid" --skip-log-bin --innodb-flush-log-at-trx-commit=0 \
        --innodb-buffer-pool-size=32M
    answers "${client[@]}" -e 'select 1' || return 1
    "${client[@]}" -e 'create database sealed' >>"$log" 2>&1 || return 1
    export SEALED_MYSQL_URL=mysql://root@127.0.0.1:$port/sealed
    tell mariadb "$(mariadbd --version)"
}

# DynamoDB itself is a service; this speaks its protocol.
start_dynamodb() {
    local python
    python=$(speakers)/bin/python
    # It looks at a condition and writes in two steps, and other threads get in between, where the service does both as
    # one: requests are taken one after the other.
    begin TERM "$python" -c '
import threading
from moto import server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication as Application

turn, answer = threading.Lock(), Application.__call__

def in_turn(*request):
    with turn:
        return answer(*request)

Application.__call__ = in_turn
server.main()
' -H 127.0.0.1 -p "$port"
    answers_on_port || return 1
    export SEALED_DYNAMODB_URL=http://127.0.0.1:$port
    tell dynamodb "moto $("$python" -c 'import moto; print(moto.__version__)')"
}

# There is no MongoDB among Debian's packages; this speaks its protocol over the same storage engine.
start_mongodb() {
    local python
    python=$(speakers)/bin/python
    begin TERM "$python" -c 'from secantus.cli import main; main()' --host 127.0.0.1 --port "$port" \
        --storage-path :memory: --standalone --cache-size 64M
    answers_on_port || return 1
    export SEALED_MONGODB_URL="mongodb://127.0.0.1:$port/?directConnection=true"
    # For the tests that kill one of their own.
    export SEALED_SPEAKERS_PYTHON=$python
    tell mongodb "SecantusDB $("$python" -c 'import importlib.metadata as m; print(m.version("SecantusDB"))')"
}

# begin SIGNAL COMMAND...: in the background, with a bounded life; SIGNAL ends it.
begin() {
    local signal=$1
    shift
    (cd "$home" && exec timeout -s "$signal" -k 5 "$ENGINES_LIFE_SECONDS" "$@") >>"$log" 2>&1 </dev/null &
    begun=$!
    started+=("$signal $begun")
}

# answers COMMAND...: whether it succeeds before long, while what was begun last still runs.
answers() {
    local end=$((SECONDS + ENGINE_START_SECONDS))
    while [ "$SECONDS" -lt "$end" ] && kill -0 "$begun" 2>/dev/null; do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    return 1
}

answers_on_port() {
    # shellcheck disable=SC2016 # the inner shell reads its own argument
    answers bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"' bash "$port"
}

end_engines() {
    local engine signal id
    for engine in "${started[@]}"; do
        read -r signal id <<<"$engine"
        kill -s "$signal" "$id" 2>/dev/null || true
    done
    # Each is killed by its `timeout` when it does not end.
    wait
    rm -rf "$home"
}

# drop_to USER FOLDER: gives the user this folder, and sets what stands before a command that is to run as the user. Who is
# not root can become nobody else, and needs not.
drop_to() {
    dropped=()
    if [ "$(id -u)" -eq 0 ]; then
        chown "$1" "$2"
        dropped=(setpriv "--reuid=$1" "--regid=$1" --clear-groups --)
    fi
}

tell() {
    echo "engines: $1 on port $port: $2" >&2
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# engine_tools ENGINE...: the tools, as install.sh names them, that these engines need.
engine_tools() {
    local engine
    echo python3
    for engine in "$@"; do
        case $engine in
            redis) echo redis-server ;;
            valkey) echo valkey-server ;;
            postgres) echo postgres ;;
            mariadb) echo mariadbd ;;
            dynamodb | mongodb) echo engine-speakers ;;
        esac
    done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -u -o pipefail
    cd "$(dirname "$0")/../.." || exit 1
    # shellcheck source=tests/lib/install.sh
    . tests/lib/install.sh
    if [ "${1-}" != run ] || [[ " $* " != *' -- '* ]]; then
        sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
        exit 2
    fi
    shift
    chosen=()
    for argument in "$@"; do
        [ "$argument" != -- ] || break
        chosen+=("$argument")
    done
    [ ${#chosen[@]} -gt 0 ] || chosen=("${ENGINES[@]}")
    mapfile -t tools < <(engine_tools "${chosen[@]}" | sort -u)
    (stage_install "${tools[@]}") >&2 || exit 1
    with_engines "$@"
fi
