"""Write a network as ONNX, built layer by layer from its .keras file, without loading TensorFlow (slow).

Keras' own export (`keras.Model.export(format="onnx")`, Keras 3.15 with tf2onnx 1.17) was tried instead on 2026-11-28.
Two exports of one network have different bytes, a network takes one size of patch only, and onnxruntime 1.32 refuses a
network in bfloat16.
"""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from glioseg.model_files import ModelFile, outputs_of, read_settings
from glioseg.predict.keras_file import Layer, UnknownLayer, read_layers
from glioseg.predict.keras_weights import read_weights

ONNX = "model.onnx"
INPUT, OUTPUT = "image", "probabilities"
# These have been read by all runtimes since 2022.
OPSET, IR_VERSION = 17, 8


def onnx_networks(models: Sequence[ModelFile]) -> tuple[list[bytes], str]:
    """Return the network of each model as ONNX, and "". If a network cannot be written, return [] and the reason.

    Raises ValueError naming the model if it cannot be read.
    """
    found = []
    for model in models:
        try:
            found.append(onnx_network(model).SerializeToString(deterministic=True))
        except UnknownLayer as error:
            return [], str(error)
        except Exception as error:  # zip and HDF5 raise a dozen kinds of errors for a damaged file
            raise ValueError(
                f"{model} cannot be read as a network ({str(error)[:200]}); copy the study again, or train it again"
            ) from error
    return found, ""


def onnx_network(model: ModelFile) -> ModelProto:
    """Return a network in float32: image (batch, channels, X, Y, Z) in, probabilities (batch, K, X, Y, Z) out.

    The batch may have any size, and so may the sides if the network's levels can halve them. Raises UnknownLayer for a
    layer that is not in `LAYERS`, or a setting of a layer that is not supported.
    """
    facts = read_settings(model)
    _, outputs = outputs_of(facts["settings"])
    modalities = facts["study"]["modalities"]
    layers, ends = read_layers(model)
    graph = _Graph()
    last = _add_layers(graph, layers, read_weights(model, layers))[ends[0]]
    graph.nodes.append(helper.make_node("Identity", [last], [OUTPUT], name=OUTPUT))
    inputs, results = (
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["batch", len(channels), "X", "Y", "Z"], f"channels: {', '.join(channels)}"
        )
        for name, channels in ((INPUT, modalities), (OUTPUT, outputs))
    )
    return helper.make_model(
        helper.make_graph(graph.nodes, "network", [inputs], [results], graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="glioseg",
    )


class _Graph:
    """The nodes and constants of a network; each method returns the name of what it added."""

    def __init__(self) -> None:
        self.nodes, self.constants = [], []

    def add(self, kind: str, sources: Sequence[str], **settings) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, sources, [name], name=name, **settings))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def _add_layers(graph: _Graph, layers: Sequence[Layer], weights: dict[str, list[np.ndarray]]) -> dict[str, str]:
    """Add all layers of a network to a graph. Returns layer -> name of its output in the graph."""
    names: dict[str, str] = {}
    for layer in layers:
        sources = [names[name] for name in layer.inputs]
        if layer.kind == "InputLayer":
            names[layer.name] = INPUT
        elif layer.kind in LAYERS:
            names[layer.name] = LAYERS[layer.kind](graph, sources, layer.settings, weights.get(layer.name, []))
        else:
            raise UnknownLayer(f"the network has a layer of type {layer.kind}; expected {', '.join(LAYERS)}")
    return names


def _conv(graph, sources, settings, weights):
    if set(settings["dilation_rate"]) != {1} or settings["groups"] != 1:
        raise UnknownLayer("the network has dilated or grouped convolutions; expected plain ones")
    kernel, *bias = weights
    sources = [sources[0], graph.constant(kernel.transpose(4, 3, 0, 1, 2)), *map(graph.constant, bias)]
    x = graph.add("Conv", sources, strides=settings["strides"], pads=_pads(settings, settings["kernel_size"]))
    return _activate(graph, x, settings["activation"])


def _conv_transpose(graph, sources, settings, weights):
    if list(settings["strides"]) != list(settings["kernel_size"]):
        raise UnknownLayer(
            "the network has transposed convolutions whose kernel size and stride differ; expected equal ones"
        )
    kernel, *bias = weights
    sources = [sources[0], graph.constant(kernel.transpose(4, 3, 0, 1, 2)), *map(graph.constant, bias)]
    return _activate(graph, graph.add("ConvTranspose", sources, strides=settings["strides"]), settings["activation"])


def _group_normalization(graph, sources, settings, weights):
    if settings["groups"] not in (-1, weights[0].size):
        raise UnknownLayer("the network has a group normalization of several channels; expected one channel per group")
    sources = [sources[0], *map(graph.constant, weights)]
    return graph.add("InstanceNormalization", sources, epsilon=settings["epsilon"])


def _batch_normalization(graph, sources, settings, weights):
    *learned, mean, variance = weights
    gamma = learned[0] if settings["scale"] else np.ones_like(mean)
    beta = learned[-1] if settings["center"] else np.zeros_like(mean)
    sources = [sources[0], *map(graph.constant, (gamma, beta, mean, variance))]
    return graph.add("BatchNormalization", sources, epsilon=settings["epsilon"])


def _max_pooling(graph, sources, settings, weights):
    size = settings["pool_size"]
    return graph.add("MaxPool", sources, kernel_shape=size, strides=settings["strides"], pads=_pads(settings, size))


def _up_sampling(graph, sources, settings, weights):
    scales = graph.constant(np.array([1, 1, *settings["size"]], np.float32))
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph.add("Resize", [sources[0], "", scales], **how)


def _zero_padding(graph, sources, settings, weights):
    edges = [(0, 0), (0, 0), *settings["padding"]]
    return graph.add("Pad", [sources[0], graph.constant(np.array(edges, np.int64).T.ravel())])


def _pads(settings: dict, size: Sequence[int]) -> list[int]:
    """Voxels that TensorFlow adds below each side, then those above, if the stride divides the side, as in a patch."""
    if settings["padding"] == "valid":
        return [0] * 2 * len(size)
    totals = [max(length - stride, 0) for length, stride in zip(size, settings["strides"], strict=True)]
    return [total // 2 for total in totals] + [total - total // 2 for total in totals]


def _activate(graph, x: str, name: str) -> str:
    if name not in ACTIVATIONS:
        raise UnknownLayer(f"the network has the activation {name}; expected {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](graph, x)


ACTIVATIONS = {
    "linear": lambda graph, x: x,
    "relu": lambda graph, x: graph.add("Relu", [x]),
    "sigmoid": lambda graph, x: graph.add("Sigmoid", [x]),
    "softmax": lambda graph, x: graph.add("Softmax", [x], axis=1),
}

# Kind of Keras layer -> function that adds it to a graph, given (graph, inputs, settings, weights).
LAYERS = {
    "Conv3D": _conv,
    "Conv3DTranspose": _conv_transpose,
    "GroupNormalization": _group_normalization,
    "BatchNormalization": _batch_normalization,
    "LeakyReLU": lambda graph, x, settings, _: graph.add("LeakyRelu", x, alpha=settings["negative_slope"]),
    "Activation": lambda graph, x, settings, _: _activate(graph, x[0], settings["activation"]),
    "MaxPooling3D": _max_pooling,
    "UpSampling3D": _up_sampling,
    "ZeroPadding3D": _zero_padding,
    "Concatenate": lambda graph, x, *_: graph.add("Concat", x, axis=1),
    "Add": lambda graph, x, *_: graph.add("Add", x),
    "Dropout": lambda graph, x, *_: x[0],
}
