"""Load networks on OpenVINO, which starts in a second, or on TensorFlow, which supports GPUs and all layers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.choices import choose
from glioseg.model_files import ModelFile, on_disk
from glioseg.predict.keras_file import UnknownLayer, read_layers

RUNTIMES = ("auto", "openvino", "tensorflow")
# pip installs openvino-telemetry with OpenVINO, which then asks a host on the network whenever it is imported. The lock
# files leave this package out; here, it is left out of what can be imported.
sys.modules.setdefault("openvino_telemetry", None)


class Network(NamedTuple):
    """A network: its patch (voxels), its number of input channels, and a function that predicts patches.

    predict: patches (channels, X, Y, Z) float32 -> probabilities (K, X, Y, Z) float32 of each, in the same order. Each
    array is valid only until the next one is requested.
    """

    patch: tuple[int, int, int]
    channels: int
    predict: Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]]


def choose_runtime(name: str, paths: Sequence[ModelFile]) -> str:
    """Return the runtime for all models (.keras). Raises ValueError for an unknown name.

    "auto" is TensorFlow if there is an NVIDIA GPU or a layer that is not supported on OpenVINO, else OpenVINO.
    """
    if choose("runtime", name, RUNTIMES) != "auto":
        return name
    if Path("/proc/driver/nvidia/gpus").exists():
        return "tensorflow"
    from glioseg.predict.openvino import LAYERS

    kinds = {layer.kind for path in paths for layer in read_layers(path)[0]}
    return "openvino" if kinds <= {"InputLayer", *LAYERS} else "tensorflow"


def load_networks(paths: Sequence[ModelFile], runtime: str, threads: int) -> Iterator[Network]:
    """Yield trained networks from .keras files, for prediction only. Each is loaded when it is requested.

    Many networks thus need the memory of one. Raises ValueError if a network cannot be read or run.
    """
    if runtime == "tensorflow":
        from glioseg.train.device import use_threads

        # If TensorFlow already runs, as it may in a notebook, it keeps its threads.
        with suppress(RuntimeError):
            use_threads(threads)
    for path in paths:
        try:
            network = _on_tensorflow(path) if runtime == "tensorflow" else _on_openvino(path, threads)
        except UnknownLayer as error:
            raise ValueError(f"{error}; predict with runtime: tensorflow") from error
        except Exception as error:  # zip, HDF5, Keras and OpenVINO raise a dozen kinds of errors for a damaged file
            raise ValueError(
                f"{path} cannot be read as a network ({str(error)[:200]}); delete it and run again to retrain"
            ) from error
        yield network
        del network


def _on_openvino(path: ModelFile, threads: int) -> Network:
    from glioseg.predict.openvino import compile_network, predict_patches

    compiled = compile_network(path, threads)
    shape = tuple(compiled.input(0).shape)
    return Network(shape[2:], shape[1], lambda patches: predict_patches(compiled, patches))


def _on_tensorflow(path: ModelFile) -> Network:
    import keras

    with on_disk(path) as file:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    shape = model.input_shape

    def predict(patches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for patch in patches:
            probabilities = np.asarray(model.predict_on_batch(np.moveaxis(patch, 0, -1)[None]))
            yield np.moveaxis(probabilities[0], -1, 0)

    return Network(shape[1:4], shape[4], predict)
