#!/usr/bin/env bash
# Makes the base images from Debian packages alone, where no image registry can be reached:
#
#   tonghop-base/debian:12      what the services run on
#   tonghop-base/postgres:15    in place of postgres:15, as far as docker-compose.yml uses it
#   tonghop-base/haproxy:2.6    in place of haproxy:2.6
#
#   deploy/base-images.sh [debian] [postgres] [haproxy]     all of them where none is named
#
# It needs root, docker, debootstrap and a Debian mirror, and nothing of any image registry. An image that this
# script already made, from the same script and settings, is left as it is; REFRESH=1 makes it anew, with the
# security updates of the day.
#
#   SUITE     bookworm
#   MIRROR    Debian's packages; debootstrap's own default where nothing is said
#   SECURITY  Debian's security updates; MIRROR with -security after it where nothing is said, none where empty
set -euo pipefail
cd "$(dirname "$0")"

SUITE=${SUITE:-bookworm}
MIRROR=${MIRROR:-}
REFRESH=${REFRESH:-}

refuse() { printf '%s\n' "$*" >&2; exit 1; }

[ $# -gt 0 ] || set -- debian postgres haproxy
for image in "$@"; do
    case $image in
        debian | postgres | haproxy) ;;
        *) refuse "there is no base image '$image'; there are debian, postgres, haproxy" ;;
    esac
done
command -v docker >/dev/null || refuse "docker is not installed (Debian: docker.io)"
docker version >/dev/null 2>&1 || refuse "the Docker daemon does not answer: is it running, and may $(id -un) use it?"

tag_of() {
    case $1 in
        debian) echo tonghop-base/debian:12 ;;
        postgres) echo tonghop-base/postgres:15 ;;
        haproxy) echo tonghop-base/haproxy:2.6 ;;
    esac
}

# What an image is made from, as a digest; it stands on the image as a label.
made_from() {
    {
        cat "$(basename "$0")" "images/$1"*
        printf '%s\n' "$SUITE" "$MIRROR" "${SECURITY-default}"
        uname -m
    } | sha256sum | cut -c1-16
}

missing=()
for image in "$@"; do
    there=$(docker image inspect --format '{{index .Config.Labels "tonghop.made-from"}}' "$(tag_of "$image")" 2>/dev/null || true)
    if [ "$there" = "$(made_from "$image")" ] && [ -z "$REFRESH" ]; then
        echo "$(tag_of "$image") is there"
    else
        missing+=("$image")
    fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || refuse "making ${missing[*]} needs root, because debootstrap does: sudo $0"
command -v debootstrap >/dev/null || refuse "debootstrap is not installed (Debian: debootstrap)"

work=$(mktemp -d --tmpdir tonghop-base.XXXXXX)
trap 'rm -rf "$work"' EXIT
# Others than root look into the images' directories.
chmod 755 "$work"

in_root() { chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "${@:2}"; }

# Runs with its output kept, and shown where it fails.
quietly() { "$@" >>"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; refuse "failed: $*"; }; }

packages() { # ROOT PACKAGE…
    quietly in_root "$1" apt-get install --yes --no-install-recommends "${@:2}"
}

# Everything is made from this.
base() {
    local root=$work/base mirror security
    # shellcheck disable=SC2086 # no mirror is no argument
    quietly debootstrap --variant=minbase "$SUITE" "$root" $MIRROR
    mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")
    security=${SECURITY-${mirror%/}-security}
    if [ -n "$security" ]; then
        echo "deb $security $SUITE-security main" >>"$root/etc/apt/sources.list"
    fi
    printf 'path-exclude=%s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' \
        '/usr/share/lintian/*' >"$root/etc/dpkg/dpkg.cfg.d/slim"
    # No service starts while an image is made.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    quietly in_root "$root" apt-get update
    quietly in_root "$root" apt-get --yes upgrade
}

make_debian() {
    packages "$1" ca-certificates
}

make_postgres() {
    # The number that the image which this one stands in for has, so that either can take over the other's volume.
    in_root "$1" groupadd --system --gid 999 postgres
    in_root "$1" useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres
    # Debian's package would make a cluster at once.
    mkdir -p "$1/etc/postgresql-common"
    echo 'create_main_cluster = false' >"$1/etc/postgresql-common/createcluster.conf"
    packages "$1" postgresql-15
    # The compiler for long queries, of which there are none here, is a quarter of the image; perl and the
    # wrappers are for several clusters on one machine.
    rm -rf "$1"/usr/lib/postgresql/15/lib/{llvmjit*,bitcode} "$1"/usr/lib/postgresql/15/lib/pgxs
    quietly in_root "$1" dpkg --remove --force-depends libllvm14 libz3-4 postgresql-client-common perl perl-modules-5.36 \
        libperl5.36 ssl-cert postgresql-common
    rm -rf "$1"/etc/postgresql* "$1"/var/lib/postgresql
    install -d -o 999 -g 999 "$1/var/lib/postgresql" "$1/run/postgresql"
    install -d -o 999 -g 999 -m 700 "$1/var/lib/postgresql/data"
    install -m 755 images/postgres-start.sh "$1/usr/local/bin/postgres-start"
}

make_haproxy() {
    packages "$1" haproxy
    mkdir -p "$1/usr/local/etc/haproxy"
}

# What is needed to install packages, and never after.
trim() {
    rm -rf "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/tmp/* \
        "$1"/usr/share/{doc,man,info,locale,lintian}/* "$1"/usr/sbin/policy-rc.d "$1"/etc/resolv.conf "$1"/etc/hostname
    # A machine's identity is made where it runs.
    : >"$1/etc/machine-id"
}

started=$SECONDS
base
for image in "${missing[@]}"; do
    root=$work/$image
    cp -a "$work/base" "$root"
    "make_$image" "$root"
    trim "$root"
    former=$(docker image inspect --format '{{.Id}}' "$(tag_of "$image")" 2>/dev/null || true)
    mkdir "$work/context"
    tar -C "$root" --numeric-owner --one-file-system -cf "$work/context/root.tar" .
    quietly docker build --tag "$(tag_of "$image")" --label "tonghop.made-from=$(made_from "$image")" \
        --file "images/$image.Dockerfile" "$work/context"
    rm "$work/context/root.tar"
    rmdir "$work/context"
    # What had the name before goes, unless it is in use.
    [ -z "$former" ] || docker image rm "$former" >/dev/null 2>&1 || true
    rm -rf "$root"
    size=$(docker image inspect --format '{{.Size}}' "$(tag_of "$image")")
    echo "$(tag_of "$image"): $((size / 1000000)) MB, $((SECONDS - started)) s since the start"
done
