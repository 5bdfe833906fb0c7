"""Time what each module of scripts/glioseg/train/fast saves: a training step and a batch, with and without it.

The step is that of our network on a cached batch, as in benchmarks/step.py. All variants run in turns in one process,
and the result is the median. A batch is prepared on one thread. "Without" is what Keras, TensorFlow or SciPy does by
itself.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent / "benchmarks")]

from step import BEFORE, CHANNELS, CLASSES, IN_A_ROW, SETTINGS  # noqa: E402

from glioseg.train.device import use_threads  # noqa: E402


def plain_reading(values, mask, *places):
    """`read_values` by SciPy: linear for the image, nearest for the mask."""
    from scipy import ndimage

    x, y, z, *bend = places
    at = x[:, :, None, None] + y[:, None, :, None] + z[:, None, None, :] + (bend[0] if bend else 0)
    parts = [ndimage.map_coordinates(values[..., i].astype(np.float32), at, order=1) for i in range(values.shape[-1])]
    return np.stack(parts, -1), ndimage.map_coordinates(mask, at, order=0)


@contextmanager
def without(part: str):
    """The library with one of its fast parts replaced by what would be there without it."""
    targets = {
        "layers": ("glioseg.train.fast.layers._fused", lambda model: {}),
        "xla": ("glioseg.train.fast.xla.on_gpu", lambda: True),
        "adam": ("glioseg.train.loop.in_one_pass", lambda optimizer: optimizer),
        "interpolate": ("glioseg.train.fast.interpolate.read_values", plain_reading),
    }
    if part not in targets:
        yield
        return
    with patch(*targets[part]):
        yield


@click.command(help=__doc__)
@click.option(
    "--preprocess",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Folder of preprocess of a study with four modalities.",
)
@click.option("--threads", type=int, required=True, help="Number of cores to use.")
@click.option("--repeats", type=int, required=True, help="Number of turns for each median.")
@click.option("--precision", type=click.Choice(["float32", "mixed_bfloat16"]), required=True, help="Keras policy.")
@click.option("--normalization", type=click.Choice(["instance", "batch"]), required=True, help="Normalization layers.")
def main(preprocess: Path, threads: int, repeats: int, precision: str, normalization: str) -> None:
    use_threads(threads)
    import keras
    import tensorflow as tf

    keras.mixed_precision.set_global_policy(precision)
    from glioseg.train.loop import build_models
    from glioseg.train.patches import load_subject, training_batch

    folders = [folder for folder in sorted(preprocess.iterdir())[:6] if (folder / "mask.npy").exists()]
    subjects = [load_subject(folder) for folder in folders]
    image, mask = training_batch(subjects, 0, SETTINGS)
    cached = (tf.constant(image), tf.constant(mask))
    assert image.shape[-1] == CHANNELS and mask.max() < CLASSES
    runs: dict[str, Callable[[], object]] = {}
    # Without "xla" the same layers, loss and scores run operation by operation.
    for part in ("nothing", "layers", "adam", "xla"):
        with without(part):
            _, (model,) = build_models(CHANNELS, SETTINGS | {"normalization": normalization})
            train = model.make_train_function() or model.train_function
            train(iter([cached]))
        runs[f"step without {part}"] = lambda train=train: train(iter([cached]))
    for part in ("nothing", "interpolate"):

        def make(part=part):
            with without(part):
                for step in range(4):
                    training_batch(subjects, step, SETTINGS)

        runs[f"4 batches without {part}"] = make
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            row = IN_A_ROW if "step" in name else 1
            for _ in range(BEFORE if row > 1 else 1):
                run()
            started = time.perf_counter()
            for _ in range(row):
                run()
            seconds[name].append((time.perf_counter() - started) / row)
    medians = {name: 1000 * statistics.median(values[1:]) for name, values in seconds.items()}
    for name, median in medians.items():
        kind = "step" if "step" in name else "4 batches"
        click.echo(f"{name:32} {median:7.1f} ms  {median - medians[f'{kind} without nothing']:+7.1f}")


if __name__ == "__main__":
    main()
