"""Compare how bright and how mixed the tissues of patients and of phantoms are, as the network sees them.

\b
python benchmarks/textures.py --preprocess results/cases/preprocess --preprocess results/more/preprocess \\
  --phantoms results/model/preprocess

For each tissue and modality: the median inside of the tissue, its spread (the 90th minus the 10th percentile, in
standard deviations of a normal distribution), and that of what varies within a few millimeters (the difference to a
Gaussian average over 2 voxels). Each is in standard deviations of the brain, and given as the median over the subjects
and, in brackets, their 10th and 90th percentile. The outermost voxels of necrosis, edema and brain are left out.
Phantoms are painted with random contrasts, as a training with `contrast: random` sees them.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
from scipy import ndimage  # noqa: E402

from glioseg.files import read_json, read_sample  # noqa: E402
from glioseg.labels import CLASSES  # noqa: E402
from glioseg.synthesize.worlds import load_world  # noqa: E402
from glioseg.workflow.commands import FOLDER  # noqa: E402

TISSUES = ("necrosis", "edema", "enhancing", "rest of the brain")
# Least voxels of a tissue that are looked at, and distance of the rest of the brain to tumor and surface, in voxels.
LEAST, FAR = 60, 2
MEASURES = ("median", "spread", "spread within millimeters")


def places(mask: np.ndarray, brain: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each tissue that there is, and its voxels (bool) without those that lie at its border."""
    for tissue in TISSUES[:3]:
        found = mask == CLASSES.index(tissue)
        # A rim that enhances is all border.
        inner = found if tissue == "enhancing" else ndimage.binary_erosion(found)
        if np.count_nonzero(inner) >= LEAST:
            yield tissue, inner
    yield TISSUES[3], ndimage.binary_erosion(brain, iterations=FAR) & ~ndimage.binary_dilation(mask > 0, iterations=FAR)


def measured(volume: np.ndarray, inside: np.ndarray) -> tuple[float, float, float]:
    """`MEASURES` of a volume inside of a tissue."""
    low, middle, high = np.percentile(volume[inside], (10, 50, 90))
    share = ndimage.gaussian_filter(inside.astype(np.float32), 2)
    around = ndimage.gaussian_filter(np.where(inside, volume, 0), 2) / np.maximum(share, 1e-3)
    fine = np.percentile((volume - around)[inside], (10, 90))
    return middle, (high - low) / 2.56, (fine[1] - fine[0]) / 2.56


def measurements(folder: Path, painted: bool) -> Iterator[tuple[tuple[str, str], tuple[float, float, float]]]:
    """Tissue and modality, and their `measured`, of each subject with a truth; painted: each in another contrast."""
    random = np.random.default_rng(0)
    for place in sorted(path.parent for path in folder.glob("*/mask.npy")):
        image, mask = read_sample(place)
        modalities = read_json(place / "scan.json")["modalities"]
        if painted:
            world = load_world(place, modalities)
            image = world.painted(random, np.asarray(world.maps, np.float32))
        image = np.asarray(image, np.float32)
        # A modality that the subject lacks is zero everywhere.
        volumes = {name: image[..., channel] for channel, name in enumerate(modalities) if image[..., channel].any()}
        for tissue, inside in places(np.asarray(mask), image.any(-1)):
            yield from (((tissue, name), measured(volume, inside)) for name, volume in volumes.items())


@click.command(help=__doc__)
@click.option("--preprocess", type=FOLDER, multiple=True, help="Folder of patients written by preprocess (repeatable).")
@click.option("--phantoms", type=FOLDER, multiple=True, help="The same, of phantoms with tissue maps (repeatable).")
def main(preprocess: tuple[Path, ...], phantoms: tuple[Path, ...]) -> None:
    click.echo("\t".join(("subjects", "tissue", "modality", "n", *MEASURES)))
    for kind, folders in (("patients", preprocess), ("phantoms", phantoms)):
        found = {}
        for folder in folders:
            for key, values in measurements(folder, kind == "phantoms"):
                found.setdefault(key, []).append(values)
        for (tissue, modality), values in sorted(found.items(), key=lambda item: TISSUES.index(item[0][0])):
            low, middle, high = np.percentile(values, (10, 50, 90), axis=0)
            cells = [f"{m:.2f} ({a:.2f} to {b:.2f})" for a, m, b in zip(low, middle, high, strict=True)]
            click.echo("\t".join((kind, tissue, modality, str(len(values)), *cells)))


if __name__ == "__main__":
    main()
