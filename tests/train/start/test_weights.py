"""What a network takes over from a model: weights by place and shape, kernels by modality, and a frozen encoder."""

import numpy as np
import pytest

from glioseg.train import device  # noqa: F401  (before TensorFlow)
from glioseg.train.start.source import Source, Study

FOUR, TISSUES = ("flair", "t1", "t1ce", "t2"), ("background", "necrosis", "edema", "enhancing")
WIDTHS = {"unet": (4, 8), "unet_residual": (4, 8), "original": (4, 8), "sm_unet": (4, 8, 8, 16, 16)}


def study(network="unet", filters=None, modalities=FOUR, targets="classes", channels=TISSUES, **preprocess):
    filters = filters or WIDTHS[network]
    return Study(network, filters, modalities, targets, channels, {"spacing_mm": 1.0, **preprocess}, "instance")


def network_of(here, seed=0):
    import keras

    from glioseg.train.networks import build_network

    keras.utils.set_random_seed(seed)
    activation = "softmax" if here.targets == "classes" else "sigmoid"
    sizes = (32, 32, 32), len(here.modalities), len(here.channels), here.filters
    return build_network(here.network, *sizes, "resnet18", here.normalization, activation)


def source_of(path, there, hashes=None):
    """A model of a study whose weights are all random, those that begin as zeros or ones included."""
    network, random = network_of(there), np.random.default_rng(0)
    network.set_weights([random.normal(size=value.shape) for value in network.get_weights()])
    network.save(path / "model.keras")
    return Source(path / "model.keras", "0123456789abcdef", there, hashes or {}), network


def taken_by(here, source, freeze=False):
    from glioseg.train.start.weights import read_weights, take

    return take(network_of(here, 1), read_weights(source.model), source, here, freeze)


def begun(here, source, freeze=False):
    """A new network that goes on from a model, the start, and what was said."""
    from glioseg.train.start.weights import Start

    said, settings = [], {"network": here.network, "filters": here.filters, "targets": here.targets}
    settings |= {"normalization": here.normalization}
    settings |= {"classes": here.channels if here.targets == "classes" else TISSUES, "freeze_encoder": freeze}
    start = Start(source, settings, {"modalities": here.modalities, "preprocess": here.preprocess}, said.append)
    network = network_of(here, 1)
    start(network)
    return network, start, " ".join(said)


def kernels(network):
    return [layer.kernel.numpy() for layer in network.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("name", WIDTHS)
def test_a_network_of_the_same_study_takes_over_everything(name, tmp_path):
    source, network = source_of(tmp_path, study(name))
    # Keras has numbered its layers further by now, which does not matter.
    new, start, said = begun(study(name), source)
    assert new.layers[1].name != network.layers[1].name or name == "sm_unet"
    for one, two in zip(new.get_weights(), network.get_weights(), strict=True):
        assert one.tobytes() == two.astype(one.dtype).tobytes()
    assert "random" not in said
    assert start.record["model"] == source.content
    assert start.record["sentences"] == said.split("  ") or said == " ".join(start.record["sentences"])
    assert len(start.record["weights"]) == len(new.get_weights())
    assert all(layer.trainable for layer in new.layers)


@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.parametrize("modalities", [("t1ce", "flair"), ("t2", "adc", "flair")])
def test_the_first_layer_takes_the_kernels_of_common_modalities_by_name(name, modalities, tmp_path):
    source, network = source_of(tmp_path, study(name))
    here = study(name, modalities=modalities)
    fresh = kernels(network_of(here, 1))[0]
    new, _, said = begun(here, source)
    first, known = kernels(new)[0], kernels(network)[0]
    for number, modality in enumerate(modalities):
        there = known[..., FOUR.index(modality), :] if modality in FOUR else fresh[..., number, :]
        assert (first[..., number, :] == there).all()
    for one, two in zip(kernels(new)[1:], kernels(network)[1:], strict=True):
        assert (one == two).all()
    assert "that model reads flair, t1, t1ce, t2, and this one " + ", ".join(modalities) in said
    assert ("those of adc start from random values" in said) == ("adc" in modalities)
    if name == "sm_unet":  # its first layer normalizes the image
        vectors = [[v.numpy() for v in model.get_layer("bn_data").weights] for model in (new, network)]
        assert all(
            one[-1] == two[FOUR.index("flair")] for one, two in zip(*vectors, strict=True) if "flair" in modalities[-1:]
        )


def test_a_bias_as_long_as_the_modalities_is_not_taken_for_modalities(tmp_path):
    source, network = source_of(tmp_path, study("original"))
    new, _, _ = begun(study("original", modalities=FOUR[::-1]), source)
    assert (new.layers[1].bias.numpy() == network.layers[1].bias.numpy()).all()


def test_without_a_common_modality_the_first_layer_starts_from_random_values(tmp_path):
    source, network = source_of(tmp_path, study())
    here = study(modalities=("pet", "ct"))
    new, _, said = begun(here, source)
    assert (kernels(new)[0] == kernels(network_of(here, 1))[0]).all()
    assert (kernels(new)[1] == kernels(network)[1]).all()
    assert "The first layer takes over no kernels; those of pet, ct start from random values" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": ("background", "edema")},
        {"channels": ("background", "edema", "enhancing", "cavity")},
        {"targets": "regions", "channels": ("WT", "TC", "ET")},
    ],
    ids=["fewer classes", "other classes", "regions"],
)
@pytest.mark.parametrize("name", WIDTHS)
def test_the_last_layer_is_taken_only_for_the_same_classes(name, changes, tmp_path):
    source, network = source_of(tmp_path, study(name))
    here = study(name, **changes)
    fresh, (new, _, said) = network_of(here, 1), begun(here, source)
    # The outputs of unet are those of two layers.
    end = -2 if name == "unet" else -1
    for one, two in zip(kernels(new)[end:], kernels(fresh)[end:], strict=True):
        assert (one == two).all()
    for one, two in zip(kernels(new)[:end], kernels(network)[:end], strict=True):
        assert (one == two).all()
    assert f"predicts background, necrosis, edema, enhancing, and this one {', '.join(here.channels)}" in said


