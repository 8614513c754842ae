# shellcheck shell=bash
# What each stage of tests/run.sh does. A stage runs under `set -e` in a shell of its own, from the root of the checkout;
# what it has to keep for a moment goes to $LOGS.

CRATE=sealed-session
FUZZ_SECONDS=20

# The packages that are released, one a line: name, minimum Rust version, folder, features. The crate comes first.
published() {
    cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, os, sys
metadata = json.load(sys.stdin)
packages = [package for package in metadata["packages"] if package["publish"] is None]
for package in sorted(packages, key=lambda package: package["name"]):
    folder = os.path.relpath(os.path.dirname(package["manifest_path"]), metadata["workspace_root"])
    print(package["name"], package["rust_version"], folder, *sorted(package["features"]))'
}

stage_fetch() {
    cargo fetch --locked
    local manifest
    for manifest in fuzz/Cargo.toml benches/Cargo.toml; do
        [ ! -f "$manifest" ] || cargo fetch --locked --manifest-path "$manifest"
    done
}

stage_fmt() {
    cargo fmt --all --check
    need_file fuzz/Cargo.toml benches/Cargo.toml
    cargo fmt --manifest-path fuzz/Cargo.toml --check
    cargo fmt --manifest-path benches/Cargo.toml --check
}

# The two commands that the README promises.
stage_readme() {
    need_file README.md
    local line
    for line in 'cargo run --example demo' 'bash tests/run.sh'; do
        grep -qxF "$line" README.md || fail "README.md does not show '$line' on a line of its own"
    done
}

stage_clippy() {
    cargo clippy --locked --package "$CRATE" --all-targets --no-default-features -- -D warnings
    cargo clippy --locked --package "$CRATE" --all-targets -- -D warnings
    cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
    need_file fuzz/Cargo.toml benches/Cargo.toml
    cargo clippy --locked --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings
    cargo clippy --locked --manifest-path benches/Cargo.toml --all-targets -- -D warnings
}

# What a contributor types, without anything that this script installed.
stage_test() {
    env -u CHROMIUM -u CHROMEDRIVER cargo test --locked --no-fail-fast
}

stage_test_core() {
    cargo test --locked --no-fail-fast --package "$CRATE" --no-default-features
}

stage_test_all() {
    cargo test --locked --no-fail-fast --package "$CRATE" --all-features
}

# Each member's own tests and examples. (Those on real engines are of the stage engines.)
stage_members() {
    local name packages=()
    while read -r name _; do
        [ "$name" = "$CRATE" ] || packages+=(--package "$name")
    done < <(published)
    [ ${#packages[@]} -gt 0 ] || fail 'there is no member'
    cargo test --locked --no-fail-fast --all-features "${packages[@]}"
}

# Every schedule of two requests of one browser, and a part of those with a fault.
stage_explore() {
    need_file tests/exploration/main.rs
    cargo test --locked --no-fail-fast --profile explore --test exploration -- --nocapture
}

# All of them: hours.
stage_explore_full() {
    need_file tests/exploration/main.rs
    EXPLORE=full cargo test --locked --no-fail-fast --profile explore --test exploration -- --nocapture
}

# Each published package with the oldest Rust that it says it builds with.
stage_msrv() {
    local name version features
    while read -r name version _; do
        echo "$name with Rust $version"
        # An adapter may need what its framework needs, and a store's feature of the command what the store needs.
        case $name in
            "$CRATE" | sealed-session-cli) features=() ;;
            *) features=(--all-features) ;;
        esac
        cargo "+$version" check --locked --package "$name" "${features[@]}"
    done < <(published)
}

stage_memory() {
    need_file tests/memory/Cargo.toml
    cargo test --locked --no-fail-fast --package sealed-session-memory-tests
    # An optimizer moves what is to be wiped, and allocates less.
    cargo test --locked --no-fail-fast --package sealed-session-memory-tests --release
}

# Mounts a small file system in a name space of its own.
stage_files() {
    need_file tests/files/Cargo.toml
    cargo test --locked --no-fail-fast --package sealed-session-file-tests
}

stage_doc() {
    export RUSTDOCFLAGS='-D warnings'
    local name packages=()
    while read -r name _; do
        packages+=(--package "$name")
    done < <(published)
    cargo doc --locked "${packages[@]}" --no-deps --all-features
    cargo doc --locked "${packages[@]}" --no-deps --all-features --document-private-items
}

