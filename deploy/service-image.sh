#!/usr/bin/env bash
# Makes the services' image from binaries that cargo built outside, with no network:
#
#   cargo build --release --workspace --bins
#   deploy/service-image.sh target/release [TAG]
#
# The directory has tonghop, tonghop-ingestion, tonghop-aggregation and tonghop-query; what is needed to debug them
# is stripped from the image's copies. TAG is tonghop:local where nothing is said, BASE_IMAGE tonghop-base/debian:12,
# which deploy/base-images.sh makes. The binaries must be built on a system whose C library is not newer than the
# base image's (Debian 12: glibc 2.36). PURPOSE stands on the image as the label tonghop.purpose.
set -euo pipefail

refuse() { printf '%s\n' "$*" >&2; exit 1; }

if [ $# -lt 1 ] || [ $# -gt 2 ]; then refuse "usage: $0 DIRECTORY-WITH-BINARIES [TAG]"; fi
directory=$1
tag=${2:-tonghop:local}
base=${BASE_IMAGE:-tonghop-base/debian:12}
dockerfile=$(cd "$(dirname "$0")" && pwd)/Dockerfile.prebuilt

docker image inspect "$base" >/dev/null 2>&1 || refuse "the base image $base is not there: deploy/base-images.sh debian"

work=$(mktemp -d --tmpdir tonghop-image.XXXXXX)
trap 'rm -rf "$work"' EXIT
context=$work/context
mkdir "$context"
for binary in tonghop tonghop-ingestion tonghop-aggregation tonghop-query; do
    [ -x "$directory/$binary" ] || refuse "$directory/$binary is not there: cargo build --release --workspace --bins"
    if command -v strip >/dev/null; then
        strip -o "$context/$binary" "$directory/$binary"
    else
        cp "$directory/$binary" "$context/$binary"
    fi
    chmod 755 "$context/$binary"
done
command -v strip >/dev/null || echo "strip is not installed (Debian: binutils); the image is larger than it need be" >&2

docker build --network none --build-arg BASE_IMAGE="$base" --label "tonghop.purpose=${PURPOSE:-service}" \
    --file "$dockerfile" --tag "$tag" "$context" >"$work/log" 2>&1 || { cat "$work/log" >&2; refuse "$tag cannot be made"; }
# shellcheck disable=SC2016 # the container's shell expands it
docker run --rm --network none "$tag" sh -c 'for binary in tonghop tonghop-ingestion tonghop-aggregation tonghop-query; do
    "$binary" --version >/dev/null || exit 1; done' || refuse "the binaries of $directory do not run on $base"
size=$(docker image inspect --format '{{.Size}}' "$tag")
echo "$tag: $((size / 1000000)) MB"