def test_other_layers_of_normalization_start_from_random_values(tmp_path):
    source, network = source_of(tmp_path, study("unet_residual"))
    here = study("unet_residual")._replace(normalization="batch")
    new, _, said = begun(here, source)
    assert all((one == two).all() for one, two in zip(kernels(new), kernels(network), strict=True))
    assert "train: normalization is batch, and that of the model instance." in said
    assert "right shape" not in said
    same, _, said = begun(here, source_of(tmp_path, here)[0])
    assert "normalization" not in said
    assert any(value.min() != value.max() for value in same.get_weights() if value.ndim == 1)


def test_a_network_with_more_levels_takes_the_common_ones(tmp_path):
    source, network = source_of(tmp_path, study(filters=(4, 8)))
    new, _, said = begun(study(filters=(4, 8, 8)), source)
    found, known = kernels(new), kernels(network)
    # Two convolutions for each level of the encoder; in the decoder, the last level and the head.
    assert all((one == two).all() for one, two in zip(found[:4], known[:4], strict=True))
    assert all((one == two).all() for one, two in zip(found[-4:], known[-4:], strict=True))
    assert len(found) == len(known) + 5
    assert (
        "has no weights of the right shape for these layers, which start from random values: encoder conv3d 5" in said
    )
    assert "Its filters are [4, 8], and here [4, 8, 8]" in said


def test_other_networks_and_other_filters_are_refused_in_a_sentence(tmp_path):
    source, _ = source_of(tmp_path, study())
    with pytest.raises(
        ValueError, match="is a network of the kind unet, and this study trains original; set train: net"
    ):
        taken_by(study("original"), source)
    with pytest.raises(ValueError, match=r"no weight of .* fits this network; its filters are \[4, 8\], those of this"):
        taken_by(study(filters=(3, 5), channels=("background", "edema")), source)
    source.model.write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"model\.keras cannot be read"):
        taken_by(study(), source)


def test_scans_prepared_in_another_way_are_told(tmp_path):
    source, _ = source_of(tmp_path, study(normalization="zscore"))
    said = taken_by(study(normalization="minmax"), source).sentences
    assert said[-1].endswith("prepared in another way: normalization was zscore and is minmax.")
    # Which scans are included is no way to prepare them.
    assert len(taken_by(study(normalization="zscore", missing="exclude"), source).sentences) == 1


@pytest.mark.parametrize("name", WIDTHS)
def test_the_encoder_is_what_lies_before_the_first_layer_that_enlarges(name):
    from glioseg.train.start.weights import encoder_of

    network = network_of(study(name))
    encoder = encoder_of(network)
    deepest = min(layer.output.shape[1] for layer in network.layers)
    assert encoder[0] is network.layers[0]
    assert encoder[-1].output.shape[1] == deepest
    rest = network.layers[len(encoder) :]
    assert rest[0].output.shape[1] == 2 * deepest
    if name == "sm_unet":
        assert not [layer.name for layer in encoder if "decoder" in layer.name]
        others = [layer.name for layer in rest if "decoder" not in layer.name]
        assert others == ["final_conv", "linear", "softmax"]


@pytest.mark.parametrize("name", WIDTHS)
def test_a_frozen_encoder_does_not_change_by_one_bit(name, tmp_path):
    import keras

    from glioseg.train.fast.layers import learner
    from glioseg.train.start.weights import encoder_of

    source, network = source_of(tmp_path, study(name))
    # Variances are positive.
    network.set_weights([abs(value) for value in network.get_weights()])
    network.save(source.model)
    new, _, said = begun(study(name), source, freeze=True)
    encoder = [layer for layer in encoder_of(new) if layer.weights]
    assert f"The encoder is frozen: training does not change {len(encoder)} of its layers." in said
    before = [[value.numpy() for value in layer.weights] for layer in new.layers]
    model, activate = learner(new)
    model.compile(keras.optimizers.AdamW(0.1), lambda truth, outputs: keras.ops.mean((activate(outputs) - truth) ** 2))
    random = np.random.default_rng(0)
    images, truth = random.normal(size=(2, 32, 32, 32, 4)), random.uniform(size=(2, 32, 32, 32, 4))
    model.fit(images.astype("float32"), truth.astype("float32"), epochs=2, batch_size=1, verbose=0)
    for layer, values in zip(new.layers, before, strict=True):
        same = [value.tobytes() == now.numpy().tobytes() for value, now in zip(values, layer.weights, strict=True)]
        assert all(same) if layer in encoder else not values or not all(same), layer.name


def test_only_layers_that_are_taken_whole_are_frozen(tmp_path):
    source, _ = source_of(tmp_path, study())
    new, _, _ = begun(study(modalities=("flair", "adc")), source, freeze=True)
    first, second, *_ = (layer for layer in new.layers if hasattr(layer, "kernel"))
    assert first.trainable
    assert not second.trainable
    # All kernels of two of four modalities are known.
    new, _, _ = begun(study(modalities=("flair", "t1ce")), source, freeze=True)
    assert not next(layer for layer in new.layers if hasattr(layer, "kernel")).trainable
