#!/bin/sh
# What an installed package must do, without the checkout, a network or rights: smoke.sh COMMAND FOLDER
#
# COMMAND is the installed `chemvae`, FOLDER an empty one to work in. The image, the conda recipe and .ci/run end with this.
set -eu
chemvae=$1
cd "$2"
export HOME=$PWD XDG_CACHE_HOME=$PWD/cache MPLBACKEND=Agg
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 # nothing answers there: what asks the network fails
unset PYTHONPATH

"$chemvae" --version
"$chemvae" doctor
"$chemvae" sample -n 5 --seed 1 --output sampled.csv
"$chemvae" predict sampled.csv --output predicted.csv
test "$(wc -l <predicted.csv)" -eq 6
"$chemvae" demo --train --fast --output demo
test -s demo/report.html
test -s demo/results.json
