"""A loss and its gradient in one pass equal those computed separately; a GPU's step learns what a CPU's does."""

from types import SimpleNamespace

import numpy as np
import pytest
from trainings import subject

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)
from glioseg.train.settings import AUGMENTATIONS


@pytest.mark.parametrize("targets", ["classes", "regions"])
def test_the_loss_and_its_gradient_equal_those_computed_separately(targets):
    import keras
    import tensorflow as tf

    from glioseg.train.fast.xla import with_gradient
    from glioseg.train.losses import build_loss

    random = np.random.default_rng(0)
    outputs = tf.constant(random.normal(size=(2, 4, 5, 6, 4 if targets == "classes" else 3)), tf.float32)
    truth = tf.one_hot(random.integers(0, 4, (2, 4, 5, 6)), 4)
    activate = keras.activations.softmax if targets == "classes" else keras.activations.sigmoid
    loss = build_loss(["dice_cross_entropy"], CLASSES[:4], targets, True)
    found = []
    for function in (lambda t, o: loss(t, activate(o)), with_gradient(lambda t, o: loss(t, activate(o)))):
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            value = 3 * function(truth, outputs)
        found.append((float(value), np.asarray(tape.gradient(value, outputs))))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-4, abs=1e-7)
    assert np.abs(found[0][1]).max() > 1e-4


@pytest.fixture
def gpu(monkeypatch):
    """TensorFlow names a GPU, so that Keras compiles the whole step with XLA as it does there. The CPU runs it."""
    import tensorflow as tf

    listed = tf.config.list_physical_devices
    pretended = SimpleNamespace(name="/physical_device:GPU:0", device_type="GPU")
    monkeypatch.setattr(
        tf.config,
        "list_physical_devices",
        lambda kind=None: [*listed(kind), *([pretended] if kind in (None, "GPU") else [])],
    )


SETTINGS = {
    # Three levels, of which one is supervised beside the output. On a side of two voxels, oneDNN's gradients in
    # bfloat16 are wrong, which is mended on a CPU only (train/fast/layers.py), so the patches have 32.
    "network": "unet", "patch": (32, 32, 32), "filters": (4, 8, 8), "batch": 2, "small_patches": 0, "backbone": "",
    "normalization": "instance", "deep_supervision": True, "average": 0.9, "classes": CLASSES[:4],
    "optimizer": "adamw", "schedule": "cosine", "learning_rate": 0.01, "warmup_steps": 0, "clip_norm": 1,
    "losses": ("dice_cross_entropy",), "batch_dice": True, "epochs": 2, "steps_per_epoch": 2, "max_minutes": 0,
    "patience": 0, "foreground": 0.5, **AUGMENTATIONS["none"], "flip": 0.5, "gain": 0.1, "gamma": (0.1,), "noise": 0.1,
    "implant": 0, "modality_dropout": 0, "validation_every": 1, "start": "", "seed": 3,
}  # fmt: skip


