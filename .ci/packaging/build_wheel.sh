#!/bin/sh
# Build the wheel of this checkout into a folder: build_wheel.sh PYTHON FOLDER. The image and .ci/run build it so.
set -eu
exec "$1" -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir "$2" "$(dirname "$0")/../.."
