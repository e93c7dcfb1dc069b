#!/bin/sh
# Waits until the database has all migrations of this release, then becomes a program:
# wait.sh [PROGRAM [ARGUMENT...]]. For what runs beside the one that deploys. WAIT_SECONDS: 600 by default.
set -u

end=$(($(date +%s) + ${WAIT_SECONDS:-600}))
while :; do
    code=0
    told=$(windlass status --check 2>&1) || code=$?
    case $code in
        0) break ;;
        # Not all of it is applied yet; no server answers yet.
        8 | 6) ;;
        # Waiting mends nothing else.
        *) end=0 ;;
    esac
    if [ "$(date +%s)" -ge "$end" ]; then
        printf '%s\n' "$told" >&2
        exit "$code"
    fi
    sleep 1
done
exec "$@"
