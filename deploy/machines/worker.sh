#!/bin/sh
# The same by a container, one for each GPU of this machine: sh worker.sh [GPU...], which are 0 if none is named.
set -eu
[ $# -gt 0 ] || set -- 0
for gpu in "$@"; do
  docker run --detach --restart unless-stopped --stop-timeout 180 --name "fcn-worker-$gpu" --hostname "$(hostname)-$gpu" \
    --gpus "device=$gpu" --read-only --tmpfs /tmp:size=4g --cap-drop ALL --security-opt no-new-privileges \
    --env-file /etc/fcn/worker.env --volume /etc/fcn/ca.crt:/etc/fcn/ca.crt:ro \
    registry.example.com/fcn:0.1.0 \
    worker --queue rediss://queue.example.internal:6379 --root s3://example-images s3://example-results \
    --adapter hardware --concurrency 2 --json
done
