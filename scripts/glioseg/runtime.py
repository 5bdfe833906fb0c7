"""What a trained network runs on: OpenVINO, which starts in a second, or TensorFlow, which has GPUs and all layers."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.keras_file import UnknownLayer, read_layers

RUNTIMES = ("auto", "openvino", "tensorflow")


class Network(NamedTuple):
    """A network: its patch (voxels), its number of channels, and what it makes of a patch.

    predict: image (1, X, Y, Z, channels) float32 -> softmax (1, X, Y, Z, classes) float32.
    """

    patch: tuple[int, int, int]
    channels: int
    predict: Callable[[np.ndarray], np.ndarray]


def choose_runtime(name: str, paths: list[Path]) -> str:
    """The runtime of a name; "auto" is TensorFlow where there is an NVIDIA GPU or a layer that OpenVINO isn't taught.

    Decided for all models (.keras) at once. Raises ValueError for an unknown name.
    """
    if name not in RUNTIMES:
        raise ValueError(f"runtime: {name!r} is not known; known are {', '.join(RUNTIMES)}")
    if name != "auto":
        return name
    if Path("/proc/driver/nvidia/gpus").exists():
        return "tensorflow"
    from glioseg.openvino_network import LAYERS

    kinds = {layer.kind for path in paths for layer in read_layers(path)[0]}
    return "openvino" if kinds <= {"InputLayer", *LAYERS} else "tensorflow"


def load_networks(paths: list[Path], runtime: str, threads: int) -> list[Network]:
    """Trained networks of .keras files, for prediction alone. Raises ValueError naming what can't be read or run."""
    if runtime == "tensorflow":
        from glioseg.device import use_threads

        use_threads(threads)
    networks = []
    for path in paths:
        try:
            networks.append(_on_tensorflow(path) if runtime == "tensorflow" else _on_openvino(path, threads))
        except UnknownLayer as error:
            raise ValueError(f"{error}; predict with runtime: tensorflow") from error
        except Exception as error:  # zip, HDF5, Keras and OpenVINO raise a dozen kinds for a damaged file
            raise ValueError(
                f"{path} cannot be read as a network ({str(error)[:200]}); delete it and run again to retrain"
            ) from error
    return networks


def _on_openvino(path: Path, threads: int) -> Network:
    from glioseg.openvino_network import compile_network

    compiled = compile_network(path, threads)
    shape = tuple(compiled.input(0).shape)
    return Network(shape[1:4], shape[4], lambda image: compiled(image)[0].copy())


def _on_tensorflow(path: Path) -> Network:
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    shape = model.input_shape
    return Network(shape[1:4], shape[4], lambda image: np.asarray(model.predict_on_batch(image)))
