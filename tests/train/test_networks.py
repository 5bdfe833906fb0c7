"""Networks have the layers that their names promise, and come back from disk."""

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
    ("name", "filters"), [("unet", (4, 8, 16)), ("original", (4, 8, 16)), ("sm_unet", (4, 8, 8, 16, 16))]
)
def test_networks_end_in_a_float32_softmax_and_come_back_from_disk(name, filters, tmp_path):
    import keras

    from glioseg.train.networks import build_network

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_network(name, (32, 32, 32), 2, 4, filters, "resnet18")
        assert model.output.dtype == "float32"
        assert model.output.shape == (None, 32, 32, 32, 4)
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        assert [v.shape for v in again.get_weights()] == [v.shape for v in model.get_weights()]
        assert all((a == b).all() for a, b in zip(again.get_weights(), model.get_weights(), strict=True))
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_unknown_names_list_the_known():
    from glioseg.train.losses import build_loss
    from glioseg.train.networks import build_network

    with pytest.raises(ValueError, match="known are unet, original, sm_unet"):
        build_network("vnet", (32, 32, 32), 1, 4, (4, 8), "")
    with pytest.raises(ValueError, match="must be multiples of 8 for unet with 3 levels"):
        build_network("unet", (20, 32, 32), 1, 4, (4, 8, 16), "")
    with pytest.raises(ValueError, match="known are resnet18"):
        build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16, 16), "alexnet")
    with pytest.raises(ValueError, match="known are instance, none"):
        build_network("unet", (16, 16, 16), 1, 4, (4, 8), "", "batch")
    with pytest.raises(ValueError, match="known are dice_cross_entropy, sm_dice, sm_focal"):
        build_loss(["hinge"], CLASSES[:4], "classes", True)
    with pytest.raises(ValueError, match="known are auto, float32"):
        device.choose_precision("int4")
