#!/bin/sh
# Waits until the database has all migrations of this release, then becomes a program:
# wait.sh [PROGRAM [ARGUMENT...]]. For what runs beside the one that deploys. WAIT_SECONDS: 600 by default. What it
# waits for is told once, on standard error: it may be a password that is wrong.
set -u

end=$(($(date +%s) + ${WAIT_SECONDS:-600}))
last=
while :; do
    code=0
    told=$(windlass status --check 2>&1) || code=$?
    case $code in
        0) break ;;
        8)
            case $told in
                # A deploy is blocked, whoever tries it.
                *'waiting does not help'*) end=0 why=$last ;;
                *) why='not all migrations are applied yet' ;;
            esac
            ;;
        # No server answers yet.
        6) why=$told ;;
        # Waiting mends nothing else.
        *) end=0 why=$last ;;
    esac
    [ "$why" = "$last" ] || printf 'waiting: %s\n' "$why" >&2
    last=$why
    if [ "$(date +%s)" -ge "$end" ]; then
        printf '%s\n' "$told" >&2
        exit "$code"
    fi
    sleep 1
done
exec "$@"
