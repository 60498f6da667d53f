#!/usr/bin/env bash
# Train on all devices of this machine: bash one_machine.sh FLAGS...
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python experiments/train.py --backend=jax --strategy=data_parallel "$@"
