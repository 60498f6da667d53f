#!/usr/bin/env bash
# The first minutes on a GPU, what matters most first:
#   bash experiments/gpu_first.sh [FOLDER]
# leaves a NAME.jsonl for each step in FOLDER (or $OUT, or gpu_first), beside
# what it printed; a step that fails or takes too long does not stop the rest.
# Variables:
#   MINUTES   for everything [8]; what a step leaves over, later ones have
#   DATA_DIR  data for `reproduce.py run`, which then has the minutes left
#   FLAGS     further ones of benchmark.py, such as --backbone=resnet8
#   JAX_COMPILATION_CACHE_DIR  compiled programs [FOLDER/cache]; with one that
#             is kept, the next call begins where this one is compiled
set -uo pipefail
folder=${1:-${OUT:-gpu_first}}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/.."
root=$PWD
export PYTHONPATH=$root:$root/experiments${PYTHONPATH:+:$PYTHONPATH}
export KERAS_BACKEND=jax
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$folder/cache}
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0
end=$(($(date +%s) + ${MINUTES:-8} * 60))
shares=100 # of all steps below: each has its share of the time that is left

# step NAME SHARE COMMAND...: %M stands for nearly the minutes that it has
step() {
  local name=$1 share=$2 begin=$(date +%s)
  shift 2
  local seconds=$(((end - begin) * share / shares))
  shares=$((shares - share))
  if [ $seconds -lt 1 ]; then return; fi
  local minutes=$(awk "BEGIN { print $seconds * 0.7 / 60 }")
  timeout -k 5 $seconds "${@//%M/$minutes}" 2> "$folder/$name.log" |
    tee "$folder/$name.txt" |
    grep --line-buffered '^{' > "$folder/$name.jsonl"
  local status=${PIPESTATUS[0]}
  echo "{\"step\": \"$name\", \"status\": $status," \
    "\"seconds\": $(($(date +%s) - begin)), \"limit\": $seconds}" |
    tee -a "$folder/steps.jsonl"
}

# benchmark NAME SHARE FLAGS...
benchmark() {
  local name=$1 share=$2
  shift 2
  step "$name" "$share" python experiments/benchmark.py "$@" \
    --backend=jax --minutes=%M ${FLAGS:-}
}

nvidia-smi > "$folder/nvidia-smi.txt" 2>&1
step device 5 python -c "
import json, jax, files
devices = [*map(str, jax.devices())]
found = {'devices': devices, 'versions': files.versions()}
print(json.dumps({'device': files.device(), **found}))"

rivals=torch_channels_last,torch_compile
seeds=3_seeds,3_seeds_in_turn
benchmark overhead 15 overhead --contenders=fit,scan,stock_fit,$rivals
benchmark train_float32 20 train --contenders=fit,$rivals
benchmark train_bfloat16 20 train --contenders=fit,$rivals \
  --precision=mixed_bfloat16
benchmark ride 20 train --method=ride --contenders=fit,$rivals
benchmark seeds 15 train --contenders=fit,$seeds
benchmark trace 5 train --contenders=fit --rounds=1 --trace="$folder/trace"

left=$((end - $(date +%s)))
if [ -n "${DATA_DIR:-}" ] && [ $left -gt 0 ]; then
  python experiments/reproduce.py run --study=full --backend=jax \
    --data_dir="$DATA_DIR" --workdir="$folder/runs" \
    --results="$folder/results" --minutes=$(awk "BEGIN { print $left / 60 }")
fi
exit 0
