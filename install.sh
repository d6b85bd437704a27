#!/bin/sh
# Builds authd for this machine's processor and installs it, or starts it where you are.
# What is installed is listed in PREFIX/share/authd/installed, which --uninstall reads. With --system it becomes
# a service of systemd, too: configuration, key and data are made once and never touched again.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix DIR]              build, and install under DIR (default /usr/local)
       ./install.sh --system [--prefix DIR]     the same, and set up the service authd of systemd
       ./install.sh --uninstall [--system] [--prefix DIR]
                                                remove what was installed; data is never touched
       ./install.sh --run [ARGUMENT...]         build quickly, and start `authd serve` in the current folder
       ./install.sh --help

Installed are the programs authd and authctl, their manual pages, and completions for bash, zsh
and fish. The build needs Rust and a C compiler; as root on Debian and Ubuntu, this asks whether to
install what is missing of them, and --yes says so beforehand. It runs as you; only the copying asks
for sudo, when you may not write to DIR. Running it again upgrades; a daemon that runs keeps its old
program until it is restarted. What --run builds is there sooner, and slower in all but hashing.

With --system come the user authd, /etc/authd/authd.toml, a root key that root alone may read,
/var/lib/authd for the database, and the unit authd.service. What is there stays as it is; nothing
is started. --root DIR does all of it below DIR, as for an image, and so does DESTDIR.

Environment: INSTALL_BINARY names a program that is built already; DESTDIR stands before all paths.
END
}

# say LINE...: the first line names the script, further ones stand under it.
say() {
    printf 'install.sh: %s\n' "$1" >&2
    shift
    for line; do printf '            %s\n' "$line" >&2; done
}
die() {
    say "$@"
    exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
temporary=

clean() { if [ -n "$temporary" ]; then rm -rf -- "$temporary"; fi; }
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Leaves the path of cargo in $cargo, or nothing.
find_cargo() {
    cargo=$(command -v cargo || true)
    if [ -z "$cargo" ] && [ -x "${HOME:-/}/.cargo/bin/cargo" ]; then
        cargo=$HOME/.cargo/bin/cargo
        PATH=$HOME/.cargo/bin:$PATH
    fi
}

has_compiler() {
    for compiler in "${CC:-cc}" cc gcc clang; do
        if command -v "$compiler" >/dev/null 2>&1; then return; fi
    done
    return 1
}

# at_least FOUND WANTED: versions, of which the first two numbers count.
at_least() {
    major=${1%%.*} minor=${1#*.}
    minor=${minor%%[!0-9]*}
    [ "$major" -gt "${2%%.*}" ] || { [ "$major" -eq "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

# Sees to a compiler for each language: what is missing is installed, or this ends and says what to do.
find_compilers() {
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/Cargo.toml")
    find_cargo
    rust=missing
    if [ -n "$cargo" ]; then
        found=$("$cargo" --version | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
        if at_least "${found:-0.0}" "$wanted"; then rust=; else rust=old; fi
    fi
    if [ -z "$rust" ] && has_compiler; then return; fi
    if [ -n "$rust" ] && [ -n "${SUDO_USER:-}" ] && has_own_cargo "$SUDO_USER"; then
        die "cargo, which builds authd, is not there for $(id -un)." \
            "Run ./install.sh as $SUDO_USER, without sudo: it asks for it when it copies."
    fi
    # What rustup installed, it brings up to date.
    if [ "$rust" = old ] && command -v rustup >/dev/null 2>&1; then lack; fi
    may_install || lack
    install_compilers
}

has_own_cargo() {
    home=$(getent passwd "$1" | cut -d: -f6)
    [ -x "$home/.cargo/bin/cargo" ]
}

# Ends, and says what is missing and how to come by it.
lack() {
    how=
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        how="Or let this install it with apt-get: ./install.sh --yes, and what else you gave it."
    fi
    case $rust in
    missing)
        die "cargo, which builds authd, is not installed." \
            "Install Rust from https://rustup.rs (or your system's packages) and run this again." ${how:+"$how"}
        ;;
    old) die "Rust $wanted or newer is needed, this is ${found:-unknown}." "Run: rustup update" ${how:+"$how"} ;;
    esac
    die "a C compiler, which builds SQLite and the cryptography, is not installed." \
        "Debian, Ubuntu: apt install gcc libc6-dev   Fedora: dnf install gcc   Alpine: apk add gcc musl-dev   macOS: xcode-select --install" \
        ${how:+"$how"}
}

# Whether the system's packages may be installed: as root on Debian and the like, who said so or says so now.
may_install() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then return 1; fi
    [ -z "$yes" ] || return 0
    if ! [ -t 0 ] || ! [ -t 2 ]; then return 1; fi
    what=
    if ! has_compiler; then what="a C compiler"; fi
    if [ -n "$rust" ]; then what="${what:+$what and }Rust $wanted or newer"; fi
    printf 'install.sh: authd is built by what is not here: %s. Install it with apt-get? [Y/n] ' "$what" >&2
    read -r answer || return 1
    case $answer in '' | [Yy]*) ;; *) return 1 ;; esac
}

# version_of PACKAGE: the one that apt would install, without its epoch; nothing where there is none.
version_of() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9].*\)/\2/p'; }

