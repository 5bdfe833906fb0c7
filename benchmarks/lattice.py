"""Measure the lattice of two voxels that a network leaves in its probabilities of the whole tumor.

\b
python benchmarks/lattice.py --model results/train/all/model.keras --preprocess results/preprocess \\
  --subject phantom_002 --subject phantom_006

Each window is predicted alone, so that the lattices of overlapping windows do not mix. A voxel has one of eight
parities, by whether its three indices in the window are even or odd. Undecided voxels have a probability between 0.2
and 0.8. The lattice is the largest difference between the means of the eight parities; a network without a lattice
has about the same mean at each. The Dice of the whole tumor is that of the same windows.
"""

import os
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
from peers import dice  # noqa: E402

from glioseg.files import read_sample  # noqa: E402
from glioseg.predict.model_facts import read_facts  # noqa: E402
from glioseg.predict.runtime import load_networks  # noqa: E402
from glioseg.predict.sliding_window import window_corners  # noqa: E402
from glioseg.volumes.brain import background_value, brain_mask  # noqa: E402
from glioseg.workflow.commands import FILE, FOLDER  # noqa: E402

UNDECIDED = 0.2, 0.8


def parity_means(windows: list[np.ndarray]) -> np.ndarray:
    """Mean of the undecided probabilities of windows (X, Y, Z) at each of the eight parities."""
    sums, counts = np.zeros(8), np.zeros(8)
    for window in windows:
        parity = np.arange(8).reshape(2, 2, 2)[np.ix_(*(np.arange(side) % 2 for side in window.shape))]
        undecided = (window > UNDECIDED[0]) & (window < UNDECIDED[1])
        sums += np.bincount(parity[undecided], window[undecided], 8)
        counts += np.bincount(parity[undecided], minlength=8)
    return sums / np.maximum(counts, 1)


@click.command(help=__doc__)
@click.option("--model", type=FILE, required=True, help="model.keras.")
@click.option("--preprocess", type=FOLDER, required=True, help="Folder written by preprocess.")
@click.option("--subject", "subjects", multiple=True, required=True, help="Subject of this folder (repeatable).")
def main(model: Path, preprocess: Path, subjects: tuple[str, ...]) -> None:
    (network,) = load_networks([model], "openvino", len(os.sched_getaffinity(0)))
    whole = slice(0, 1) if read_facts([model]).targets == "regions" else slice(1, None)
    found = []
    for name in subjects:
        image, mask = read_sample(preprocess / name)
        brain = np.zeros(mask.shape, bool)
        for channel in np.moveaxis(np.asarray(image), -1, 0):
            brain |= brain_mask(channel, background_value(channel))
        # A box as large as one window, at least.
        wide = [(0, max(patch - side, 0)) for patch, side in zip(network.patch, mask.shape, strict=True)]
        image, mask, brain = np.pad(image, [*wide, (0, 0)]), np.pad(mask, wide), np.pad(brain, wide)
        corners = window_corners(brain, network.patch, 0)
        places = [tuple(slice(at, at + side) for at, side in zip(one, network.patch, strict=True)) for one in corners]
        patches = (np.moveaxis(image[place], -1, 0).astype(np.float32) for place in places)
        windows = [outputs[whole].sum(0) for outputs in network.predict(patches)]
        tumor, truth = np.zeros(mask.shape, bool), mask > 0
        for place, window in zip(places, windows, strict=True):
            tumor[place] |= window > 0.5
        means = parity_means(windows)
        found.append((np.ptp(means), dice(truth, tumor)))
        click.echo(f"{name:24} lattice {found[-1][0]:.3f}  Dice of WT {found[-1][1]:.3f}")
    click.echo(f"{'mean':24} lattice {np.mean(found, 0)[0]:.3f}  Dice of WT {np.mean(found, 0)[1]:.3f}")


if __name__ == "__main__":
    main()
