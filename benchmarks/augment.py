"""Time a training patch on one core: with each change of an augmentation alone, with all of them, and as drawn.

"As drawn" is what a training pays: most patches have few of the changes. Blur and lower resolution change about half of
the channels. Times are those of the processor, which other work on the machine hardly changes.
"""

import os
import sys
import time
from pathlib import Path
from unittest.mock import patch

# Set before NumPy loads its library for matrix products.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from glioseg.train.device import use_threads  # noqa: E402
from glioseg.train.settings import AUGMENTATIONS  # noqa: E402

# The settings of each costly change; the others cost nothing.
COSTLY = {
    "rotation and scale": ("rotation", "scale"),
    "elastic": ("elastic",),
    "gamma": ("gamma",),
    "blur": ("blur",),
    "lower resolution": ("coarse",),
    "noise": ("noise",),
}
SHARES = ("GEOMETRY", "CURVED", "NOISY", "BLURRED", "COARSE")


@click.command(help=__doc__)
@click.option(
    "--preprocess", type=click.Path(exists=True, path_type=Path), required=True, help="Folder written by preprocess."
)
@click.option("--side", type=int, required=True, help="Voxels of the patch along each axis.")
@click.option("--augmentation", type=click.Choice(AUGMENTATIONS), required=True, help="Set of changes.")
@click.option("--patches", type=int, required=True, help="Number of patches for each mean.")
def main(preprocess: Path, side: int, augmentation: str, patches: int) -> None:
    use_threads(1)
    from glioseg.train import augment
    from glioseg.train.patches import load_subject, training_batch

    folders = [folder for folder in sorted(preprocess.iterdir()) if (folder / "mask.npy").exists()][:6]
    subjects = [load_subject(folder) for folder in folders]
    common = {"seed": 1, "patch": (side,) * 3, "batch": 1, "foreground": 0.5, "implant": 0, "modality_dropout": 0}
    drawn, none = AUGMENTATIONS[augmentation], AUGMENTATIONS["none"]
    always = dict.fromkeys(SHARES, 1.0)
    runs = {"none": (none, always)}
    for name, settings in COSTLY.items():
        changes = none | {setting: drawn[setting] for setting in settings}
        if changes != none:
            runs[name] = changes, always
    usual = {share: getattr(augment, share) for share in SHARES}
    runs |= {"all of them": (drawn, always), "as drawn": (drawn, usual)}
    for name, (changes, shares) in runs.items():
        seconds = []
        with patch.multiple(augment, **shares):
            # The first patches compile the interpolation, once for each size of the box that is read.
            for step in [*range(patches), *range(patches)]:
                started = time.process_time()
                training_batch(subjects, step, common | changes)
                seconds.append(time.process_time() - started)
        times = 1000 * np.array(seconds[patches:])
        click.echo(f"{name:20} {times.mean():7.1f} ms  longest {times.max():7.1f} ms")


if __name__ == "__main__":
    main()
