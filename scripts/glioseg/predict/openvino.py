"""Run a trained network on OpenVINO, built layer by layer from its .keras file, without loading TensorFlow (slow).

Keras' own export (`keras.Model.export(format="openvino")`, Keras 3.15, OpenVINO 2026.4) was tried instead. A network in
float32 has the same outputs within 2e-6 but takes 2.2 times as long (0.44 s instead of 0.20 s for four patches of 64³,
two cores of an AMD EPYC, 2026-11-28), because each instance normalization becomes a dozen operations. A network in
bfloat16 does not compile for a CPU.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import openvino
from openvino import opset13 as ops

from glioseg.model_files import ModelFile
from glioseg.predict.keras_file import Layer, UnknownLayer, read_layers
from glioseg.predict.keras_weights import read_weights
from glioseg.train.device import has_bfloat16

# Arrays are (batch, channels, X, Y, Z), as OpenVINO's convolutions expect.
SPACE = (2, 3, 4)
# Patches that are predicted in parallel, each by its own threads. Threads that share a patch wait for one another, but
# each parallel patch takes memory.
MOST_STREAMS = 4


def compile_network(path: ModelFile, threads: int) -> openvino.CompiledModel:
    """Compile a network for images (1, channels, X, Y, Z) float32, where X, Y, Z is the network's patch.

    Raises UnknownLayer for a layer that is not in `LAYERS`, or a setting of a layer that is not supported.
    """
    layers, ends = read_layers(path)
    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": min(threads, MOST_STREAMS),
        # Pinning would keep all parallel jobs on the same first cores.
        "ENABLE_CPU_PINNING": False,
        # Use the precision of training, not the one that the processor prefers.
        "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() and _in_bfloat16(layers) else "f32",
    }
    return core.compile_model(_build(path, layers, ends), "CPU", settings)


def predict_patches(compiled: openvino.CompiledModel, patches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the network's output for each patch (channels, X, Y, Z), in their order; several run in parallel.

    An output array is valid only until the next one is requested.
    """
    # One more than run in parallel, since the caller still reads the output of one.
    count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1
    idle = [compiled.create_infer_request() for _ in range(count)]
    running: deque = deque()

    def finish() -> np.ndarray:
        # The request counts as idle, but it starts again only after the caller asks for the next output.
        request = running.popleft()
        request.wait()
        idle.append(request)
        return request.get_output_tensor(0).data[0]

    for patch in patches:
        if not idle:
            yield finish()
        request = idle.pop()
        request.get_input_tensor(0).data[0] = patch
        request.start_async()
        running.append(request)
    while running:
        yield finish()


def _in_bfloat16(layers: list[Layer]) -> bool:
    """Return whether the network was trained in bfloat16."""
    policies = [layer.settings.get("dtype") for layer in layers]
    # Keras writes a policy either as an object or as its name.
    return "mixed_bfloat16" in [policy["config"]["name"] if isinstance(policy, dict) else policy for policy in policies]


def _build(path: ModelFile, layers: list[Layer], ends: list[str]) -> openvino.Model:
    """Return the network as an OpenVINO model."""
    weights = read_weights(path, layers)
    nodes, inputs = {}, []
    for layer in layers:
        sources = [nodes[name] for name in layer.inputs]
        if layer.kind == "InputLayer":
            *space, channels = layer.settings["batch_shape"][1:]
            inputs.append(ops.parameter([1, channels, *space], np.float32, name=layer.name))
            nodes[layer.name] = inputs[-1]
        elif layer.kind in LAYERS:
            nodes[layer.name] = LAYERS[layer.kind](sources, layer.settings, weights.get(layer.name, []))
        else:
            raise UnknownLayer(
                f"{path} has a layer of type {layer.kind}; supported on OpenVINO are {', '.join(LAYERS)}"
            )
    return openvino.Model([nodes[ends[0]]], inputs)


def _conv(sources, settings, weights):
    if set(settings["dilation_rate"]) != {1} or settings["groups"] != 1:
        raise UnknownLayer("dilated or grouped convolutions are not supported on OpenVINO")
    kernel, *bias = weights
    kernel = kernel.transpose(4, 3, 0, 1, 2)
    padding = {"same": "same_upper", "valid": "valid"}[settings["padding"]]
    x = ops.convolution(sources[0], _constant(kernel), settings["strides"], [0] * 3, [0] * 3, [1] * 3, auto_pad=padding)
    return _activate(_shift(x, bias), settings["activation"])


def _conv_transpose(sources, settings, weights):
    kernel, *bias = weights
    if list(settings["strides"]) != list(settings["kernel_size"]):
        raise UnknownLayer("transposed convolutions are supported on OpenVINO only if kernel size and stride are equal")
    x = ops.convolution_backprop_data(sources[0], _constant(kernel.transpose(4, 3, 0, 1, 2)), settings["strides"])
    return _activate(_shift(x, bias), settings["activation"])


def _group_normalization(sources, settings, weights):
    gamma, beta = weights
    if settings["groups"] not in (-1, gamma.size):
        raise UnknownLayer("group normalization is supported on OpenVINO only with one channel per group")
    x = ops.mvn(sources[0], list(SPACE), True, settings["epsilon"], "inside_sqrt")
    return ops.add(ops.multiply(x, _per_channel(gamma)), _per_channel(beta))


def _batch_normalization(sources, settings, weights):
    mean, variance = weights[-2:]
    gamma = weights[0] if settings["scale"] else np.ones_like(mean)
    beta = weights[int(settings["scale"])] if settings["center"] else np.zeros_like(mean)
    slope = gamma / np.sqrt(variance + settings["epsilon"])
    return ops.add(ops.multiply(sources[0], _per_channel(slope)), _per_channel(beta - mean * slope))


def _pool(pool, x, settings, *dilation, **named):
    padding, sides = {"same": "same_upper", "valid": "valid"}[settings["padding"]], settings["pool_size"]
    return pool(x, settings["strides"], *dilation, [0] * 3, [0] * 3, sides, auto_pad=padding, **named).output(0)


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
        raise UnknownLayer(f"the activation {name} is not supported on OpenVINO, only {', '.join(ACTIVATIONS)}")
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

# Kind of Keras layer -> function that returns the output for (inputs, settings, weights).
LAYERS = {
    "Conv3D": _conv,
    "Conv3DTranspose": _conv_transpose,
    "GroupNormalization": _group_normalization,
    "BatchNormalization": _batch_normalization,
    "LeakyReLU": lambda x, settings, _: ops.prelu(x[0], _constant(np.array([settings["negative_slope"]], np.float32))),
    "Activation": lambda x, settings, _: _activate(x[0], settings["activation"]),
    "MaxPooling3D": lambda x, settings, _: _pool(ops.max_pool, x[0], settings, [1] * 3),
    "AveragePooling3D": lambda x, settings, _: _pool(ops.avg_pool, x[0], settings, exclude_pad=True),
    "UpSampling3D": _up_sampling,
    "ZeroPadding3D": _zero_padding,
    "Concatenate": lambda x, settings, _: ops.concat(x, 1),
    "Add": lambda x, settings, _: ops.add(*x),
    "Dropout": lambda x, settings, _: x[0],
}
