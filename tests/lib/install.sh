# shellcheck shell=bash
# The tools that the stages need: whether they are there, and how they come.

# have TOOL
have() {
    case $1 in
        rustfmt) cargo fmt --version >/dev/null 2>&1 ;;
        clippy) cargo clippy --version >/dev/null 2>&1 ;;
        cargo-deny) cargo deny --version >/dev/null 2>&1 ;;
        cargo-fuzz) cargo fuzz --version >/dev/null 2>&1 ;;
        chromium)
            command -v "${CHROMIUM:-chromium}" >/dev/null && command -v "${CHROMEDRIVER:-chromedriver}" >/dev/null
            ;;
        postgres) postgres_bin >/dev/null ;;
        minimum-toolchains) missing_toolchains | { ! grep -q .; } ;;
        engine-speakers) "$(speakers)/bin/python" -c 'import moto.server, secantus.cli' 2>/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The folder of the newest PostgreSQL's programs, which are on nobody's path.
postgres_bin() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    [ -x "$newest" ] && dirname "$newest"
}

# The Python environment of the programs that speak DynamoDB's and MongoDB's protocols.
speakers() {
    echo "${CARGO_TARGET_DIR:-$PWD/target}/engine-speakers"
}

# The minimum Rust versions that the published packages state and that are not installed, one a line.
missing_toolchains() {
    local version
    while read -r _ version _; do
        rustc "+$version" --version >/dev/null 2>&1 || echo "$version"
    done < <(published) | sort -u
}

# Installs each tool that is missing; fails when one is still missing at the end.
stage_install() {
    set +e
    local tool packages=() missing=()
    for tool in "$@"; do
        have "$tool" && continue
        case $tool in
            cc) packages+=(gcc libc6-dev) ;;
            c++) packages+=(g++) ;;
            python3 | valgrind | wrk) packages+=("$tool") ;;
            chromium) packages+=(chromium chromium-driver) ;;
            redis-server) packages+=(redis-server) ;;
            postgres) packages+=(postgresql) ;;
            mariadbd) packages+=(mariadb-server) ;;
            engine-speakers) python3 -c 'import ensurepip, venv' || packages+=(python3 python3-venv) ;;
        esac
    done
    [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
    for tool in "$@"; do
        have "$tool" && continue
        case $tool in
            rustfmt | clippy) rustup component add "$tool" ;;
            # The releases whose options and configuration this repository uses.
            cargo-deny) cargo install --locked cargo-deny --version '^0.20' ;;
            cargo-fuzz) cargo install --locked cargo-fuzz --version '^0.13' ;;
            engine-speakers) install_speakers ;;
            minimum-toolchains) missing_toolchains | xargs -r rustup toolchain install --profile minimal ;;
            valkey-server) install_packages valkey-server || install_from_backports valkey-server ;;
        esac
        have "$tool" || missing+=("$tool")
    done
    [ ${#missing[@]} -eq 0 ] || echo "still missing: ${missing[*]}"
    [ ${#missing[@]} -eq 0 ]
}

# The releases that the stores were tested against. SecantusDB has had no final release yet.
install_speakers() {
    local environment
    environment=$(speakers)
    python3 -m venv --clear "$environment" &&
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
            'moto[dynamodb]==5.2.5' flask flask-cors 'SecantusDB==0.7.0b3'
}

# install_packages PACKAGE...: Debian packages, as root or through a sudo that asks for no password.
install_packages() {
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get: install by hand: $*"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true; then
            echo "neither root nor a sudo without password: run 'apt-get install $*' as root"
            return 1
        fi
        as_root=(sudo -n)
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -q)
    # An installation that was interrupted earlier stands in the way of any other until it is finished.
    "${apt[@]}" "${APT_OPTIONS[@]}" update && "${apt[@]}" install -y --fix-broken --no-install-recommends &&
        "${apt[@]}" "${APT_OPTIONS[@]}" install -y --no-install-recommends "$@"
}

# Options of apt-get beyond those of every installation.
APT_OPTIONS=()

# install_from_backports PACKAGE...: what the machine's release of Debian has among its backports alone, from the archive that
# its other packages are from. The machine's list of sources stays as it is.
install_from_backports() {
    local release archive sources status=0
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME-backports") || return 1
    # shellcheck disable=SC2016 # apt-get fills this in
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: ${release%-backports}" | head -n 1)
    [ -n "$archive" ] || return 1
    sources=$(mktemp -d) || return 1
    cp /etc/apt/sources.list.d/* "$sources" 2>/dev/null
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $release main" >"$sources/backports.list"
    APT_OPTIONS=(-o "Dir::Etc::sourceparts=$sources" -t "$release")
    install_packages "$@" || status=$?
    APT_OPTIONS=()
    rm -rf "$sources"
    return "$status"
}
