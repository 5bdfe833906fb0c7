"""Train MONAI's SegResNet for some minutes on the subjects of a finished study, and score the study's test subjects.

The recipe is that of MONAI's BraTS tutorial: SegResNet (blocks_down 1 2 2 4, blocks_up 1 1 1, 16 filters, dropout 0.2),
Dice loss over sigmoids of TC, WT and ET, Adam 1e-4 with weight decay 1e-5 and a cosine schedule to the end, batches of
one, flips, intensities scaled and shifted by a tenth, autocast (github.com/Project-MONAI/tutorials,
3d_segmentation/brats_segmentation_3d.ipynb). With its crop of 224 x 224 x 144 voxels, a CPU would do about thirty steps
in twenty minutes; --crop sets a smaller one. Data, normalization, split and scores are those of the study. Requires
`pip install torch monai` in an environment that also has the packages of the study.
"""

import sys
import time
from pathlib import Path

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from peers import dice, held_out, options, report, show  # noqa: E402

from glioseg.files import read_table  # noqa: E402
from glioseg.labels import EVERYWHERE, region  # noqa: E402
from glioseg.split.models import models, training_subjects  # noqa: E402
from glioseg.train.patches import load_subject  # noqa: E402


def draw(random: np.random.Generator, subject, crop: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a random crop (channels first), flipped and shifted as in the tutorial; small volumes are zero-padded."""
    size = [min(crop, length) for length in subject.mask.shape]
    start = [int(random.integers(length - side + 1)) for length, side in zip(subject.mask.shape, size, strict=True)]
    box = tuple(slice(low, low + side) for low, side in zip(start, size, strict=True))
    image, mask = subject.image[box].astype(np.float32), subject.mask[box]
    margins = [(0, crop - side) for side in size]
    image, mask = np.pad(image, [*margins, (0, 0)]), np.pad(mask, margins)
    brain = image != 0
    image = image * (1 + random.uniform(-0.1, 0.1)) + random.uniform(-0.1, 0.1)
    image = np.moveaxis(image * brain, -1, 0)
    truth = np.stack([region(mask, name) for name in EVERYWHERE]).astype(np.float32)
    for axis in (1, 2, 3):
        if random.random() < 0.5:
            image, truth = np.flip(image, axis), np.flip(truth, axis)
    return np.ascontiguousarray(image), np.ascontiguousarray(truth)


@click.command(help=__doc__)
@options
@click.option("--crop", type=int, required=True, help="Size of the crop along each axis, in voxels.")
def main(
    study: Path, folds: int, minutes: float, crop: int, autocast: bool, threads: int, seed: int, output: Path
) -> None:
    import torch
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceLoss
    from monai.networks.nets import SegResNet

    torch.set_num_threads(threads)
    rows = read_table(study / "split/cohort.tsv")
    found = {}
    for fold in models(folds, 1):
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        subjects = [load_subject(study / "preprocess" / name) for name in training_subjects(rows, fold)]
        channels = subjects[0].image.shape[-1]
        network = SegResNet(
            blocks_down=[1, 2, 2, 4],
            blocks_up=[1, 1, 1],
            init_filters=16,
            in_channels=channels,
            out_channels=3,
            dropout_prob=0.2,
        )
        loss = DiceLoss(smooth_nr=0, smooth_dr=1e-5, squared_pred=True, to_onehot_y=False, sigmoid=True)
        optimizer = torch.optim.Adam(network.parameters(), 1e-4, weight_decay=1e-5)
        started, steps, order, recent = time.monotonic(), 0, [], []
        while (spent := time.monotonic() - started) < 60 * minutes:
            order = order or list(random.permutation(len(subjects)))
            for group in optimizer.param_groups:
                group["lr"] = 1e-4 * (1 + np.cos(np.pi * spent / (60 * minutes))) / 2
            image, truth = (torch.from_numpy(part)[None] for part in draw(random, subjects[order.pop()], crop))
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, autocast):
                logits = network(image)
            value = loss(logits.float(), truth)
            value.backward()
            optimizer.step()
            steps += 1
            recent = [*recent[-19:], float(value.detach())]
            if steps % 20 == 0:
                click.echo(f"fold {fold}, {spent / 60:.1f} min, step {steps}: loss {np.mean(recent):.3f}")
        network.eval()
        for name in held_out(rows, fold, folds):
            subject = load_subject(study / "preprocess" / name)
            image = torch.from_numpy(np.moveaxis(subject.image.astype(np.float32), -1, 0).copy())[None]
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, autocast):
                logits = sliding_window_inference(image, (crop,) * 3, 1, network, overlap=0.5)
            there = (logits[0] > 0).numpy()
            found[name] = {key: dice(region(subject.mask, key), there[i]) for i, key in enumerate(EVERYWHERE)}
            show(name, found[name])
        click.echo(f"fold {fold}: {steps} steps")
    report(found, output)


if __name__ == "__main__":
    main()
