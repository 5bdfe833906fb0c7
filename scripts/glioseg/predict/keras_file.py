"""Read the layers of a Keras network from its .keras file, without Keras.

A .keras file of Keras 3 is a zip archive. Its config.json describes the layers and their connections.
"""

import json
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from glioseg.model_files import ModelFile


class Layer(NamedTuple):
    """A layer: name, class without package, settings, names of its inputs, and shape of its output (batch first)."""

    name: str
    kind: str
    settings: dict
    inputs: list[str]
    shape: list[int | None]  # [] if no layer uses the output: the file records shapes where they are used


class UnknownLayer(ValueError):
    """A layer, or a setting of a layer, that is not supported."""


def read_layers(path: ModelFile) -> tuple[list[Layer], list[str]]:
    """Return the layers of a network in a .keras file, each after its inputs, and the names of the output layers.

    Raises ValueError naming the file if it is not a .keras file.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            model = json.loads(archive.read("config.json"))["config"]
        described = model["layers"]
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a Keras 3 network with its layers in config.json; found {error!r}; copy it again, or "
            "delete it and train it again"
        ) from error
    layers: list[Layer] = []
    shapes = {tensor["keras_history"][0]: tensor["shape"] for tensor in _tensors(described)}
    for layer in described:
        name = layer.get("name") or layer["config"]["name"]
        tensors = list(_tensors(layer.get("inbound_nodes", [])[:1]))
        sources = [tensor["keras_history"][0] for tensor in tensors]
        if "inbound_nodes" not in layer and layers:
            sources = [layers[-1].name]  # a sequential network: each layer feeds the next
        kind = layer["class_name"].rpartition(">")[2]
        layers.append(Layer(name, kind, layer["config"], sources, shapes.get(name, [])))
    ends = model.get("output_layers") or [[layers[-1].name]]
    return layers, [end[0] for end in (ends if isinstance(ends[0], list) else [ends])]


def input_shape(path: ModelFile) -> list[int | None]:
    """Return the shape of a network's input in a .keras file: the sides of its patch (voxels), and its channels.

    [] if the file does not describe it. Raises ValueError naming the file if it is not a .keras file.
    """
    layers, _ = read_layers(path)
    first = next((layer.settings for layer in layers if layer.kind == "InputLayer"), {})
    return (first.get("batch_shape") or [])[1:]


def _tensors(node: object) -> Iterator[dict]:
    """Yield the description of every tensor in a layer's recorded call, in the order of the call."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]
        else:
            for value in node.values():
                yield from _tensors(value)
    elif isinstance(node, list):
        for value in node:
            yield from _tensors(value)
