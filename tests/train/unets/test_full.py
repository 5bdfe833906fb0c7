"""The networks at full resolution have the layers of nnU-Net's."""

from collections import Counter

import pytest

from glioseg.train import device  # noqa: F401  (before TensorFlow)

WIDTHS = (32, 64, 128, 256, 320, 320)


def kinds(model):
    return Counter(type(layer).__name__ for layer in model.layers)


def test_unet_full_is_the_network_of_nnunet_for_patches_of_128_voxels():
    from glioseg.train.networks import build_network, supervise, widths

    assert widths("unet_full", "gpu") == WIDTHS
    model = build_network("unet_full", (128, 128, 128), 4, 3, WIDTHS, "", "instance", "sigmoid")
    # Two convolutions a level down and up, five of the former with a stride of 2, and the head.
    strides = [layer.strides[0] for layer in model.layers if type(layer).__name__ == "Conv3D"]
    assert strides == [1, 1, *[2, 1] * 5, *[1] * 11]
    assert kinds(model) >= Counter(Conv3DTranspose=5, GroupNormalization=22, Concatenate=5)
    # Kernels of 3x3x3 and of 2x2x2, gains and offsets of the normalizations, the head with its bias.
    down = sum(27 * (a + b) * b for a, b in zip((4, *WIDTHS[:-1]), WIDTHS, strict=True))
    up = sum(27 * 3 * b * b + 8 * a * b for a, b in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True))
    normalized = 4 * (sum(WIDTHS) + sum(WIDTHS[:-1]))
    assert model.count_params() == down + up + normalized + 33 * 3
    assert [output.shape[1] for output in supervise(model).outputs] == [128, 8, 16, 32, 64]


def test_unet_residual_has_the_blocks_of_nnunets_residual_encoder():
    from glioseg.train.networks import build_network

    model = build_network("unet_residual", (32, 32, 32), 4, 4, (4, 8, 16, 16, 16, 16), "")
    found = kinds(model)
    assert found["Add"] == 1 + 3 + 4 + 6 + 6 + 6
    # Shortcuts average where the resolution halves, and have a convolution where the width changes: at the two levels
    # below the top.
    assert found["AveragePooling3D"] == 5
    assert sum(layer.kernel_size[0] == 1 for layer in model.layers if type(layer).__name__ == "Conv3D") == 2 + 1
    assert found["Conv3D"] == 1 + 2 * 26 + 2 + 5 + 1
    assert model.output_shape == (None, 32, 32, 32, 4)


@pytest.mark.parametrize("name", ["unet_full", "unet_residual"])
def test_a_patch_that_cannot_be_halved_is_refused(name):
    from glioseg.train.networks import build_network

    with pytest.raises(ValueError, match=f"must be multiples of 4 for {name} with 3 levels"):
        build_network(name, (18, 16, 16), 1, 4, (4, 8, 8), "")
