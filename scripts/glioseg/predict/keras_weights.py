"""Read the weights of a Keras network from its .keras file, without Keras.

The layers have a module of their own (`keras_file`), because only the weights need h5py.
"""

import io
import zipfile
from collections.abc import Iterable

import h5py
import numpy as np

from glioseg.model_files import ModelFile
from glioseg.predict.keras_file import Layer

STORED = {
    "Conv3D": "conv3d",
    "Conv3DTranspose": "conv3d_transpose",
    "GroupNormalization": "group_normalization",
    "BatchNormalization": "batch_normalization",
}


def read_weights(path: ModelFile, layers: Iterable[Layer]) -> dict[str, list[np.ndarray]]:
    """Return layer -> weights (float32) for all layers of a network (`read_layers`) that are of a kind in `STORED`.

    The file stores weights by kind of layer and by position among layers of that kind.
    """
    found, seen = {}, {}
    with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        stored_weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(stored_weights) as file:
        for layer in layers:
            stored = STORED.get(layer.kind)
            if stored:
                place = seen[stored] = seen.get(stored, -1) + 1
                group = file[f"layers/{stored}{f'_{place}' if place else ''}/vars"]
                found[layer.name] = [group[str(index)][()].astype(np.float32) for index in range(len(group))]
    return found
