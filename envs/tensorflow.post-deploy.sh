#!/usr/bin/env bash
set -euo pipefail
# --no-deps, since it pins a version of Keras that this workflow overrides (requirements-override.txt).
pip install --no-deps segmentation-models-3D==1.1.1 classification-models-3D==1.1.0
