#!/usr/bin/env bash
# Carries out docker/Dockerfile without a Docker engine, and starts what it makes.
#
# The steps are read from the Dockerfile. The build stage's COPY and `RUN swift` steps run with this machine's toolchain; its
# packages are compared with what is installed here. The run stage's steps run in a bare Debian root from debootstrap.
# There Crema is started as the image would be: non-root, without capabilities, on a read-only root, with no network but
# loopback. Needs root (or sudo). The Debian layer is kept in .build/docker and made anew when its steps change.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
work=$repository/.build/docker
dockerfile=docker/Dockerfile
ignore=docker/Dockerfile.dockerignore

say() { printf 'docker check: %s\n' "$*"; }
fail() {
    printf 'docker check FAILED: %s\n' "$*" >&2
    exit 1
}

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "needs root for debootstrap and chroot, and there is no sudo"
    exec sudo env "PATH=$PATH" "$0"
fi
say "no Docker engine is used: $dockerfile is read and its steps are run by this script"
mkdir -p "$work"

# What `docker build` would see: nothing but the exceptions of the ignore file, as committed or about to be.
make_context() {
    [ "$(grep -v '^#' "$ignore" | head -n 1)" = '*' ] || fail "$ignore must begin with *"
    rm -rf "$work/context"
    mkdir -p "$work/context"
    sed -n 's/^!//p' "$ignore" |
        xargs git -c safe.directory='*' ls-files --cached --others --exclude-standard -- |
        tar --create --files-from=- | tar --extract --directory="$work/context"
}

# The words of a JSON array of plain strings, one a line; anything else is no exec form.
exec_form() {
    python3 -c 'import json, sys; print("\n".join(json.loads(sys.argv[1])))' "$1" 2>/dev/null ||
        fail "not in exec form: $1"
}

# COPY [--from=build] SOURCE... TARGET, from the context or the build stage, into a root with a working directory.
copy() {
    local root=$1 directory=$2 from=$work/context target source
    shift 2
    if [ "$1" = --from=build ]; then
        from=$work/build
        shift
    fi
    target=${*: -1}
    [[ $target = /* ]] || target=$directory/$target
    set -- "${@:1:$#-1}"
    [[ $# -eq 1 || $target = */ ]] || fail "COPY of several files needs a target that ends in /"
    for source in "$@"; do
        [ -e "$from/$source" ] || fail "COPY $source: not in the $([ "$from" = "$work/build" ] && echo 'build stage' || echo context)"
        mkdir -p "$root/$(dirname "$target.")"
        if [ -d "$from/$source" ]; then
            mkdir -p "$root/$target"
            cp -a "$from/$source/." "$root/$target/"
        else
            cp -aL "$from/$source" "$root/$target"
            chown root:root "$root/$target" 2>/dev/null || true
        fi
    done
}

# Debian's packages from wherever this machine's apt gets them.
debian_root() {
    local root=$1 mirror
    # shellcheck disable=SC2016 # apt-get's own placeholders
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "bookworm" && $3 == "main" { print $4; exit }')
    [ -n "$mirror" ] || fail "this machine's apt names no archive for Debian bookworm"
    say "debootstrap of a bare bookworm root"
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
        fail "debootstrap, see $work/debootstrap.log"
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian //p' >"$root/etc/apt/sources.list"
    apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets' >"$root/etc/apt/apt.conf.d/99acquire" || true
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

build_stage() {
    local instruction rest directory=/ package
    # What an earlier run copied must not hide a COPY that is missing now; what it built may stay.
    mkdir -p "$work/build"
    find "$work/build" -name .build -prune -o -type f -exec rm {} +
    while read -r instruction rest; do
        case $instruction in
            WORKDIR) directory=$rest ;;
            COPY)
                mkdir -p "$work/build$directory"
                # shellcheck disable=SC2086 # the words of the step
                copy "$work/build" "$directory" $rest
                ;;
            RUN)
                case $rest in
                    apt-get*)
                        # shellcheck disable=SC2046 # the words between `install` and `&&`
                        set -- $(sed -e 's/.* install //' -e 's/ &&.*//' <<<"$rest")
                        for package in "$@"; do
                            [[ $package = -* ]] || dpkg-query --show "$package" >/dev/null || fail "$package is not installed here"
                        done
                        say "build stage: the packages are installed here: $*"
                        ;;
                    swift*)
                        say "build stage: $rest"
                        (cd "$work/build$directory" && bash -c "$rest") >"$work/build.log" 2>&1 || {
                            tail -n 30 "$work/build.log" >&2
                            fail "build stage: $rest"
                        }
                        tail -n 1 "$work/build.log"
                        ;;
                    *) fail "the build stage has a step this script does not know: $rest" ;;
                esac
                ;;
            *) fail "the build stage has an instruction this script does not know: $instruction" ;;
        esac
    done
}