stage_features() {
    local name features feature
    while read -r name _ _ features; do
        echo "$name without a feature"
        # Clippy is `cargo check` and its warnings, in one build with the stage before.
        cargo clippy --locked --package "$name" --no-default-features -- -D warnings
        for feature in $features; do
            echo "$name, feature $feature alone"
            cargo clippy --locked --package "$name" --no-default-features --features "$feature" -- -D warnings
        done
    done < <(published)
    need_file examples/Cargo.toml
    # An example is copied without the others, so it must not lean on what they turn on.
    local example
    for example in examples/*.rs; do
        example=$(basename "$example" .rs)
        echo "the example $example alone"
        cargo clippy --locked --package sealed-session-examples --example "$example" --features "$example" -- -D warnings
    done
}

stage_deny() {
    cargo deny --locked --workspace --all-features check bans licenses sources
}

# What would be published: everything a user needs, nothing else, and it builds, the members against the crate's package.
stage_package() {
    local name folder files file expected packages=()
    while read -r name _ folder _; do
        packages+=(--package "$name")
        files=$(cargo package --locked --allow-dirty --package "$name" --list)
        expected='src/.*|README\.md|LICENSE-(MIT|APACHE)|Cargo\.toml|Cargo\.toml\.orig|Cargo\.lock|\.cargo_vcs_info\.json'
        for file in Cargo.toml LICENSE-MIT LICENSE-APACHE README.md; do
            grep -qxF "$file" <<<"$files" || fail "the package $name lacks $file"
        done
        if [ "$name" = "$CRATE" ]; then
            expected+='|tests/vectors/.*|(CHANGELOG|SECURITY)\.md'
            for file in CHANGELOG.md SECURITY.md src/lib.rs; do
                grep -qxF "$file" <<<"$files" || fail "the package $name lacks $file"
            done
        fi
        ! grep -vxE "$expected" <<<"$files" || fail "the package $name has the files above, which nobody needs"
    done < <(published)
    [ ${#packages[@]} -gt 2 ] || fail 'there is no member'
    cargo package --locked --allow-dirty "${packages[@]}"
}

# Each target for a short while: that it builds, keeps its laws over the corpus, and runs.
stage_fuzz() {
    need_file fuzz/Cargo.toml
    local targets target found
    targets=$(cargo fuzz list)
    [ -n "$targets" ] || fail 'cargo fuzz lists no target'
    for target in $targets; do
        [ -n "$(ls -A "fuzz/corpus/$target" 2>/dev/null)" ] || fail "fuzz/corpus/$target is empty"
        found=$LOGS/found/$target
        mkdir -p "$found"
        # No sanitizer: the crate has no `unsafe`, and the stable toolchain has none. What is newly found goes to the
        # first folder, so that the committed corpus stays as it is.
        cargo fuzz run -s none "$target" "$found" "fuzz/corpus/$target" -- \
            -max_total_time="$FUZZ_SECONDS" -timeout=10 -print_final_stats=1 2>&1 | tee "$found.log"
        grep -qE '^Done [1-9][0-9]* runs' "$found.log" || fail "$target did not run"
    done
}

# Each benchmark once: that it builds and what it measures works, not how fast. How many instructions a request takes is the
# same on every run, and compared.
stage_benches() {
    need_file benches/Cargo.toml
    # shellcheck source=tests/lib/engines.sh
    . tests/lib/engines.sh
    with_engines redis -- cargo bench --locked --manifest-path benches/Cargo.toml --benches -- --test 2>&1 |
        tee "$LOGS/bench-output"
    grep -qx 'Success' "$LOGS/bench-output" || fail 'no benchmark ran'
    grep -q '^stores: Redis ' "$LOGS/bench-output" || fail 'the stores were not measured'
    local what
    for what in 'every cell ran once' 'everything that grows ran once' 'every server was asked'; do
        grep -qxF "Success: $what" "$LOGS/bench-output" || fail "no benchmark says that $what"
    done
    python3 benches/instructions.py
}

# Servers, people and a rotation of keys, in the time that there is.
stage_fleet() {
    need_file tests/fleet/Cargo.toml
    cargo test --locked --no-fail-fast --package sealed-session-fleet-tests --package sealed-session-test-programs
}

# A server of each framework, and the examples, over real HTTP. The examples are chosen along, as the tests build them: so
# each framework is built once.
stage_frameworks() {
    need_file tests/frameworks/Cargo.toml examples/Cargo.toml
    cargo test --locked --no-fail-fast --package sealed-session-framework-tests --package sealed-session-examples --all-features
}

stage_browser() {
    need_file tests/browser/Cargo.toml
    CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
    CHROMEDRIVER=$(command -v "${CHROMEDRIVER:-chromedriver}")
    export CHROMIUM CHROMEDRIVER
    cargo test --locked --no-fail-fast --package sealed-session-browser-tests
}

stage_engines() {
    need_file tests/engines/Cargo.toml
    # shellcheck source=tests/lib/engines.sh
    . tests/lib/engines.sh
    with_engines -- test_engines
}

# Each store on its engine, and Redis's once more on Valkey.
test_engines() {
    local status=0 tests=(cargo test --locked --no-fail-fast --profile engines --package sealed-session-engine-tests)
    "${tests[@]}" || status=$?
    SEALED_REDIS_URL=$SEALED_VALKEY_URL SEALED_REDIS_SERVER=valkey-server "${tests[@]}" --test redis || status=$?
    return "$status"
}

need_file() {
    local file
    for file in "$@"; do
        [ -f "$file" ] || fail "$file is missing"
    done
}

fail() {
    echo "$1"
    exit 1
}
