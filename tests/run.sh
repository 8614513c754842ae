#!/usr/bin/env bash
# Every check of the repository, on a machine that has a Rust toolchain and Debian's package manager.
#
#   bash tests/run.sh               all stages but the long ones
#   bash tests/run.sh --long        the long ones, which take hours
#   bash tests/run.sh fmt clippy    these stages, and what they need
#   bash tests/run.sh --list        the names of the stages, with the word `long` behind those
#
# What a stage needs and the machine lacks is installed first. A stage that cannot run has failed. All stages run, whatever
# came before; the last line counts their tests and, for a stage that is no test run, the stage itself.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# shellcheck source=tests/lib/install.sh
. tests/lib/install.sh
# shellcheck source=tests/lib/stages.sh
. tests/lib/stages.sh

# Name, whether it is a test run, seconds before it is stopped (about four times what it takes on two idle cores from
# nothing), and the tools that it needs.
STAGES=(
    "fmt        check    60  rustfmt"
    "readme     check    20"
    "clippy     check  1200  cc clippy"
    "test       tests   900  cc"
    "test-core  tests   600  cc"
    "test-all   tests  1200  cc"
    "members    tests  1500  cc"
    "explore    tests   900  cc"
    "memory     tests   300  cc"
    "files      tests   300  cc"
    "doc        check  1200  cc python3"
    "features   check  1800  cc clippy python3"
    "deny       check   300  cargo-deny"
    "package    check  1200  cc python3"
    "fuzz       check   600  cc c++ cargo-fuzz"
    "benches    check  1500  cc python3 redis-server valgrind wrk"
    "engines    tests  1800  cc python3 redis-server valkey-server postgres mariadbd engine-speakers"
    "fleet      tests   600  cc"
    "frameworks tests   900  cc"
    "browser    tests   900  cc chromium"
)
LONG_STAGES=(
    "explore-full tests 43200 cc"
    "msrv       check  7200  cc python3 minimum-toolchains"
)
INSTALL_LIMIT=1800
FETCH_LIMIT=300

export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
# Output goes to files, and is read by this script.
export CARGO_TERM_COLOR=never
# Nothing is built twice here: incremental compilation would only fill the disk.
export CARGO_INCREMENTAL=0
# What a failed test says must stand in the last lines of its stage, not above a trace of the runtime's frames.
export RUST_BACKTRACE=0

passed=0
failed=0
running=

main() {
    if [ "${1-}" = --stage ]; then
        shift
        run_body "$@"
        return
    fi
    if [ "${1-}" = --list ]; then
        printf '%s\n' "${STAGES[@]%% *}"
        printf '%s long\n' "${LONG_STAGES[@]%% *}"
        return
    fi

    local chosen=("$@") name stage
    [ $# -gt 0 ] || chosen=("${STAGES[@]%% *}")
    [ "${1-}" != --long ] || chosen=("${LONG_STAGES[@]%% *}" "${@:2}")
    local tools=()
    for name in "${chosen[@]}"; do
        if ! stage=$(stage_named "$name"); then
            echo "tests/run.sh: there is no stage '$name'; there are: ${STAGES[*]%% *} ${LONG_STAGES[*]%% *}" >&2
            exit 2
        fi
        read -ra stage <<<"$stage"
        tools+=("${stage[@]:3}")
    done

    LOGS=$(mktemp -d) || exit 1
    export LOGS
    trap 'stop 130' INT
    trap 'stop 143' TERM

    if [ ${#tools[@]} -gt 0 ]; then
        run install check "$INSTALL_LIMIT" "${tools[@]}"
        # From here on nothing may reach for the network; a stage that would has failed.
        run fetch check "$FETCH_LIMIT" && export CARGO_NET_OFFLINE=true
    fi
    for name in "${chosen[@]}"; do
        read -ra stage <<<"$(stage_named "$name")"
        run "${stage[@]}"
    done

    if [ "$failed" -eq 0 ]; then
        rm -rf "$LOGS"
    else
        echo "logs: $LOGS"
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

stage_named() {
    local stage
    for stage in "${STAGES[@]}" "${LONG_STAGES[@]}"; do
        if [ "${stage%% *}" = "$1" ]; then
            echo "$stage"
            return
        fi
    done
    return 1
}

# run NAME check|tests SECONDS [TOOL...]: one stage in a process group of its own, so that nothing outlives its limit.
run() {
    local name=$1 kind=$2 limit=$3 started=$SECONDS status=0 reason=
    local log=$LOGS/$name.log
    printf '%-12s ' "$name"
    timeout --kill-after=20 "$limit" bash tests/run.sh --stage "$name" "${@:4}" >"$log" 2>&1 </dev/null &
    running=$!
    wait "$running" || status=$?
    running=

    local good=0 bad=0
    if [ "$kind" = tests ]; then
        read -r good bad < <(count_tests "$log")
        [ "$status" -ne 0 ] || [ "$((good + bad))" -gt 0 ] || reason='it ran no test'
    elif [ "$status" -eq 0 ]; then
        good=1
    fi
    case $status in
        0) ;;
        124 | 137) reason="stopped after its limit of $limit s" ;;
        *) reason="exit status $status" ;;
    esac
    # A failure that is no failed test (it did not compile, hung, or never began) counts as one.
    if [ -n "$reason" ] && [ "$bad" -eq 0 ]; then
        bad=1
    elif [ -z "$reason" ] && [ "$bad" -gt 0 ]; then
        reason='a test failed'
    fi
    passed=$((passed + good))
    failed=$((failed + bad))

    local took="$((SECONDS - started)) s"
    [ "$kind" = check ] || took="$took, $good passed, $bad failed"
    if [ -z "$reason" ]; then
        echo "ok      ($took)"
        return 0
    fi
    echo "FAILED  ($took): $reason"
    tail -n 60 "$log" | sed 's/^/    | /'
    return 1
}

# The sums over cargo's lines `test result: ok. 12 passed; 0 failed; …`.
count_tests() {
    awk '/^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i == "passed;") passed += $(i - 1)
            if ($i == "failed;") failed += $(i - 1)
        }
    } END { print passed + 0, failed + 0 }' "$1"
}

# What runs inside the limit: the tools are checked, then the stage's function does the work.
run_body() {
    local name=$1 tool
    shift
    if [ "$name" != install ]; then
        for tool in "$@"; do
            if ! have "$tool"; then
                echo "cannot run: $tool is missing and could not be installed (see stage install)"
                return 1
            fi
        done
    fi
    set -e
    "stage_${name//-/_}" "$@"
}

stop() {
    [ -z "$running" ] || kill -TERM "$running" 2>/dev/null
    echo
    echo "stopped; logs: $LOGS"
    exit "$1"
}

main "$@"
