"""Networks have the expected layers, and can be saved and loaded."""

import numpy as np
import pytest

from glioseg.labels import CLASSES
from glioseg.train import device


def test_original_is_the_recipe_layer_for_layer():
    from glioseg.train.networks import build_network

    model = build_network("original", (128, 128, 128), 3, 4, (16, 32, 64, 128, 256), "")
    assert model.count_params() == 5_645_828
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv3D") == 19
    assert kinds.count("Conv3DTranspose") == 4
    rates = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    assert rates == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.1, 0.1])


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("unet", (4, 8, 16)),
        ("unet_full", (4, 8, 16)),
        ("unet_residual", (4, 8, 16)),
        ("original", (4, 8, 16)),
        ("sm_unet", (4, 8, 8, 16, 16)),
    ],
)
def test_networks_end_in_a_float32_softmax_and_can_be_saved_and_loaded(name, filters, policy, tmp_path):
    import keras

    from glioseg.train.networks import build_network

    policy("mixed_bfloat16")
    model = build_network(name, (32, 32, 32), 2, 4, filters, "resnet18")
    assert model.output.dtype == "float32"
    assert model.output.shape == (None, 32, 32, 32, 4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert [v.shape for v in again.get_weights()] == [v.shape for v in model.get_weights()]
    assert all((a == b).all() for a, b in zip(again.get_weights(), model.get_weights(), strict=True))


def test_unknown_names_list_the_known():
    from glioseg.train.losses import build_loss
    from glioseg.train.networks import build_network

    with pytest.raises(ValueError, match="expected one of unet, unet_full, unet_residual, original, sm_unet"):
        build_network("vnet", (32, 32, 32), 1, 4, (4, 8), "")
    with pytest.raises(ValueError, match="must be multiples of 8 for unet with 3 levels"):
        build_network("unet", (20, 32, 32), 1, 4, (4, 8, 16), "")
    with pytest.raises(ValueError, match="expected one of resnet18"):
        build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16, 16), "alexnet")
    with pytest.raises(ValueError, match="filters: expected 5 numbers for sm_unet, found 4"):
        build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16), "resnet18")
    with pytest.raises(ValueError, match="expected one of instance, batch, none"):
        build_network("unet", (16, 16, 16), 1, 4, (4, 8), "", "layer")
    with pytest.raises(ValueError, match="expected one of dice_cross_entropy, sm_dice, sm_focal"):
        build_loss(["hinge"], CLASSES[:4], "classes", True)
    with pytest.raises(ValueError, match="expected one of auto, float32"):
        device.choose_precision("int4")


@pytest.mark.parametrize("backbone", ["resnet18", "vgg16", "densenet121"])
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_the_widths_of_auto_give_an_output_for_each_voxel(device, backbone):
    from glioseg.train.networks import NETWORKS, build_network, patch_multiple, widths

    for name in NETWORKS if backbone == "resnet18" else ["sm_unet"]:
        filters = widths(name, device)
        side = patch_multiple(name, len(filters))
        assert build_network(name, (side, side, side), 2, 4, filters, backbone).output.shape == (None, *[side] * 3, 4)


@pytest.mark.parametrize(("name", "stride"), [("unet", 4), ("unet_full", 2)])
def test_deep_supervision_by_hand(name, stride):
    from glioseg.train.losses import build_loss, one_hot
    from glioseg.train.networks import build_network, supervise

    inner, side = build_network(name, (16, 16, 16), 2, 4, (4, 8, 8), ""), 16 // stride
    model = supervise(inner)
    assert [output.shape[1] for output in model.outputs] == [16, side]
    loss = build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)

    def of_classes(truth, outputs):
        return loss(one_hot(truth, 4, outputs.shape[1:-1]), outputs)

    model.compile("sgd", of_classes, metrics=[])
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 16, 16, 16, 2)).astype(np.float32)
    indices = random.integers(0, 4, (1, 16, 16, 16))
    truth = np.eye(4, dtype=np.float32)[indices]
    full, coarse = (np.asarray(output) for output in model(image))
    # Each coarse voxel's truth is the mean of the voxels that it covers; the first level below has a weight of 1 / 2.
    mean = truth.reshape(1, side, stride, side, stride, side, stride, 4).mean((2, 4, 6))
    expected = (float(loss(truth, full)) + 0.5 * float(loss(mean, coarse))) / 1.5
    before = [value.copy() for value in inner.get_weights()]
    assert model.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    assert any((one != two).any() for one, two in zip(before, inner.get_weights(), strict=True))
    shallow = supervise(build_network("unet", (16, 16, 16), 2, 4, (4, 8), ""))
    shallow.compile("sgd", of_classes, metrics=[])
    expected = float(loss(truth, np.asarray(shallow(image))))
    assert shallow.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="original has no decoder levels"):
        supervise(build_network("original", (16, 16, 16), 2, 4, (4, 8), ""))