# Leaves in $packages what is to be installed, and in $toolchain whether rustup then has to fetch one.
choose_packages() {
    packages=
    toolchain=
    if ! has_compiler; then packages="gcc libc6-dev"; fi
    [ -n "$rust" ] || return 0
    # Cargo fetches over TLS.
    [ -e /etc/ssl/certs/ca-certificates.crt ] || packages="$packages ca-certificates"
    # Debian's own compiler where it is new enough (the stable release has a newer one for its browsers); else rustup.
    for suffix in '' -web; do
        version=$(version_of "cargo$suffix")
        if [ -n "$version" ] && at_least "$version" "$wanted"; then
            packages="$packages cargo$suffix rustc$suffix"
            return
        fi
    done
    if [ -z "$(version_of rustup)" ]; then
        die "this system's packages have neither Rust $wanted nor rustup." \
            "Install Rust from https://rustup.rs and run this again."
    fi
    packages="$packages rustup"
    toolchain=stable
}

install_compilers() {
    say "looking up what this system's packages have: apt-get update"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
    choose_packages
    packages=${packages# }
    say "installing: apt-get install $packages"
    # What is there stays: where a package conflicts with one of these, apt says so and does nothing.
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-remove --no-install-recommends $packages >&2 ||
        die "apt-get could not install $packages; what it says stands above."
    if [ -n "$toolchain" ]; then
        say "fetching Rust's compiler: rustup default $toolchain"
        rustup set profile minimal >&2
        rustup default "$toolchain" >&2 || die "rustup could not fetch the compiler; what it says stands above."
    fi
    find_cargo
    [ -n "$cargo" ] || die "cargo is not there, though $packages is installed."
    say "installed $packages${toolchain:+ and Rust ($toolchain)}; apt-get remove takes them away again"
}

# Leaves the path of the program in $binary.
build() {
    # An archive of tools/release has no sources.
    if [ -z "${INSTALL_BINARY:-}" ] && [ ! -e "$here/Cargo.toml" ]; then INSTALL_BINARY=$here/authd; fi
    if [ -n "${INSTALL_BINARY:-}" ]; then
        binary=$INSTALL_BINARY
        [ -x "$binary" ] || die "INSTALL_BINARY names $binary, which is no program."
        binary=$(CDPATH='' cd -- "$(dirname -- "$binary")" && pwd)/$(basename -- "$binary")
        return
    fi
    find_compilers
    say "building for this machine's processor; $expected"
    begun=$(date +%s)
    # Password hashing gains nothing by this any more: it chooses its instructions when it runs.
    # In its folder, where cargo finds how SQLite is built. Cargo shows how far it is.
    (cd "$here" && RUSTFLAGS="${RUSTFLAGS:-} -C target-cpu=native" "$cargo" build --profile "$profile" --locked --bin authd --target-dir target) ||
        die "the build failed; the message of the compiler stands above."
    seconds=$(($(date +%s) - begun))
    say "built in $((seconds / 60)) min $((seconds % 60)) s"
    binary=$here/target/$profile/authd
    ln -sf authd "$here/target/$profile/authctl"
}

# Leaves `sudo` in $sudo where the user may not write below the prefix, or is to set up a service.
find_sudo() {
    sudo=
    if [ -n "$system" ] && [ -z "$destination" ] && [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || die "only root may set up a service." "Run this as root."
        say "setting up a service needs root: doing that with sudo"
        sudo=sudo
        return
    fi
    folder=$root
    while [ ! -e "$folder" ]; do folder=$(dirname -- "$folder"); done
    if [ -w "$folder" ] && { [ ! -e "$root/bin" ] || [ -w "$root/bin" ]; }; then return; fi
    command -v sudo >/dev/null 2>&1 || die "$(id -un) may not write to $root." \
        "Run this as root, or install for yourself alone: ./install.sh --prefix \"\$HOME/.local\""
    say "$(id -un) may not write to $root: copying with sudo"
    sudo=sudo
}

# put FILE PATH MODE: copies beside the target and renames, so that a program that runs is not disturbed.
put() {
    place "$1" "$root/$2" "$3"
    printf '%s\n' "$2" >>"$temporary/installed"
}

# place FILE PATH MODE: the same, for what is not listed.
place() {
    $sudo mkdir -p -- "$(dirname -- "$2")"
    $sudo cp -- "$1" "$2.new"
    $sudo chmod "$3" "$2.new"
    $sudo mv -f -- "$2.new" "$2"
}

install_all() {
    build
    find_sudo
    temporary=$(mktemp -d)
    umask 022
    put "$binary" bin/authd 755
    $sudo ln -sf authd "$root/bin/authctl"
    printf 'bin/authctl\n' >>"$temporary/installed"
    for page in "$here"/man/*.[1-9]; do
        [ -e "$page" ] || continue
        put "$page" "share/man/man${page##*.}/${page##*/}" 644
    done
    ln -s "$binary" "$temporary/authd"
    ln -s "$binary" "$temporary/authctl"
    for name in authd authctl; do
        completion "$name" bash "share/bash-completion/completions/$name"
        completion "$name" zsh "share/zsh/site-functions/_$name"
        completion "$name" fish "share/fish/vendor_completions.d/$name.fish"
    done
    remove_stale
    cp "$temporary/installed" "$temporary/list"
    put "$temporary/list" share/authd/installed 644
    say "installed under $root: authd, authctl, manual pages, completions"
    if [ -n "$system" ]; then set_up_service; fi
    case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) say "$prefix/bin is not in your PATH; add it to find them by name" ;;
    esac
    [ -n "$system" ] || say "start it with: authd serve      see also: authctl --help"
}

