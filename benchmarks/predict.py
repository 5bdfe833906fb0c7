"""Time the prediction of one subject: the whole job, including the start of Python, and the share of the network.

\b
python benchmarks/predict.py --scan results/preprocess/phantom_002 --model results/train/all/model.keras --repeats 5
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402

from glioseg.predict.model_facts import read_facts  # noqa: E402
from glioseg.predict.runtime import load_networks  # noqa: E402
from glioseg.predict.sliding_window import predict_probabilities, window_corners  # noqa: E402
from glioseg.volumes.brain import background_value, brain_mask  # noqa: E402
from glioseg.workflow.commands import FILE, FOLDER  # noqa: E402


def job(scan: Path, models: tuple[Path, ...], threads: int, folder: str) -> tuple[float, float]:
    """Wall and CPU seconds of scripts/predict.py."""
    options = {"scan": scan, "labels": "brats2020", "overlap": 0.5, "runtime": "openvino", "threads": threads}
    options |= {"smallest-enhancing-ml": 0.2, "smallest-component-ml": 0, "map-folder": folder}
    options |= {"uncertainty": f"{folder}/uncertainty.json", "output": f"{folder}/seg.nii.gz"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    words += [str(word) for model in models for word in ("--model", model)]
    return seconds_of(
        lambda: subprocess.run([sys.executable, SCRIPTS / "predict.py", *words], check=True, capture_output=True),
        resource.RUSAGE_CHILDREN,
    )


def seconds_of(function: Callable[[], object], whose: int = resource.RUSAGE_SELF) -> tuple[float, float]:
    """Wall and CPU seconds of a call, summed over all threads."""
    before, start = resource.getrusage(whose), time.perf_counter()
    function()
    wall, after = time.perf_counter() - start, resource.getrusage(whose)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@click.command(help=__doc__)
@click.option("--scan", type=FOLDER, required=True, help="A subject's folder written by preprocess.")
@click.option("--model", "models", type=FILE, multiple=True, required=True, help="model.keras (repeatable).")
@click.option("--repeats", type=click.IntRange(1), required=True, help="Number of timed runs.")
@click.option(
    "--threads", type=click.IntRange(1), default=len(os.sched_getaffinity(0)), show_default=True, help="CPU threads."
)
def main(scan: Path, models: tuple[Path, ...], repeats: int, threads: int) -> None:
    image, facts = np.load(scan / "image.npy"), read_facts(models)
    networks = list(load_networks(models, "openvino", threads))
    brain = np.zeros(image.shape[:3], bool)
    for channel in np.moveaxis(image, -1, 0):
        brain |= brain_mask(channel, background_value(channel))
    patch = networks[0].patch
    windows = len(window_corners(brain, patch, 0.5)) * len(models)
    patches = np.random.default_rng(0).normal(size=(4, networks[0].channels, *patch)).astype(np.float32)

    def bare() -> None:
        for network in networks:
            for _ in network.predict(patches[place % 4] for place in range(windows // len(models))):
                pass

    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        contenders = {
            "the whole job": lambda: job(scan, models, threads, folder),
            "inference": lambda: seconds_of(
                lambda: predict_probabilities(networks, image, facts.channels, facts.targets, 0.5, (), False)
            ),
            "the network alone, same windows": lambda: seconds_of(bare),
        }
        # Run in turns, so that other load on the machine affects all alike. The first round is a warm-up.
        for _ in range(repeats + 1):
            for name, run in contenders.items():
                found.setdefault(name, []).append(run())
    name = json.loads((scan / "scan.json").read_text(encoding="utf-8"))["subject"]
    click.echo(f"{name}, {'x'.join(map(str, image.shape))}, {windows} windows of {patch}, {threads} threads")
    click.echo(f"{'':36} wall s  CPU s   (median of {repeats})")
    medians = {
        name: [statistics.median(part) for part in zip(*taken[1:], strict=True)] for name, taken in found.items()
    }
    for name, (wall, processor) in medians.items():
        click.echo(f"{name:36} {wall:6.2f} {processor:6.2f}")
    whole, inference, network = (medians[name][1] for name in contenders)
    click.echo(f"CPU: inference / network = {inference / network:.2f}; network / whole job = {network / whole:.2f}")


if __name__ == "__main__":
    main()
