"""Measure on one GPU, in at most eight minutes, what a training and a prediction take; writes one JSON file.

\b
python benchmarks/gpu.py --preprocess results/preprocess --minutes 5 --output gpu.json

The folder is that of `make run` or of any study. The last quarter of its subjects is held out. The file has: what
TensorFlow sees; the plan; seconds of a step on one cached batch (bare) and on prepared batches (fed), and patches a
second; memory against the plan; the speed of the convolutions as a share of a large matrix product; the Dice of the
held-out subjects after the minutes of training; and the seconds of their prediction. It runs on a CPU, too.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent / "benchmarks")]

import click  # noqa: E402
import numpy as np  # noqa: E402
import yaml  # noqa: E402

from glioseg.files import read_sample, write_json  # noqa: E402
from glioseg.labels import CLASSES, targets_of  # noqa: E402
from glioseg.train.device import choose_precision, use_threads  # noqa: E402
from glioseg.workflow.commands import FOLDER, JSON  # noqa: E402


def median_seconds(call: Callable[[], object], times: int) -> float:
    """Median of a call's seconds, after two calls that are not counted."""
    taken = []
    for _ in range(times + 2):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[2:])


def seen() -> dict:
    """What TensorFlow sees."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return {"tensorflow": tf.__version__, "gpus": details, "cores": len(os.sched_getaffinity(0))}


def peak_bytes(device: str) -> int:
    """Most memory used so far: of the GPU, or of this process."""
    import tensorflow as tf

    if device == "gpu":
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def time_steps(subjects: list, settings: dict, device: str, steps: int) -> dict:
    """Seconds of a step, bare and fed, and the speed of its convolutions; compiling is not counted."""
    import tensorflow as tf
    from step import BATCH, flops

    from glioseg.train.loop import build_models, stream
    from glioseg.train.patches import training_batch

    network, (model,) = build_models(subjects[0].image.shape[-1], settings)
    train = model.make_train_function() or model.train_function
    cached = tuple(map(tf.constant, training_batch(subjects, 0, settings)))
    workers = max(len(os.sched_getaffinity(0)) // 2, 1)
    data = iter(
        stream(lambda step: training_batch(subjects, step, settings), 0, 10**6, model, settings["classes"], workers)
    )
    # Each call returns numbers of the step, which waits for it.
    bare = median_seconds(lambda: float(train(iter([cached]))["loss"]), steps)
    fed = median_seconds(lambda: float(train(data)["loss"]), steps)
    batch = median_seconds(lambda: training_batch(subjects, 0, settings), 5)
    side = 8192 if device == "gpu" else 1024
    square = tf.cast(tf.random.normal((side, side)), tf.bfloat16)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(square, square)))
    matrix = 2 * side**3 / median_seconds(lambda: product().numpy(), 10)
    # The gradients take twice the work of the forward pass.
    work = 3 * flops(network) / BATCH * settings["batch"]
    return {
        "seconds_bare": bare,
        "seconds_fed": fed,
        "patches_per_second_fed": settings["batch"] / fed,
        "core_seconds_of_a_batch": batch,
        "matrix_product_tflops": matrix / 1e12,
        "share_of_matrix_product": work / bare / matrix,
    }


def train_and_predict(subjects: list, held_out: list[Path], settings: dict, minutes: float) -> dict:
    """Dice of WT, TC and ET of the held-out subjects after minutes of training, and the seconds of a prediction."""
    import tensorflow as tf
    from peers import dice

    from glioseg.labels import region
    from glioseg.predict.runtime import load_networks
    from glioseg.predict.sliding_window import predict_probabilities
    from glioseg.train.loop import train_network
    from glioseg.train.progress import Training
    from glioseg.train.state import Identity

    limits = {"max_minutes": minutes, "epochs": 10**4, "steps_per_epoch": 50}
    channels = tuple(targets_of(settings["targets"], settings["classes"]))
    with tempfile.TemporaryDirectory() as folder:
        state, model = Path(folder) / "state.npz", Path(folder) / "model.keras"
        workers = max(len(os.sched_getaffinity(0)) // 2, 1)
        training = Training(subjects, [], state, Identity("gpu", "gpu"), settings | limits, workers, click.echo)
        network, history = train_network(training, tf.distribute.get_strategy())
        network.save(model)
        networks = list(load_networks([model], "tensorflow", len(os.sched_getaffinity(0))))
    scores, seconds = {name: [] for name in channels}, []
    for path in held_out:
        image, mask = read_sample(path)
        started = time.perf_counter()
        found = predict_probabilities(networks, image, channels, settings["targets"], 0.5, (), False).probabilities
        seconds.append(time.perf_counter() - started)
        for place, name in enumerate(channels):
            scores[name].append(dice(region(mask, name), found[..., place] > 0.5))
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    trained = sum(float(row["seconds"]) for row in history)
    return {"training_seconds": trained, "dice": means, "prediction_seconds": statistics.median(seconds)}


@click.command(help=__doc__)
@click.option("--preprocess", type=FOLDER, required=True, help="Folder written by preprocess.")
@click.option("--minutes", type=float, default=5, show_default=True, help="Minutes of training.")
@click.option("--network", default="unet_full", show_default=True, help="Architecture, as in train: network.")
@click.option("--patch", type=int, help="Voxels along each side of a patch, instead of those of the plan.")
@click.option("--filters", multiple=True, help="Channels of a level (repeatable), instead of those of the plan.")
@click.option("--steps", type=click.IntRange(1), default=30, show_default=True, help="Number of timed steps.")
@click.option("--output", type=JSON, required=True, help="JSON file to write.")
def main(
    preprocess: Path,
    minutes: float,
    network: str,
    patch: int | None,
    filters: tuple[str, ...],
    steps: int,
    output: Path,
) -> None:
    use_threads(len(os.sched_getaffinity(0)))
    import keras

    from glioseg.train.patches import load_subject
    from glioseg.train.plan import describe_plan, free_bytes, plan, step_bytes
    from glioseg.train.settings import with_augmentation
    from glioseg.train.start.source import settings_to_go_on

    folders = [folder for folder in sorted(preprocess.iterdir()) if (folder / "mask.npy").exists()]
    last = max(len(folders) // 4, 1)
    subjects = [load_subject(folder) for folder in folders[:-last]]
    precision = choose_precision("auto")
    keras.mixed_precision.set_global_policy(precision)
    settings = yaml.safe_load((SCRIPTS.parent / "config.yaml").read_text(encoding="utf-8"))["train"] | {
        "network": network, "filters": filters or ("auto",), "patch": (str(patch),) * 3 if patch else ("auto",),
        "batch": "auto", "small_patches": 0, "targets": "regions", "deep_supervision": True, "foreground": 0.4,
        "precision": precision, "classes": CLASSES[:4], "seed": 1, "start": "", "augmentation": "strong",
    }  # fmt: skip
    settings = settings_to_go_on(with_augmentation(settings), None, {})
    device, free = free_bytes()
    channels = subjects[0].image.shape[-1]
    settings = plan(settings, [subject.mask.shape for subject in subjects], channels, device, free)
    facts = {"seen": seen(), "plan": describe_plan(settings), "free_bytes": free}
    facts |= {"planned_bytes": step_bytes(settings, channels, device)}
    facts |= time_steps(subjects, settings, device, steps)
    # Before the training, whose networks come on top.
    facts |= {"peak_bytes": peak_bytes(device)}
    facts |= train_and_predict(subjects, folders[-last:], settings, minutes)
    write_json(output, facts)
    click.echo(yaml.safe_dump(facts, sort_keys=False))


if __name__ == "__main__":
    main()
