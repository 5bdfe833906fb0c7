"""Train one fold's network; a training that was killed at any moment continues from its saved state."""

import platform
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import keras
import numpy as np
import tensorflow as tf

from glioseg.choices import choose
from glioseg.labels import CLASSES, targets_of
from glioseg.train.device import give_way
from glioseg.train.fast.adam import in_one_pass
from glioseg.train.fast.layers import learner
from glioseg.train.fast.xla import with_gradient
from glioseg.train.losses import build_loss, one_hot
from glioseg.train.networks import build_network, resized, supervise
from glioseg.train.patches import training_batch, validation_batch
from glioseg.train.progress import Progress, Training
from glioseg.train.schedule import SCHEDULES, finished, stage_end, stage_of, stages
from glioseg.train.scores import Scores
from glioseg.train.settings import TrainSettings
from glioseg.train.signals import noted_signals
from glioseg.train.state import Restored, claim_state, restore_state

# Batches from which `settle` computes the statistics of batch normalizations.
SETTLING = 64
OPTIMIZERS = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}


def build_models(
    channels: int, settings: TrainSettings, begin: Callable[[keras.Model], object] = lambda network: None
) -> tuple[keras.Model, list[keras.Model]]:
    """Build the network, and for each of the `stages` a compiled model that trains its layers, with loss and scores.

    The models share one optimizer. begin: changes the network's first weights, or which layers are trained.
    """
    choose("schedule", settings["schedule"], SCHEDULES)
    classes, targets = settings["classes"], settings["targets"]
    network = build_network(
        settings["network"],
        settings["patch"],
        channels,
        len(targets_of(targets, classes)),
        settings["filters"],
        settings["backbone"],
        settings["normalization"],
        "softmax" if targets == "classes" else "sigmoid",
    )
    begin(network)
    model, activate = learner(supervise(network) if settings["deep_supervision"] else network)
    averaged = {"use_ema": True, "ema_momentum": settings["average"]} if settings["average"] else {}
    optimizer = in_one_pass(choose("optimizer", settings["optimizer"], OPTIMIZERS))(
        settings["learning_rate"], global_clipnorm=settings["clip_norm"] or None, **averaged
    )
    of_activated = build_loss(settings["losses"], classes, targets, settings["batch_dice"])

    def from_classes(truth, outputs):
        return of_activated(one_hot(truth, len(classes), outputs.shape[1:-1]), activate(outputs))

    loss = with_gradient(from_classes)

    def shared(truth, outputs):
        # Keras divides the loss among replicas only if it has an axis.
        return loss(truth, outputs)[None]

    models = [*(resized(model, stage["patch"]) for stage in stages(settings)[:-1]), model]
    for one in models:
        one.compile(optimizer, shared, metrics=[Scores(classes, targets, activate)])
    return network, models


def train_network(training: Training, strategy: tf.distribute.Strategy) -> tuple[keras.Model, list[dict]]:
    """Train one network to its last epoch, continuing from the state on disk if that has the same identity.

    Seed and step determine each batch, so the state is only weights, optimizer and epoch. A run that was killed and
    continued ends with the same weights as an undisturbed one (unless `max_minutes` ends it). strategy: the devices
    that share each batch. Returns the model of the last epoch, with averaged weights if that is set, and one row per
    epoch (`HISTORY_COLUMNS`).
    Raises ValueError for an unknown name in the settings or a batch that cannot be divided among the devices,
    FloatingPointError if the loss is not finite, and Interrupted after a signal (`noted_signals`); the saved state is
    then that of the last step, in mid-epoch.
    """
    settings, devices = training.settings, strategy.num_replicas_in_sync
    if settings["batch"] % devices:
        raise ValueError(f"batch: {settings['batch']} patches cannot be divided among {devices} GPUs; use a multiple")
    keras.utils.set_random_seed(settings["seed"])
    with strategy.scope():
        network, models = build_models(training.subjects[0].image.shape[-1], settings, training.begin)
        model = models[-1]
        model.optimizer.build(model.trainable_variables)
    claim_state(training.state, training.identity, training.say)
    restored = restore_state(model, training.state, training.identity, training.say)
    history, done = restored.history, len(restored.history)
    _fit(models, training, restored, devices)
    if settings["average"]:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    settle(network, (training_batch(training.subjects, step, settings)[0] for step in range(SETTLING)))
    if len(history) < settings["epochs"] and len(history) > done:
        training.say(f"training ended after epoch {len(history)} of {settings['epochs']}")
    return network, history


