#!/usr/bin/env bash
# From the wheel adaptive-terrain-diffusion to a picture:
#
#     examples/terrain/terrain.sh [WHEEL.whl] [flags of the program terrain ...]
#
# Without a wheel, version 0.4.2 is fetched from PyPI by pip (39 MB). The model file is kept in build/terrain.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly version=0.4.2
readonly sum=dd803be2c98d764e4e64db18c631eef46c210282b398c4dd080f4cda3fa7c84d
readonly folder=build/terrain
readonly onnx=terrain_diffusion/weights/terrain_consistency_unet_difficulty100.onnx
mkdir -p "$folder"

if [[ ${1-} == *.whl ]]; then
  wheel=$1
  shift
else
  wheel=$folder/adaptive_terrain_diffusion-$version-py3-none-any.whl
  [[ -e $wheel ]] || python3 -m pip download --quiet --no-deps --dest "$folder" "adaptive-terrain-diffusion==$version"
fi
echo "$sum  $wheel" | sha256sum --check --quiet

./run build >/dev/null
if [[ ! -e $folder/terrain.safetensors ]]; then
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])' "$wheel" "$onnx" "$folder"
  build/release/bin/adadiff convert "$folder/$onnx" --config examples/terrain/facts.json -o "$folder/terrain.safetensors"
fi
exec build/release/bin/examples/terrain "$folder/terrain.safetensors" "$@"
