"""The parts of a Keras network that a diagram shows: stages by resolution, skip connections, outputs."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from glioseg.predict.keras_file import Layer

TIMES = "\N{MULTIPLICATION SIGN}"
MERGES = {
    "Concatenate": "concatenate",
    "Add": "add",
    "Average": "average",
    "Maximum": "maximum",
    "Multiply": "multiply",
}

NORMALIZATIONS = {"GroupNormalization": "group normalization", "BatchNormalization": "batch normalization"}


class Slab(NamedTuple):
    """One feature map. made_by: "input", "convolution", "strided", "transposed" or "upsampled"."""

    made_by: str
    channels: int | None


@dataclass
class Stage:
    """All layers of one resolution on one side of the U.

    factor: how many times smaller than the input; up: whether the stage is after the first upsampling; size: voxels per
    axis, () if the network accepts any size; slabs: feature maps; notes: counts of the other layers; pooled: kind of
    pooling in front of the stage, "" for none; skips: (source stage, merge, channels); outputs: descriptions.
    """

    factor: float
    up: bool
    size: tuple[int, ...] = ()
    slabs: list[Slab] = field(default_factory=list)
    notes: Counter = field(default_factory=Counter)
    pooled: str = ""
    skips: list[tuple["Stage", str, int | None]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def stages(layers: list[Layer], outputs: list[str]) -> list[Stage]:
    """The stages of a network in the order in which they are reached.

    A skip is a merge on the way up with a layer from the way down. The last convolution before an output, and the
    layers between the two, are not slabs of the stage but are described in its `outputs`, such as "4 x softmax".
    """
    by_name = {layer.name: layer for layer in layers}
    tails = [_tail(by_name[name], by_name) for name in outputs]
    in_tails = {layer.name for tail in tails for layer in tail}
    found: dict[tuple[float, bool], Stage] = {}
    place: dict[str, tuple[float, bool]] = {}
    channels: dict[str, int | None] = {}
    for layer in layers:
        # A merge belongs to the stage of its most upsampled input.
        factor, up = max((place[name] for name in layer.inputs), key=lambda at: (at[1], -at[0]), default=(1.0, False))
        scale = _scale(layer)
        place[layer.name] = key = (factor * scale, up or scale < 1)
        channels[layer.name] = _channels(layer, channels)
        if layer.name in in_tails:
            continue
        stage = found.setdefault(key, Stage(*key))
        stage.size = stage.size or _size(layer)
        _add_layer(stage, layer, channels[layer.name], scale)
        if layer.kind in MERGES and key[1]:
            below = [name for name in layer.inputs if not place[name][1] and place[name] in found]
            stage.skips += [(found[place[name]], MERGES[layer.kind], channels[name]) for name in below]
    for tail in tails:
        key = place[tail[0].name]
        stage = found.setdefault(key, Stage(*key))
        stage.size = stage.size or _size(tail[0])
        stage.outputs.append(_tail_in_words(tail, channels[tail[-1].name], place[tail[-1].name][0] / key[0]))
    for stage in found.values():
        # Beside a strided convolution, pooling is that of a shortcut.
        if stage.pooled and any(slab.made_by == "strided" for slab in stage.slabs):
            stage.notes[f"{stage.pooled} pooling"] += 1
            stage.pooled = ""
    return [stage for stage in found.values() if stage.slabs or stage.outputs]


def _tail(layer: Layer, by_name: dict[str, Layer]) -> list[Layer]:
    """Layers from the last convolution to an output; the output alone if they do not form a chain."""
    tail = [layer]
    while "Conv" not in tail[0].kind:
        if len(tail[0].inputs) != 1:
            return [layer]
        tail.insert(0, by_name[tail[0].inputs[0]])
    # A convolution that changes the resolution is a step of the way up; only the layers after it are the output.
    return tail[1:] if len(tail) > 1 and _scale(tail[0]) != 1 else tail


def _tail_in_words(tail: list[Layer], channels: int | None, shrunk: float) -> str:
    activations = [_activation(layer) for layer in tail]
    last = next((name for name in reversed(activations) if name), "linear")
    enlarged = f", enlarged {1 / shrunk:g} times" if shrunk < 1 else ""
    return f"{channels or '?'} {TIMES} {last}{enlarged}"


def _activation(layer: Layer) -> str:
    """The activation of a layer, "" if it has none. An Activation object is recorded as a dictionary with its class."""
    found = layer.settings.get("activation")
    if isinstance(found, dict):
        found = found.get("class_name", "").rpartition(">")[2]
    if layer.kind in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"):
        found = layer.kind
    return "" if found in (None, "linear") else str(found)


def _scale(layer: Layer) -> float:
    """The factor by which a layer shrinks its input along the axis it changes most; below 1 if it enlarges it."""
    settings = layer.settings
    if "Global" in layer.kind:
        return 1.0
    if "Transpose" in layer.kind:
        return 1 / _most(settings.get("strides", 1))
    if "Pooling" in layer.kind:
        return _most(settings.get("strides") or settings.get("pool_size", 1))
    if "UpSampling" in layer.kind:
        return 1 / _most(settings.get("size", 1))
    return _most(settings.get("strides", 1)) if "Conv" in layer.kind else 1.0


def _most(values: float | list[float]) -> float:
    return float(max(values) if isinstance(values, list) else values)


def _channels(layer: Layer, channels: dict[str, int | None]) -> int | None:
    if "filters" in layer.settings:
        return layer.settings["filters"]
    if layer.kind == "InputLayer":
        shape = layer.settings.get("batch_shape") or layer.settings.get("batch_input_shape")
        return shape[-1]
    known = [channels[name] for name in layer.inputs]
    if layer.kind == "Concatenate":
        return None if None in known else sum(known)
    return known[0] if known else None


def _size(layer: Layer) -> tuple[int, ...]:
    """Voxels per axis after a layer; () if the network accepts any size, and for layers that pad or crop."""
    if None in layer.shape[1:-1] or "Padding" in layer.kind or "Cropping" in layer.kind:
        return ()
    return tuple(layer.shape[1:-1])


def _add_layer(stage: Stage, layer: Layer, channels: int | None, scale: float) -> None:
    """Add a layer to its stage, as a feature map or as one of its notes."""
    if layer.kind == "InputLayer":
        stage.slabs.append(Slab("input", channels))
    elif "Conv" in layer.kind:
        made_by = "transposed" if scale < 1 else "strided" if scale > 1 else "convolution"
        kernel = layer.settings.get("kernel_size", [])
        if kernel and _most(kernel) == 1:
            stage.notes["pointwise convolution"] += 1  # a shortcut or a change of channels, not a step of its own
        else:
            stage.slabs.append(Slab(made_by, channels))
            stage.notes[f"kernel {TIMES.join(str(size) for size in kernel)}"] += made_by != "transposed"
    elif "UpSampling" in layer.kind:
        stage.slabs.append(Slab("upsampled", channels))
    elif "Pooling" in layer.kind and scale > 1:
        stage.pooled = "average" if "Average" in layer.kind else "max"
    elif layer.kind == "Add" and not stage.up:
        stage.notes["residual sum"] += 1
    elif "Dropout" in layer.kind:
        stage.notes[f"dropout {layer.settings.get('rate', '')}".strip()] += 1
    elif "Norm" in layer.kind:
        # Group normalization with a group per channel; the number of groups is -1 in a network that was never built.
        instance = layer.kind == "GroupNormalization" and layer.settings.get("groups") in (-1, channels)
        stage.notes["instance normalization" if instance else NORMALIZATIONS.get(layer.kind, layer.kind)] += 1
    if (activation := _activation(layer)) and layer.kind != "InputLayer":
        stage.notes[activation] += 1
