"""Take over the weights of a model that fit a new network, by the place of their layer, and freeze its encoder."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from glioseg.model_files import ModelFile, on_disk
from glioseg.train.start.said import sentences
from glioseg.train.start.source import Source, Study, study_of

# Name of a layer and of one of its variables.
Place = tuple[str, str]


class Taken(NamedTuple):
    """What a network takes over: the values of variables, the names of the layers to freeze, and sentences on both."""

    values: dict[Place, np.ndarray]
    frozen: list[str]
    sentences: list[str]


class Start:
    """The model to go on from, which gives a new network the weights that fit when it is called.

    source: None for a training from random values, which changes nothing; settings: `TrainSettings`; study: how scans
    are prepared, as settings.json has it; say: prints a sentence. After the call, record has what was taken over, for
    settings.json.
    """

    def __init__(
        self, source: Source | None, settings: Mapping, study: Mapping, say: Callable[[str], object] = print
    ) -> None:
        self.source, self.freeze, self.say, self.record = source, settings["freeze_encoder"], say, {}
        if source:
            self.study, self.weights = study_of(settings, study), read_weights(source.model)

    def __call__(self, network: keras.Model) -> None:
        if not self.source:
            return
        taken = take(network, self.weights, self.source, self.study, self.freeze)
        for place, (_, variable) in _variables(network).items():
            if place in taken.values:
                variable.assign(taken.values[place])
        for layer in network.layers:
            if layer.name in taken.frozen:
                layer.trainable = False
        for sentence in taken.sentences:
            self.say(sentence)
        names = [" ".join(place) for place in taken.values]
        self.record = {"model": self.source.content, "sentences": taken.sentences, "weights": names}


def read_weights(model: ModelFile) -> dict[Place, np.ndarray]:
    """The weights of a model in a .keras file. Raises ValueError naming the file if it cannot be read."""
    try:
        with on_disk(model) as file:
            network = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file raises many exception types
        raise ValueError(f"train: start: {model} cannot be read ({error}); start from another model") from error
    return {place: variable.numpy() for place, (_, variable) in _variables(network).items()}


def take(network: keras.Model, weights: Mapping[Place, np.ndarray], source: Source, here: Study, freeze: bool) -> Taken:
    """Find what a network takes over of a model: every variable at the same place that has the same shape.

    weights: of the model; here: the study of the network; freeze: whether the encoder is to be frozen. The layers that
    read the image take the channels of the modalities that both models read. The last layer is taken only if both
    models predict the same. Raises ValueError if the architectures differ or nothing fits.
    """
    there, variables = source.study, _variables(network)
    if here.network != there.network:
        raise ValueError(
            f"train: start: {source.model} is a network of the kind {there.network}, and this study trains "
            f"{here.network}; set train: network: {there.network}, or start from another model"
        )
    # The layers whose channels are the outputs: the last, and the one that the last of unet mixes.
    last = {next(layer.name for layer in network.layers[::-1] if layer.weights), "head"}
    readers = _readers(network) if here.modalities != there.modalities else []
    values, new = {}, {}
    # Layers that keep random values without being in `new`.
    partly = {layer.name for layer in readers if not set(here.modalities) <= set(there.modalities)}
    partly |= last if (here.targets, here.channels) != (there.targets, there.channels) else set()
    for place, (layer, variable) in variables.items():
        known = weights.get(place)
        if layer.name in last & partly:
            continue
        if layer in readers and known is not None:
            if not set(here.modalities) & set(there.modalities):
                continue
            known = _by_modality(layer, variable.numpy(), known, here.modalities, there.modalities)
        if known is not None and known.shape == tuple(variable.shape):
            values[place] = known
        else:
            new[layer.name] = place[0]
    if not values:
        raise ValueError(
            f"train: start: no weight of {source.model} fits this network; its filters are {list(there.filters)}, "
            f"those of this study {list(here.filters)}: set train: filters to them, or start from another model"
        )
    frozen = _frozen(network, partly.union(new)) if freeze else []
    total = sum(int(np.prod(variable.shape)) for _, variable in variables.values())
    count = sum(value.size for value in values.values())
    return Taken(values, frozen, sentences(source, here, f"{count:,} of {total:,}", [*new.values()], len(frozen)))


def encoder_of(network: keras.Model) -> list[layers.Layer]:
    """The layers of a network before the first that enlarges; the decoder is the rest. [] if no layer enlarges."""
    kinds = (layers.Conv3DTranspose, layers.UpSampling3D)
    first = next((number for number, layer in enumerate(network.layers) if isinstance(layer, kinds)), 0)
    return network.layers[:first]


def _frozen(network: keras.Model, partly: set[str]) -> list[str]:
    """Names of the encoder's layers whose weights are all taken over."""
    names = [layer.name for layer in encoder_of(network) if layer.weights and layer.name not in partly]
    if not names:
        raise ValueError(
            f"train: freeze_encoder: no layer of the encoder of {network.name} is taken over from the model of train: "
            "start; set freeze_encoder: false"
        )
    return names


def _variables(network: keras.Model) -> dict[Place, tuple[layers.Layer, keras.Variable]]:
    """The weights of a network by place, each with its layer.

    Keras numbers the layers without a name of their own over the whole process. Here they are numbered from the input
    in the encoder and from the output in the decoder, so that networks with more levels have the same places.
    """
    found, encoder = {}, encoder_of(network)
    for part, members in (("encoder", encoder), ("decoder", network.layers[len(encoder) :][::-1])):
        numbers: Counter[str] = Counter()
        for layer in members:
            kind, name = re.sub(r"_\d+$", "", layer.name), layer.name
            if kind.replace("_", "") == type(layer).__name__.lower():
                numbers[kind] += 1
                name = f"{part} {kind} {numbers[kind]}"
            found |= {(name, variable.name): (layer, variable) for variable in layer.weights}
    return found


def _readers(network: keras.Model) -> list[layers.Layer]:
    """The layers whose weights belong to modalities: those up to the first convolution."""
    found = [layer for layer in network.layers if layer.weights]
    first = next(number for number, layer in enumerate(found) if isinstance(layer, layers.Conv3D))
    return found[: first + 1]


def _by_modality(layer: layers.Layer, values: np.ndarray, known: np.ndarray, here, there) -> np.ndarray | None:
    """The new values of a variable of a layer that reads the image, with the known values of the common modalities.

    A kernel has the modalities on the axis before its last, the vectors of a normalization on their only one; the bias
    of a convolution has none and stays as it is known. None if the shapes do not fit.
    """
    if not known.ndim or (isinstance(layer, layers.Conv3D) and known.ndim == 1):
        return known
    axis = max(known.ndim - 2, 0)
    values, known = np.moveaxis(values.copy(), axis, 0), np.moveaxis(known, axis, 0)
    if values.shape[1:] != known.shape[1:]:
        return None
    for number, name in enumerate(here):
        if name in there:
            values[number] = known[there.index(name)]
    return np.moveaxis(values, 0, axis)
