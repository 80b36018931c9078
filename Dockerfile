# The image of all services, built from source. Without internet: deploy/service-image.sh.
#
# Dependencies have a layer of their own, which is made anew only when a manifest or the lock file changes; nothing
# here needs more than Docker's classic builder.
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

# The manifests, and an empty source for every target, so that cargo finds something to build.
FROM ${RUST_IMAGE} AS manifests
WORKDIR /manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -name build.rs ! -name config.toml ! -path '*/benches/*.rs' \
        ! -path '*/src/main.rs' ! -path '*/src/lib.rs' -delete \
    && find . -name Cargo.toml -path './*/*' -execdir sh -c 'mkdir -p src && touch src/lib.rs' \; \
    && find . -name '*.rs' -exec sh -c 'for file; do echo "fn main() { }" > "$file"; done' sh {} + \
    && find . -type d -empty -delete

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# Symbols are a third of a binary.
ENV CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_STRIP=symbols
COPY --from=manifests /manifests .
RUN cargo build --release --locked --bins -p tonghop -p tonghop-ingestion -p tonghop-aggregation -p tonghop-query
COPY . .
# The empty sources were built later than the real ones were written, which cargo would take for up to date.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bins -p tonghop -p tonghop-ingestion -p tonghop-aggregation -p tonghop-query \
    && mkdir /binaries \
    && mv target/release/tonghop target/release/tonghop-ingestion target/release/tonghop-aggregation target/release/tonghop-query /binaries/

FROM ${BASE_IMAGE}
COPY --from=build /binaries/ /usr/local/bin/
# Nobody in particular: the services own no file.
USER 10001:10001
CMD ["tonghop", "--help"]
