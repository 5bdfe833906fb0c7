"""Measure how well one threshold for all patients tells tumor from brain, under each normalization of intensities.

\b
python benchmarks/intensities.py --preprocess results/preprocess --modality flair --region WT

The area under the ROC curve is that of the voxels of all patients together, each patient with equally many. "own" is
the mean of the patients' areas, each with thresholds of its own: what a perfect normalization would reach. The study
has `preprocess: normalization: zscore`; all normalizations here but its own are linear in it, and clip. The voxels are
smoothed a little (Gaussian, standard deviation of one voxel), since a network sees more than single voxels.
"""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
from scipy import ndimage, stats  # noqa: E402

from glioseg.files import read_json, read_sample  # noqa: E402
from glioseg.labels import CLASSES, EVERYWHERE, REGIONS  # noqa: E402
from glioseg.preprocess.normalize import NORMALIZATIONS, intensities  # noqa: E402
from glioseg.workflow.commands import FOLDER  # noqa: E402

INSIDE, OUTSIDE = 3000, 20000


def quartiles(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """Median 0 and interquartile range 1."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return (values - middle) / (high - low)


def mode(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """Most frequent value 0, and the root mean square of the values below it 1."""
    counts, edges = np.histogram(values, 200, range=np.percentile(values, (1, 99)))
    frequent = edges[np.argmax(np.convolve(counts, np.ones(9), "same"))]
    return (values - frequent) / np.sqrt(np.mean((values[values < frequent] - frequent) ** 2))


TRIED = {name: NORMALIZATIONS[name] for name in ("zscore", "zscore_robust", "percentile")}
TRIED |= {"quartiles": quartiles, "mode": mode}


def area(inside: np.ndarray, outside: np.ndarray) -> float:
    """Area under the ROC curve: how often a value inside is larger than one outside."""
    return stats.mannwhitneyu(inside, outside).statistic / (inside.size * outside.size)


@click.command(help=__doc__)
@click.option("--preprocess", type=FOLDER, required=True, help="Folder written by preprocess.")
@click.option("--modality", required=True, help="Modality to look at.")
@click.option("--region", type=click.Choice(EVERYWHERE), required=True, help="Region to tell from the rest.")
def main(preprocess: Path, modality: str, region: str) -> None:
    wanted = [CLASSES.index(name) for name in REGIONS[region]]
    random, parts = np.random.default_rng(0), {name: [] for name in TRIED}
    for folder in sorted(path.parent for path in preprocess.glob("*/mask.npy")):
        image, mask = read_sample(folder)
        settings = read_json(folder / "scan.json")
        volume = np.asarray(image[..., settings["modalities"].index(modality)], np.float32)
        brain = volume != 0
        values = ndimage.gaussian_filter(volume, 1)[brain]
        tumor = np.isin(np.asarray(mask)[brain], wanted)
        if not tumor.any():
            continue
        chosen = [random.choice(np.flatnonzero(of), count) for of, count in ((tumor, INSIDE), (~tumor, OUTSIDE))]
        for name, normalize in TRIED.items():
            normalized = normalize(values, values, intensities(values))
            parts[name].append([normalized[places] for places in chosen])
    click.echo("normalization  patients  together  own")
    for name, patients in parts.items():
        together = area(*(np.concatenate(of) for of in zip(*patients, strict=True)))
        own = np.mean([area(*patient) for patient in patients])
        click.echo(f"{name:13}  {len(patients):8}  {together:8.3f}  {own:.3f}")


if __name__ == "__main__":
    main()
