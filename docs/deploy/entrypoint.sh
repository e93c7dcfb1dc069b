#!/bin/sh
# Deploys, then becomes the application: entrypoint.sh PROGRAM [ARGUMENT...]
set -eu

windlass deploy --lock-wait 10m &
deploying=$!

# A shell that is a container's first process obeys no signal by itself, and passes none on. Windlass stops
# after the running statement, and ends with code 9.
trap 'kill -TERM "$deploying" 2>/dev/null || :' TERM INT

code=0
wait "$deploying" || code=$?
# A signal ends the wait, not the deploy.
while kill -0 "$deploying" 2>/dev/null; do
    code=0
    wait "$deploying" || code=$?
done
[ "$code" -eq 0 ] || exit "$code"

trap - TERM INT
exec "$@"
