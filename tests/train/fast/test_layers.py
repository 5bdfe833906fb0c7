"""Layers computed in one pass have the outputs and gradients of the layers that they replace."""

import re

import numpy as np
import pytest
from studies import ROOT

from glioseg.train import device  # noqa: F401  (before TensorFlow)


def drawn(dtype):
    """A generator, a batch of volumes with the slopes of a loss for them, and the Keras policy of the dtype."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    x, slopes = (tf.constant(random.normal(3, 2, (2, 6, 5, 4, 3)), dtype) for _ in range(2))
    return random, x, slopes, "float32" if dtype == "float32" else "mixed_bfloat16"


def insist_on_same(theirs, ours, dtype):
    """Fail unless two lists of outputs and gradients agree as far as the dtype allows."""
    import tensorflow as tf

    for one, other in zip(theirs, ours, strict=True):
        one, other = (np.asarray(tf.cast(value, "float32")) for value in (one, other))
        # bfloat16 has eight bits.
        near = 1e-4 if dtype == "float32" else 0.03 * float(np.abs(one).max())
        # The gradients of the weights are sums of 240 numbers that nearly cancel.
        assert other == pytest.approx(one, rel=3e-4, abs=near)


@pytest.mark.parametrize("active", [True, False], ids=["with LeakyReLU", "alone"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_normalization_and_activation_equal_those_of_keras(dtype, active):
    import tensorflow as tf
    from keras import layers

    from glioseg.train.fast.layers import NormalizeAndActivate

    random, x, slopes, policy = drawn(dtype)
    norm, leaky = layers.GroupNormalization(groups=-1, epsilon=1e-5, dtype=policy), layers.LeakyReLU(0.01, dtype=policy)
    norm.build(x.shape)
    norm.gamma.assign(random.normal(1, 0.2, 3))
    norm.beta.assign(random.normal(0, 0.2, 3))
    fused = NormalizeAndActivate(norm, leaky if active else None)
    weights = [norm.gamma.value, norm.beta.value]
    results = []
    for make in (lambda x: leaky(norm(x)) if active else norm(x), fused):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = make(x)
        assert y.dtype == x.dtype
        results.append([y, *tape.gradient(y, [x, *weights], output_gradients=slopes)])
    insist_on_same(*results, dtype)


@pytest.mark.parametrize("active", [True, False], ids=["with LeakyReLU", "alone"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_batch_normalization_and_activation_equal_those_of_keras(dtype, active):
    import tensorflow as tf
    from keras import layers

    from glioseg.train.fast.layers import NormalizeBatchAndActivate

    random, x, slopes, policy = drawn(dtype)
    start = {"gamma": random.normal(1, 0.2, 3), "beta": random.normal(0, 0.2, 3), "moving_mean": random.normal(size=3)}
    results = []
    for fused in (False, True):
        norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=policy)
        leaky = layers.LeakyReLU(0.01, dtype=policy)
        norm.build(x.shape)
        for name, value in start.items():
            getattr(norm, name).assign(value)
        ours = NormalizeBatchAndActivate(norm, leaky if active else None)

        def make(x, training, ours=ours, norm=norm, leaky=leaky, fused=fused):
            if fused:
                return ours(x, training=training)
            y = norm(x, training=training)
            return leaky(y) if active else y

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = make(x, True)
        assert y.dtype == x.dtype
        found = [y, *tape.gradient(y, [x, norm.gamma.value, norm.beta.value], output_gradients=slopes)]
        # The moving averages after a step; what they give otherwise; and a frozen layer, which keeps them.
        found += [norm.moving_mean.numpy(), norm.moving_variance.numpy(), make(x, False)]
        norm.trainable = False
        found += [make(x, True), norm.moving_mean.numpy()]
        results.append(found)
    insist_on_same(*results, dtype)


def test_a_constant_patch_has_finite_gradients():
    import tensorflow as tf
    from keras import layers

    from glioseg.train.fast.layers import NormalizeAndActivate

    for value in (0.0, 1000.0):
        norm = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        norm.build((1, 4, 4, 4, 2))
        x = tf.fill((1, 4, 4, 4, 2), value)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = NormalizeAndActivate(norm, layers.LeakyReLU(0.01))(x)
        assert np.isfinite(np.asarray(y)).all()
        assert np.isfinite(np.asarray(tape.gradient(y, x))).all()


@pytest.mark.parametrize(
    ("name", "normalization", "filters"),
    [
        ("unet", "none", (4, 8, 16)),
        ("unet", "instance", (4, 8, 16)),
        ("unet_full", "batch", (4, 8, 16)),
        ("unet_residual", "instance", (4, 8)),
        ("original", "none", (4, 8, 16)),
        ("sm_unet", "none", (4, 8, 8, 16, 16)),
    ],
)
def test_the_learner_has_the_weights_and_outputs_of_its_network(name, normalization, filters):
    from glioseg.train.fast.layers import NormalizeAndActivate, learner
    from glioseg.train.networks import build_network

    network = build_network(name, (32, 32, 32), 2, 4, filters, "resnet18", normalization)
    network.set_weights([value + 0.1 * (value.ndim == 1) for value in network.get_weights()])
    model, activate = learner(network)
    assert {id(value) for value in model.variables} == {id(value) for value in network.variables}
    fused = [layer for layer in model.layers if isinstance(layer, NormalizeAndActivate)]
    # A stem, a block, three blocks with a shortcut, and a convolution in the decoder of unet_residual. The encoder of
    # sm_unet has batch normalization.
    counts = {"unet": 10, "unet_full": 10, "unet_residual": 1 + 2 + 7 + 1, "original": 0}
    if name == "sm_unet":
        assert len(fused) > 10
    else:
        assert len(fused) == counts[name] * (normalization != "none")
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 32, 2)).astype(np.float32)
    expected, found = np.asarray(network(image)), np.asarray(activate(model(image)))
    assert found == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected) > 1e-3
    # The fused layers are not part of the network, so they are not saved with it.
    assert not any(isinstance(layer, NormalizeAndActivate) for layer in network.layers)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_convolutions_equal_those_of_keras_and_their_bias_gradients_are_exact(dtype):
    import tensorflow as tf
    from keras import layers

    from glioseg.train.fast.layers import Convolution, TransposedConvolution

    policy = "float32" if dtype == "float32" else "mixed_bfloat16"
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, 16, 18, 20, 4)), dtype)
    for convolution, ours in (
        (layers.Conv3D(3, 3, padding="same", activation="relu", dtype=policy), Convolution),
        (layers.Conv3DTranspose(3, 2, strides=2, padding="same", dtype=policy), TransposedConvolution),
        (layers.Conv3DTranspose(3, 2, strides=2, use_bias=False, dtype=policy), TransposedConvolution),
    ):
        convolution.build(x.shape)
        for value in convolution.variables:
            value.assign(random.normal(size=value.shape))
        slopes = tf.constant(random.normal(1, 1, convolution.compute_output_shape(x.shape)), dtype)
        results = []
        for layer in (convolution, ours(convolution)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
            assert y.dtype == dtype
            variables = [value.value for value in convolution.variables]
            results.append([y, *tape.gradient(y, [x, *variables], output_gradients=slopes)])
        for theirs, found in zip(*([np.asarray(tf.cast(v, "float32")) for v in both] for both in results), strict=True):
            near = (1e-4 if dtype == "float32" else 0.03) * float(np.abs(theirs).max())
            if theirs.shape != (3,):
                assert found == pytest.approx(theirs, abs=near)
                continue
            # TensorFlow's own bias gradient in bfloat16 stops growing long before the sum of 5,760 or more voxels.
            upstream = np.asarray(tf.cast(slopes, "float64")) * (np.asarray(tf.cast(results[1][0], "float64")) > 0)
            if convolution.__class__ is layers.Conv3DTranspose:
                upstream = np.asarray(tf.cast(slopes, "float64"))
            assert found == pytest.approx(upstream.sum((0, 1, 2, 3)), rel=1e-4 if dtype == "float32" else 0.01)


@pytest.mark.parametrize(
    ("size", "stride", "sides"),
    [(3, 1, (2, 2, 2)), (3, 1, (2, 4, 8)), (3, 2, (3, 1, 4)), (3, 2, (8, 1, 1)), (2, 2, (8, 8, 1)), (5, 1, (4, 4, 4))],
)
def test_gradients_of_kernels_are_right_in_images_as_small_as_the_kernel(size, stride, sides):
    """In bfloat16 on a processor that has it, TensorFlow's own are NaN or wrong there, and the fourth one crashes."""
    import tensorflow as tf
    from keras import layers

    from glioseg.train.fast.layers import Convolution

    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(2, *sides, 16)), "float32")
    results, kernel = [], random.normal(size=(size, size, size, 16, 24))
    for policy in ("float32", "mixed_bfloat16"):
        layer = layers.Conv3D(24, size, strides=stride, padding="same", use_bias=False, dtype=policy)
        layer.build(x.shape)
        layer.kernel.assign(kernel)
        image = tf.cast(x, layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(image)
            y = layer(image) if policy == "float32" else Convolution(layer)(image)
        assert y.dtype == layer.compute_dtype
        slopes = tf.cast(np.random.default_rng(1).normal(size=y.shape), y.dtype)
        results.append([y, *tape.gradient(y, [image, layer.kernel.value], output_gradients=slopes)])
    insist_on_same(*results, "bfloat16")


def test_no_layer_of_a_network_has_its_gradient_in_bfloat16_where_that_is_wrong(policy):
    import keras

    from glioseg.train.fast.layers import Convolution, learner
    from glioseg.train.networks import build_network

    policy("mixed_bfloat16")
    for name, patch, filters in (
        ("unet", (32, 64, 64), (4, 8, 8, 8)),
        ("unet", (64, 64, 64), (4, 8, 8, 8, 8)),
        ("unet_residual", (32, 32, 32), (4, 8, 8, 8, 8)),
    ):
        network = build_network(name, patch, 2, 4, filters, "resnet18")
        replaced = [layer for layer in learner(network)[0].layers if isinstance(layer, Convolution)]
        small = {
            layer.name
            for layer in network.layers
            if isinstance(layer, keras.layers.Conv3D) and min(layer.input.shape[1:4]) <= 2
        }
        assert small, (name, patch)
        assert small <= {layer.name for layer in replaced}, (name, patch)


# The versions of Keras with which train/fast was tried.
TRIED = {"3.15.1"}


def test_private_parts_of_keras_were_tried_with_this_version():
    import keras

    assert keras.__version__ in TRIED, (
        f"Keras {keras.__version__} is new here: scripts/glioseg/train/fast uses private parts of Keras and was tried "
        f"with {', '.join(sorted(TRIED))}. If the tests in tests/train/fast pass, add the version to TRIED."
    )
    locked = re.search(r"^keras==(\S+)", (ROOT / "envs/requirements.lock").read_text(), re.M)[1]
    assert locked in TRIED
