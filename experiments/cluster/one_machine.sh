#!/usr/bin/env bash
# Train on all devices of this machine: bash one_machine.sh FLAGS...
# KERAS_BACKEND says whether with jax or with tensorflow.
set -euo pipefail
cd "$(dirname "$0")/../.."
backend=${KERAS_BACKEND:-jax}
strategy=data_parallel
if [ "$backend" = tensorflow ]; then strategy=mirrored; fi
exec python experiments/train.py --backend="$backend" --strategy=$strategy "$@"
