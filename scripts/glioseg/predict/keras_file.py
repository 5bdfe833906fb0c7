"""The layers of a Keras network, read from its .keras file without Keras.

A .keras file is a zip archive that holds the layers and their connections in config.json (Keras 3).
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Layer(NamedTuple):
    """One layer: its class without a package, its settings, its inputs by name, its output's shape (batch first)."""

    name: str
    kind: str
    settings: dict
    inputs: list[str]
    shape: list[int | None]  # [] if nothing in the network takes it, so that it was not recorded


class UnknownLayer(ValueError):
    """A layer, or a way of using it, that a reader of the file isn't taught."""


def read_layers(path: Path) -> tuple[list[Layer], list[str]]:
    """The layers of a network in a .keras file, inputs before what they feed, and the names of those that are outputs.

    Raises ValueError naming the file if it is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            model = json.loads(archive.read("config.json"))["config"]
        described = model["layers"]
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a Keras 3 network with its layers in config.json; found {error!r}"
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


def _tensors(node: object) -> Iterator[dict]:
    """The descriptions of tensors anywhere in a layer's recorded call, in its order."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]
        else:
            for value in node.values():
                yield from _tensors(value)
    elif isinstance(node, list):
        for value in node:
            yield from _tensors(value)