def settle(network: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Make the moving averages of batch normalizations their mean over batches (images), in the place of older ones.

    Those of a training are of its last ten steps or so, and not of averaged weights, which need statistics of their own
    (Izmailov et al. 2018, arXiv:1803.05407, section 3). Frozen layers keep theirs.
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for count, images in enumerate(batches):
        for norm in norms:
            norm.momentum = count / (count + 1)
        network(images, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _fit(models: list[keras.Model], training: Training, restored: Restored, devices: int) -> None:
    """Train the epochs that are missing from the restored history, the first of them from step `into`."""
    settings, (history, into, sums) = training.settings, restored
    done, last, steps = len(history), settings["epochs"], settings["steps_per_epoch"]
    # `Progress` adds the epoch that max_minutes cuts short, so that it is validated too.
    epochs = [*range(settings["validation_every"], last, settings["validation_every"]), last]
    averages = [keras.callbacks.SwapEMAWeights()] if settings["average"] else []
    with noted_signals() as noted:
        progress = Progress(training, history, epochs, noted)
        while not finished(history, settings):
            start, number = len(history), stage_of(history, settings)
            model, stage = models[number], stages(settings)[number]
            if start > done:
                into, sums = 0, []
                # Restore the weights, which Keras may replace by their average at the end of a fit.
                restore_state(model, training.state, training.identity, lambda said: None)

            def make(step, stage=stage):
                batch = training_batch(training.subjects, step, stage)
                progress.waiting.batch_is_ready(int(step))
                return batch

            # An epoch that a signal interrupted is fitted separately, for its remaining steps.
            stop = start + 1 if into else stage_end(number, settings)
            data = stream(make, start * steps + into, stop * steps, model, settings["classes"], training.workers)
            progress.continue_epoch(stage, into, sums)
            if into:
                # Keras creates the metrics' variables, which are restored next, only with a first batch.
                model.evaluate(data.take(1), verbose=0)
            model.fit(
                data,
                initial_epoch=start,
                epochs=stop,
                steps_per_epoch=steps - into,
                validation_data=_validation(training, stage, model, devices),
                validation_freq=epochs,
                callbacks=[progress, *averages],
                shuffle=False,
                verbose=0,
            )


def _validation(training: Training, stage: TrainSettings, model: keras.Model, devices: int) -> tf.data.Dataset | None:
    """The patches of the validation curves, in the size of this stage."""
    if not training.validation:
        return None
    # One copy of each patch per device, so that no device gets an empty share; the scores stay the same.
    batches = [
        [np.repeat(part, devices, 0) for part in validation_batch(subject, stage["patch"])]
        for subject in training.validation
    ]
    return stream(lambda index: batches[index], 0, len(batches), model, stage["classes"], 1)


def stream(batch, start: int, stop: int, model: keras.Model, classes, workers: int) -> tf.data.Dataset:
    """Return (image, mask) batches in order of their number, prepared in threads; an error there ends the training."""
    image = model.inputs[0].shape[1:]
    # Map CLASSES indices to this study's; classes it lacks get an index past the end. Other classes stay as they are.
    known = CLASSES if set(classes) <= set(CLASSES) else classes
    index = np.array([classes.index(name) if name in classes else len(classes) for name in known], np.uint8)

    def make(number):
        give_way()
        images, masks = batch(number)
        return images, index.take(masks)

    def load(number):
        images, masks = tf.numpy_function(make, [number], (tf.float32, tf.uint8))
        return tf.ensure_shape(images, (None, *image)), tf.ensure_shape(masks, (None, *image[:-1]))

    options = tf.data.Options()
    # Private threads, because `give_way` lowers their priority.
    options.threading.private_threadpool_size = workers
    # Nothing is left to tune. The end of a fit would wait for the tuner, which sleeps for up to a minute at a time.
    options.autotune.enabled = False
    data = tf.data.Dataset.range(start, stop).map(load, num_parallel_calls=workers).prefetch(2)
    return data.with_options(options)


def versions() -> dict[str, str]:
    """Versions of Python and the packages that a model depends on, if they are installed."""
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    for name in ("keras", "segmentation-models-3D", "numpy", "nibabel", "SimpleITK"):
        # segmentation-models-3D is not among the dependencies of the wheel.
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
