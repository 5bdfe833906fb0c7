"""A trained network on OpenVINO: built layer by layer from its .keras file, without TensorFlow and its long start."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import openvino
from openvino import opset13 as ops

from glioseg.keras_file import Layer, UnknownLayer, read_layers

# Arrays run (batch, channels, X, Y, Z) inside, as OpenVINO's convolutions want them.
SPACE = (2, 3, 4)
STORED = {
    "Conv3D": "conv3d",
    "Conv3DTranspose": "conv3d_transpose",
    "GroupNormalization": "group_normalization",
    "BatchNormalization": "batch_normalization",
}


def compile_network(path: Path, threads: int) -> openvino.CompiledModel:
    """The network, ready to take an image (1, X, Y, Z, channels) float32, X, Y, Z its own patch.

    Raises UnknownLayer for a layer that isn't among those that are known here.
    """
    core = openvino.Core()
    # float32 whatever the processor prefers: the same numbers as where it was trained.
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(build(path), "CPU", settings)


def build(path: Path) -> openvino.Model:
    """The network as an OpenVINO model."""
    layers, ends = read_layers(path)
    weights = _weights(path, layers)
    nodes, inputs = {}, []
    for layer in layers:
        sources = [nodes[name] for name in layer.inputs]
        if layer.kind == "InputLayer":
            shape = layer.settings["batch_shape"]
            inputs.append(ops.parameter([1, *shape[1:]], np.float32, name=layer.name))
            nodes[layer.name] = ops.transpose(inputs[0], [0, 4, 1, 2, 3])
        elif layer.kind in LAYERS:
            nodes[layer.name] = LAYERS[layer.kind](sources, layer.settings, weights.get(layer.name, []))
        else:
            raise UnknownLayer(f"{path} has a layer of the kind {layer.kind}; known here are {', '.join(LAYERS)}")
    return openvino.Model([ops.transpose(nodes[ends[0]], [0, 2, 3, 4, 1])], inputs)


def _weights(path: Path, layers: list[Layer]) -> dict[str, list[np.ndarray]]:
    """Layer -> its weights, which the file keeps by kind and by place among its kind."""
    found, seen = {}, {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        for layer in layers:
            stored = STORED.get(layer.kind)
            if stored:
                place = seen[stored] = seen.get(stored, -1) + 1
                group = file[f"layers/{stored}{f'_{place}' if place else ''}/vars"]
                found[layer.name] = [group[str(index)][()].astype(np.float32) for index in range(len(group))]
    return found


def _conv(sources, settings, weights):
    if set(settings["dilation_rate"]) != {1} or settings["groups"] != 1:
        raise UnknownLayer("a dilated convolution, or one in groups, isn't known here")
    kernel, *bias = weights
    kernel = kernel.transpose(4, 3, 0, 1, 2)
    padding = {"same": "same_upper", "valid": "valid"}[settings["padding"]]
    x = ops.convolution(sources[0], _constant(kernel), settings["strides"], [0] * 3, [0] * 3, [1] * 3, auto_pad=padding)
    return _activate(_shift(x, bias), settings["activation"])


def _conv_transpose(sources, settings, weights):
    kernel, *bias = weights
    if list(settings["strides"]) != list(settings["kernel_size"]):
        raise UnknownLayer("a transposed convolution whose kernel isn't its stride isn't known here")
    x = ops.convolution_backprop_data(sources[0], _constant(kernel.transpose(4, 3, 0, 1, 2)), settings["strides"])
    return _activate(_shift(x, bias), settings["activation"])


def _group_normalization(sources, settings, weights):
    gamma, beta = weights
    if settings["groups"] not in (-1, gamma.size):
        raise UnknownLayer("a normalization of several channels a group isn't known here")
    x = ops.mvn(sources[0], list(SPACE), True, settings["epsilon"], "inside_sqrt")
    return ops.add(ops.multiply(x, _per_channel(gamma)), _per_channel(beta))


def _batch_normalization(sources, settings, weights):
    mean, variance = weights[-2:]
    gamma = weights[0] if settings["scale"] else np.ones_like(mean)
    beta = weights[int(settings["scale"])] if settings["center"] else np.zeros_like(mean)
    slope = gamma / np.sqrt(variance + settings["epsilon"])
    return ops.add(ops.multiply(sources[0], _per_channel(slope)), _per_channel(beta - mean * slope))


def _max_pooling(sources, settings, weights):
    padding = {"same": "same_upper", "valid": "valid"}[settings["padding"]]
    size, strides = settings["pool_size"], settings["strides"]
    return ops.max_pool(sources[0], strides, [1] * 3, [0] * 3, [0] * 3, size, auto_pad=padding).output(0)


def _up_sampling(sources, settings, weights):
    scales = np.array(settings["size"], np.float32)
    return ops.interpolate(
        sources[0],
        scales,
        "nearest",
        "scales",
        axes=np.array(SPACE, np.int64),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _zero_padding(sources, settings, weights):
    low, high = ([0, 0, *(edge[side] for edge in settings["padding"])] for side in (0, 1))
    return ops.pad(sources[0], np.array(low), np.array(high), "constant", np.float32(0))


def _activate(x, name: str):
    if name not in ACTIVATIONS:
        raise UnknownLayer(f"the activation {name} isn't known here; known are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](x)


def _shift(x, bias):
    return ops.add(x, _per_channel(bias[0])) if bias else x


def _per_channel(values: np.ndarray):
    return _constant(values.reshape(1, -1, 1, 1, 1))


def _constant(values: np.ndarray):
    return ops.constant(np.ascontiguousarray(values))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "softmax": lambda x: ops.softmax(x, 1),
}

# Kind of a Keras layer -> (its inputs, its settings, its weights) -> its output.
LAYERS = {
    "Conv3D": _conv,
    "Conv3DTranspose": _conv_transpose,
    "GroupNormalization": _group_normalization,
    "BatchNormalization": _batch_normalization,
    "LeakyReLU": lambda x, settings, _: ops.prelu(x[0], _constant(np.array([settings["negative_slope"]], np.float32))),
    "Activation": lambda x, settings, _: _activate(x[0], settings["activation"]),
    "MaxPooling3D": _max_pooling,
    "UpSampling3D": _up_sampling,
    "ZeroPadding3D": _zero_padding,
    "Concatenate": lambda x, settings, _: ops.concat(x, 1),
    "Add": lambda x, settings, _: ops.add(*x),
    "Dropout": lambda x, settings, _: x[0],
}
