#!/bin/sh
# Five minutes on a GPU: does the cuDNN path learn what the processor's does, what memory does a batch take, how fast is it?
#
#     CHEMVAE_DATA=FOLDER sh experiments/02-speed/gpu.sh [OUT]     # OUT: gpu.json, gpu-bench.json; default experiments/02-speed
#     DEVICE=cpu sh experiments/02-speed/gpu.sh OUT                # a rehearsal: whether it runs
set -eu
here=$(dirname "$0")
out=${1:-$here}
device=${DEVICE:-cuda}
mkdir -p "$out"
command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv
python "$here/gpu.py" --device "$device" --output "$out/gpu.json"
[ "$device" = cpu ] || python -m chemvae bench zinc250k --device "$device" --preset gpu --quick --json "$out/gpu-bench.json"
