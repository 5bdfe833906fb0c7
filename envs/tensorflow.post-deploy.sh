#!/usr/bin/env bash
set -euo pipefail
# --no-deps: the Keras that it pins is overridden; see requirements-override.txt.
pip install --no-deps segmentation-models-3D==1.1.1 classification-models-3D==1.1.0