run_stage() {
    local root=$work/root key=bookworm instruction rest directory=/ user=0:0 copied=no layer
    rm -rf "$root"
    : >"$work/settings"
    while read -r instruction rest; do
        case $instruction in
            RUN)
                [ "$user$copied" = 0:0no ] || fail "RUN after USER or COPY is not expected: the kept layer would not see a change"
                key=$(printf '%s\n%s' "$key" "$rest" | sha256sum | cut -c 1-16)
                layer=$work/layer-$key.tar
                if [ ! -e "$layer" ]; then
                    [ -d "$root" ] || debian_root "$root"
                    say "run stage: RUN in the bare root"
                    in_root "$root" "cd $directory && $rest" >"$work/run.log" 2>&1 || fail "RUN, see $work/run.log"
                    tar --create --file="$layer.new" --numeric-owner --directory="$root" .
                    mv "$layer.new" "$layer"
                else
                    say "run stage: RUN is unchanged, its layer is taken from .build/docker"
                    rm -rf "$root"
                    mkdir "$root"
                    tar --extract --file="$layer" --numeric-owner --directory="$root"
                fi
                ;;
            COPY)
                [ -d "$root" ] || debian_root "$root"
                copied=yes
                say "run stage: COPY $rest"
                # shellcheck disable=SC2086 # the words of the step
                copy "$root" "$directory" $rest
                ;;
            WORKDIR)
                directory=$rest
                [ -d "$root$rest" ] || fail "WORKDIR $rest does not exist: the image would make it, owned by root"
                ;;
            USER) user=$rest ;;
            ENTRYPOINT | CMD) exec_form "$rest" | sed "s/^/$instruction /" >>"$work/settings" ;;
            HEALTHCHECK) exec_form "${rest#*CMD }" | sed "s/^/HEALTHCHECK /" >>"$work/settings" ;;
            LABEL | EXPOSE | VOLUME) ;;
            *) fail "the run stage has an instruction this script does not know: $instruction" ;;
        esac
    done
    [[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "USER must be a numeric, non-root uid:gid, not $user"
    [ "$(grep -c '^ENTRYPOINT' "$work/settings")" -gt 0 ] || fail "no ENTRYPOINT"
    [ "$(grep -c '^HEALTHCHECK' "$work/settings")" -gt 0 ] || fail "no HEALTHCHECK"
    printf 'USER %s\nWORKDIR %s\n' "$user" "$directory" >>"$work/settings"
}

# A command in the bare root, with its own mounts and processes, and with the network.
in_root() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork bash -c '
        mount -t proc proc "$1/proc"
        exec chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            DEBIAN_FRONTEND=noninteractive HOME=/root sh -ec "$2"' - "$1" "$2"
}

# The Dockerfile's instructions of one stage, continuation lines joined.
stage() {
    sed -e '/^#/d' -e ':join' -e '/\\$/{N;s/\\\n */ /;b join' -e '}' "$dockerfile" |
        awk -v wanted="$1" '$1 == "FROM" { stage++; next } stage == wanted && NF { print }'
}

make_context
[ "$(grep -c '^FROM' "$dockerfile")" -eq 2 ] || fail "two stages are expected"
grep -q '^FROM .* AS build$' "$dockerfile" || fail "the first stage must be named build"
build_stage < <(stage 1)
run_stage < <(stage 2)
say "starting it as the image would: $(awk '{ printf "%s ", $2 }' <<<"$(grep -E '^(ENTRYPOINT|CMD) ' "$work/settings")")"
unshare --mount --net --pid --fork docker/check-start.sh "$work"
say "passed"
