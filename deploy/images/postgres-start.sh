#!/bin/sh
# Starts PostgreSQL in a container, as the process that gets the container's signals. On an empty data directory
# it makes the cluster, the user and the database first, as the image postgres:15 does with the same settings:
#
#   POSTGRES_PASSWORD_FILE   a file with the password, required the first time
#   POSTGRES_USER            postgres
#   POSTGRES_DB              as POSTGRES_USER
#   POSTGRES_INITDB_ARGS     further arguments of initdb
#   PGDATA                   /var/lib/postgresql/data
#
# Arguments are those of `postgres`, after its name: postgres -c shared_buffers=256MB
set -eu
umask 077

refuse() { printf '%s\n' "$*" >&2; exit 1; }

[ "${1:-}" = postgres ] || exec "$@"
[ "$(id -u)" != 0 ] || refuse "PostgreSQL refuses to run as root; the image's user is postgres"

data=${PGDATA:-/var/lib/postgresql/data}
# A start that was cut short begins again: nothing ever ran on what it left.
unfinished=$data/unfinished
if [ -e "$unfinished" ]; then
    find "$data" -mindepth 1 -maxdepth 1 ! -name unfinished ! -name lost+found -exec rm -rf {} +
    rm "$unfinished"
fi
if [ ! -s "$data/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    file=${POSTGRES_PASSWORD_FILE:-}
    [ -n "$file" ] || refuse "POSTGRES_PASSWORD_FILE must name a file with the database's password"
    [ -r "$file" ] || refuse "$file, of POSTGRES_PASSWORD_FILE, cannot be read by $(id -un)"
    [ -s "$file" ] || refuse "$file, of POSTGRES_PASSWORD_FILE, is empty"
    chmod 700 "$data"
    : >"$unfinished"
    # In a directory of its own, since the place must be empty for initdb.
    making=$data/making
    # shellcheck disable=SC2086 # several arguments
    initdb --pgdata="$making" --username="$user" --pwfile="$file" --auth-local=trust --auth-host=scram-sha-256 \
        --data-checksums --encoding=UTF8 --locale=C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >>"$making/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s";\n' "$(printf %s "$database" | sed 's/"/""/g')" |
            postgres --single -D "$making" -j postgres >/dev/null
    fi
    mv "$making"/* "$data/"
    rmdir "$making"
    sync
    rm "$unfinished"
fi

shift
exec postgres -D "$data" -c listen_addresses='*' "$@"