# The admin's folder of units, which systemd finds under any prefix. Own changes stand in drop-ins beside it.
units=/etc/systemd/system

set_up_service() {
    make_user
    for unit in service socket; do
        sed "s|/usr/bin/authd|$prefix/bin/authd|" "$here/data/systemd/authd.$unit" >"$temporary/unit"
        place "$temporary/unit" "$destination$units/authd.$unit" 644
    done
    config=$destination/etc/authd/authd.toml
    $sudo test -e "$config" || place "$here/data/authd.toml" "$config" 644
    $sudo mkdir -p -- "$destination/var/lib/authd"
    $sudo chmod 700 "$destination/var/lib/authd"
    [ -z "$owner" ] || $sudo chown "$owner" "$destination/var/lib/authd"
    make_key
    say "set up the service authd: $config, $key, $destination/var/lib/authd"
    if systemd_runs && { $sudo systemctl daemon-reload; systemctl is-active --quiet authd.service; }; then
        say "the service runs the old program until you say: systemctl restart authd"
    else
        say "next: set public_url in $config; then: systemctl enable --now authd" \
            "then: sudo authctl user add you@example.com --verified --role admin"
    fi
}

# Leaves the user and group in $owner, for chown; nothing where none could be made.
make_user() {
    owner=authd:authd
    if [ -z "$destination" ]; then
        if id -u authd >/dev/null 2>&1; then return; fi
        if command -v systemd-sysusers >/dev/null 2>&1; then
            $sudo systemd-sysusers - <"$here/data/authd.sysusers"
        elif command -v useradd >/dev/null 2>&1; then
            $sudo useradd --system --user-group --home-dir /var/lib/authd --no-create-home --shell /usr/sbin/nologin authd
        else
            die "the user authd can't be made: neither systemd-sysusers nor useradd is there." \
                "Make a system user and group authd, and run this again."
        fi
    elif [ "$(id -u)" -eq 0 ] && command -v systemd-sysusers >/dev/null 2>&1; then
        mkdir -p -- "$destination/etc"
        systemd-sysusers --root="$destination" - <"$here/data/authd.sysusers"
        # The numbers count that the user has there.
        owner=$(sed -n 's/^authd:[^:]*:\([0-9]*:[0-9]*\):.*/\1/p' "$destination/etc/passwd")
    else
        owner=
        say "no user authd was made under $destination, which takes root and systemd-sysusers"
    fi
}