def train(folder, **changes):
    """Train for a few steps; the network's weights in one row before and after, its losses, and the trained model."""
    import tensorflow as tf

    from glioseg.train import loop
    from glioseg.train.progress import Training
    from glioseg.train.state import Identity

    first, built, build = [], [], loop.build_models

    def noted(channels, settings, begin):
        built.append(build(channels, settings, begin))
        return built[0]

    subjects, settings = [subject(name) for name in ("a", "bb")], SETTINGS | changes
    state = folder / "state.npz"
    training = Training(
        subjects,
        subjects[:1],
        state,
        Identity("x", "x"),
        settings,
        1,
        lambda _: None,
        lambda net: first.append(row(net)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build_models", noted)
        network, history = loop.train_network(training, tf.distribute.get_strategy())
    state.unlink()
    losses = [float(epoch[name]) for epoch in history for name in ("loss", "val_loss")]
    return first[0], row(network), losses, built[0][1][-1]


def row(network):
    return np.concatenate([value.ravel() for value in network.get_weights()])


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory):
    """A function that trains on the CPU in float32, once for each kind of targets."""
    found = {}

    def trained(targets):
        if targets not in found:
            found[targets] = train(tmp_path_factory.mktemp(targets), targets=targets)
        return found[targets]

    return trained


@pytest.mark.parametrize(
    ("precision", "targets", "near", "apart"),
    [
        ("float32", "classes", 1e-5, 1e-3),
        ("mixed_bfloat16", "regions", 1e-3, 0.6),
        ("mixed_float16", "classes", 5e-4, 0.3),
    ],
)
def test_the_step_compiled_for_a_gpu_learns_what_that_of_a_cpu_learns(
    precision, targets, near, apart, policy, on_cpu, request, tmp_path
):
    import keras

    first, expected, losses, _ = on_cpu(targets)
    policy(precision)
    request.getfixturevalue("gpu")
    started, found, theirs, model = train(tmp_path, targets=targets)
    assert model.jit_compile, "XLA compiles the whole step"
    assert not [layer for layer in model.layers if type(layer).__module__.startswith("glioseg")]
    optimizer = model.optimizer
    if precision == "mixed_float16":
        assert type(optimizer) is keras.optimizers.LossScaleOptimizer
        optimizer = optimizer.inner_optimizer
    assert type(optimizer) is keras.optimizers.AdamW
    assert (started == first).all()
    assert theirs == pytest.approx(losses, rel=near)
    assert losses[2] < 0.99 * losses[0]
    # Adam's first steps are as large for a small gradient as for a large one, whatever its rounding.
    assert np.linalg.norm(found - expected) < apart * np.linalg.norm(expected - first)


@pytest.mark.parametrize(("clip_norm", "step"), [(0, 1 / 2), (2.0**-28, 1 / 4)], ids=["unclipped", "clipped"])
def test_the_loss_of_float16_is_scaled_and_the_step_is_not(clip_norm, step, policy, gpu, monkeypatch):
    """Hand-computed steps of a weight that multiplies x = 1/2 in 8 voxels, with the loss 2^-26 times the mean product.

    Its slope for each voxel, 2^-29, is 0 in float16, whose smallest number is 2^-24; times the first scale, 2^15, it is
    not. The gradient is 2^-27, and a rate of 2^26 makes it a step of 1/2. Clipped to a norm of 2^-28, which is half of
    that of the unscaled gradient, it is a step of 1/4.
    """
    import keras
    from keras import layers

    from glioseg.train import loop, losses, networks

    # With deep supervision, which a layer decoder_0 allows, the loss gets float16; otherwise Keras casts it.
    def build(patch, channels, outputs, *_):
        inputs = keras.Input((*patch, channels))
        x = layers.Conv3D(outputs, 1, use_bias=False, kernel_initializer="ones", name="decoder_0")(inputs)
        return keras.Model(inputs, layers.Activation("linear", dtype="float32")(x))

    monkeypatch.setitem(networks.NETWORKS, "one", networks.Architecture(build, lambda levels: 1))
    monkeypatch.setitem(
        losses.LOSSES, "small", lambda *_: lambda truth, found: 2.0**-26 * keras.ops.mean(found[..., 0])
    )
    monkeypatch.setitem(loop.OPTIMIZERS, "sgd", keras.optimizers.SGD)
    policy("mixed_float16")
    settings = {"network": "one", "losses": ("small",), "optimizer": "sgd", "patch": (2, 2, 2), "targets": "classes"}
    settings |= {"learning_rate": 2.0**26, "clip_norm": clip_norm, "average": 0}
    network, (model,) = loop.build_models(1, SETTINGS | settings)
    # XLA may compute with more bits than float16 has, which would hide a slope that is lost.
    model.jit_compile = False
    image, truth = np.full((1, 2, 2, 2, 1), 0.5, np.float32), np.zeros((1, 2, 2, 2), np.uint8)

    def weights_after(image):
        model.train_on_batch(image, truth)
        return network.get_weights()[0].ravel().tolist()[:2]

    assert weights_after(image) == pytest.approx([1 - step, 1], rel=1e-6)
    # A gradient that is not finite changes no weight, and halves the scale for the next step.
    assert weights_after(image * np.inf) == pytest.approx([1 - step, 1], rel=1e-6)
    assert float(model.optimizer.dynamic_scale.value) == 2.0**14
    assert weights_after(image) == pytest.approx([1 - 2 * step, 1], rel=1e-6)
