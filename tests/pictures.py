"""The content of figures, and small model files to draw."""

import json
import zipfile
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

LPS = np.array([[-1, 0, 0, 23], [0, -1, 0, 27], [0, 0, 1, 0], [0, 0, 0, 1]], float)
SHAPE = (24, 28, 20)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def share(image: np.ndarray, color: str) -> float:
    """The share of an image that has about this color."""
    return float((np.abs(image - 255 * np.array(to_rgb(color))).max(axis=-1) < 25).mean())


def words(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def keras_file(path: Path, layers: list, outputs: list) -> Path:
    """A .keras file without weights. A layer is (class, name, settings, inputs, output shape)."""
    shapes = {name: shape for _, name, _, _, shape in layers}
    described = []
    for kind, name, settings, inputs, _ in layers:
        tensors = [
            {"class_name": "__keras_tensor__", "config": {"shape": shapes[source], "keras_history": [source, 0, 0]}}
            for source in inputs
        ]
        args = [tensors] if len(tensors) > 1 else tensors
        nodes = [{"args": args, "kwargs": {}}] if inputs else []
        described.append(
            {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": nodes}
        )
    model = {"class_name": "Functional", "config": {"layers": described, "output_layers": outputs}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(model))
    return path


def conv(filters: int, size: int = 3, **settings) -> dict:
    return {"filters": filters, "kernel_size": [size] * 3, "strides": [1, 1, 1], "activation": "relu", **settings}


def small_unet(size: int | None) -> list:
    def shape(factor, channels):
        return [None, *[size and size // factor] * 3, channels]

    return [
        ("InputLayer", "in", {"batch_shape": shape(1, 3)}, [], shape(1, 3)),
        ("Conv3D", "a1", conv(8), ["in"], shape(1, 8)),
        ("Dropout", "a2", {"rate": 0.1}, ["a1"], shape(1, 8)),
        ("Conv3D", "a3", conv(8), ["a2"], shape(1, 8)),
        ("MaxPooling3D", "p", {"pool_size": [2, 2, 2], "strides": [2, 2, 2]}, ["a3"], shape(2, 8)),
        ("Conv3D", "b1", conv(16), ["p"], shape(2, 16)),
        ("glioseg>Norm", "b2", {}, ["b1"], shape(2, 16)),
        ("Conv3DTranspose", "t", conv(8, 2, strides=[2, 2, 2], activation="linear"), ["b2"], shape(1, 8)),
        ("Concatenate", "c", {}, ["t", "a3"], shape(1, 16)),
        ("Conv3D", "d1", conv(8), ["c"], shape(1, 8)),
        ("Conv3D", "o1", conv(4, 1, activation="linear"), ["d1"], shape(1, 4)),
        ("Activation", "o2", {"activation": "softmax"}, ["o1"], shape(1, 4)),
        ("Conv3D", "deep", conv(4, 1, activation="sigmoid"), ["b2"], shape(2, 4)),
    ]