# 256 random bits in hexadecimal, once: a new key would not open an old database.
make_key() {
    key=$destination/etc/authd/authd.key
    if $sudo test -e "$key"; then return; fi
    if $sudo test -s "$destination/var/lib/authd/authd.db"; then
        die "there is a database in $destination/var/lib/authd, and its key file $key is missing." \
            "Bring it back from the backup and run this again."
    fi
    # shellcheck disable=SC2016 # for the inner shell
    $sudo sh -c 'umask 077
        digits=$(od -An -v -tx1 -N32 /dev/urandom | tr -d " \n")
        [ "${#digits}" -eq 64 ] && printf "%s\n" "$digits" >"$1.new" && mv "$1.new" "$1"' sh "$key"
}

systemd_runs() { [ -z "$destination" ] && [ -d /run/systemd/system ]; }

remove_service() {
    find_sudo
    if systemd_runs; then $sudo systemctl disable --quiet --now authd.service authd.socket || true; fi
    $sudo rm -f -- "$destination$units/authd.service" "$destination$units/authd.socket"
    if systemd_runs; then $sudo systemctl daemon-reload; fi
    say "removed the service authd; left as they were: the configuration and the key in $destination/etc/authd," \
        "the data in $destination/var/lib/authd, and the user authd"
}

# completion NAME SHELL PATH: the program writes its own completions; what it is called decides for whom.
completion() {
    "$temporary/$1" completion "$2" >"$temporary/completion" || die "$1 completion $2 failed."
    put "$temporary/completion" "$3" 644
}

# Removes what an older version installed and this one has no more.
remove_stale() {
    [ -f "$root/share/authd/installed" ] || return 0
    while IFS= read -r path; do
        if ! grep -qxF -e "$path" -e share/authd/installed "$temporary/installed"; then remove "$path"; fi
    done <"$root/share/authd/installed"
}

remove() {
    case $1 in
    share/authd/installed) ;;
    *..* | /*) say "left alone: $1" ;;
    *) $sudo rm -f -- "$root/$1" ;;
    esac
}

uninstall_all() {
    if [ -n "$system" ]; then remove_service; fi
    if [ ! -f "$root/share/authd/installed" ]; then
        say "nothing of authd is installed under $root"
        return
    fi
    find_sudo
    while IFS= read -r path; do remove "$path"; done <"$root/share/authd/installed"
    $sudo rm -f -- "$root/share/authd/installed"
    $sudo rmdir -- "$root/share/authd" 2>/dev/null || true
    say "removed from $root; databases, keys and configuration are where they were"
}

run_here() {
    profile=quick
    expected="the first time takes about 4 minutes on two cores"
    build
    say "starting in $(pwd); from a second terminal there: $(dirname -- "$binary")/authctl --help"
    exec "$binary" serve "$@"
}

prefix=/usr/local
destination=${DESTDIR:-}
system=
yes=
profile=release
expected="optimised in full, which takes 3 to 8 minutes the first time on two cores"
action=install_all
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || die "--prefix needs a folder."
        prefix=$2
        shift
        ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --root)
        [ $# -ge 2 ] || die "--root needs a folder."
        destination=$2
        shift
        ;;
    --root=*) destination=${1#--root=} ;;
    --system) system=yes ;;
    -y | --yes) yes=yes ;;
    --uninstall) action=uninstall_all ;;
    --run)
        shift
        run_here "$@"
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        die "$1 is no option of this script."
        ;;
    esac
    shift
done
[ -n "$prefix" ] || die "--prefix needs a folder."
case $prefix in
/*) ;;
*) prefix=$(pwd)/$prefix ;;
esac
case $destination in
'' | /*) ;;
*) destination=$(pwd)/$destination ;;
esac
case $system$prefix in
yes*[!A-Za-z0-9/._-]*) die "--system needs a prefix of letters, digits and . _ - alone, for the unit; this is $prefix." ;;
esac
root=$destination$prefix
$action
