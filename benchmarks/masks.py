"""Measure how many damaged masks are found, and how often the Dice of a subject reaches its bound, on phantoms.

The masks are those of phantoms, on voxels of 2 mm. The predictions are simulated from them, with errors like those of a
network: borders that are off by a smooth field and by a constant, probabilities that are too uncertain, certain false
positive lesions and missing parts. In each of many cohorts, a tenth of the masks is then damaged, each in one of five
ways, and the cohort is ranked as in the report.

\b
    python benchmarks/masks.py --phantoms 200 --seed 42
"""

import sys
import zlib
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
from scipy import ndimage  # noqa: E402

from glioseg.evaluate.measures import dice  # noqa: E402
from glioseg.evaluate.parts.suspects import contradictions  # noqa: E402
from glioseg.evaluate.region_pair import region_pairs  # noqa: E402
from glioseg.evaluate.uncertainty import dice_bounds  # noqa: E402
from glioseg.labels import CLASSES, EVERYWHERE, region  # noqa: E402
from glioseg.predict.decide import expected_dice  # noqa: E402
from glioseg.report.scores.suspects import SHARE, suspects  # noqa: E402

# A phantom without its images takes a third of the time.
from glioseg.synthesize.anatomy import depth_mm, draw_warp  # noqa: E402
from glioseg.synthesize.phantoms import grow_patient  # noqa: E402
from glioseg.synthesize.tumors import draw_plan  # noqa: E402
from glioseg.volumes.boxes import bounding_box, slices  # noqa: E402

SPACING, VOXEL_ML = (2, 2, 2), 0.008
AFFINE = np.diag([2, 2, 2, 1])
NECROSIS, EDEMA, ENHANCING = (CLASSES.index(name) for name in ("necrosis", "edema", "enhancing"))
COHORTS, DAMAGED = 100, 0.1


def truth_of(subject: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Class indices and brain (bool) of a phantom on voxels of 2 mm, cropped to the brain."""
    rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
    brain, _, classes, _ = grow_patient(rng, draw_warp(rng, varied=False), draw_plan)
    brain, classes = brain[::2, ::2, ::2], classes[::2, ::2, ::2].astype(np.uint8)
    box = slices(bounding_box(brain))
    return classes[box], brain[box]


def smooth(rng: np.random.Generator, shape: tuple[int, ...], voxels: float) -> np.ndarray:
    """A field with a standard deviation of 1 that varies over so many voxels."""
    knots = rng.standard_normal([max(2, round(length / voxels) + 2) for length in shape])
    field = ndimage.zoom(knots, [length / knot for length, knot in zip(shape, knots.shape, strict=True)], order=1)
    return field / field.std()


def signed_depth_mm(mask: np.ndarray) -> np.ndarray:
    """Distance to the border of a mask, negative outside of it; far outside if the mask is empty."""
    if not mask.any():
        return np.full(mask.shape, -60.0)
    return depth_mm(mask, SPACING[0]) - depth_mm(~mask, SPACING[0])


def ball(shape: tuple[int, ...], center: np.ndarray, voxels: float) -> np.ndarray:
    return sum((grid - middle) ** 2 for grid, middle in zip(np.indices(shape), center, strict=True)) <= voxels**2


def predict(truth: np.ndarray, brain: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Simulated maps of WT, TC and ET."""
    wobble, off_mm, softness_mm = smooth(rng, truth.shape, 4), rng.normal(0, 0.8), rng.uniform(1.0, 1.8)
    extra = {name: np.zeros(truth.shape) for name in EVERYWHERE}
    if rng.uniform() < 0.3:
        lesion = ball(truth.shape, rng.choice(np.argwhere(brain & (truth == 0))), rng.uniform(1.5, 3))
        extra["WT"][lesion] += rng.uniform(8, 40)
    if rng.uniform() < 0.25 and truth.any():
        part = ball(truth.shape, rng.choice(np.argwhere(truth > 0)), rng.uniform(2, 4))
        for values in extra.values():
            values[part] -= rng.uniform(3, 15)
    maps, around = {}, np.ones(truth.shape)
    for name in EVERYWHERE:
        moved = 1.8 * 0.7 * (wobble + smooth(rng, truth.shape, 3)) + off_mm
        logit = (signed_depth_mm(region(truth, name)) + moved + extra[name]) / softness_mm
        around = np.minimum(around, 1 / (1 + np.exp(-np.clip(logit, -30, 30))))
        maps[name] = (np.rint(around * 255) / 255).astype(np.float32)
    return maps


def shifted(truth, brain, rng):
    """The mask moved by 4 to 8 mm."""
    way = rng.normal(size=3)
    return np.roll(truth, np.rint(way / np.linalg.norm(way) * rng.uniform(2, 4)).astype(int), (0, 1, 2))


def without_a_part(truth, brain, rng):
    """The mask without the 30 % of the tumor that lie farthest to one side."""
    voxels = np.argwhere(truth > 0)
    along = voxels @ rng.normal(size=3)
    changed = truth.copy()
    changed[tuple(voxels[along > np.quantile(along, 0.7)].T)] = 0
    return changed


def with_a_blob(truth, brain, rng):
    """The mask with a ball of edema or necrosis, of 12 to 20 mm, in the healthy brain."""
    healthy = ndimage.binary_erosion(brain & (ndimage.distance_transform_edt(truth == 0) > 8), iterations=2)
    healthy = healthy if healthy.any() else brain & (truth == 0)
    blob = ball(truth.shape, rng.choice(np.argwhere(healthy)), rng.uniform(3, 5)) & brain & (truth == 0)
    return np.where(blob, rng.choice([EDEMA, NECROSIS]), truth).astype(np.uint8)


def with_swapped_labels(truth, brain, rng):
    """The mask with two tissues exchanged."""
    one, other = [(NECROSIS, ENHANCING), (EDEMA, NECROSIS), (EDEMA, ENHANCING)][rng.integers(3)]
    return np.where(truth == one, other, np.where(truth == other, one, truth)).astype(np.uint8)


def eroded_or_dilated(truth, brain, rng):
    """The mask with a border that lies 4 mm inside or outside of the true one."""
    if rng.uniform() < 0.5:
        return np.where(ndimage.binary_erosion(truth > 0, iterations=2), truth, 0).astype(np.uint8)
    rim = ndimage.binary_dilation(truth > 0, iterations=2) & (truth == 0) & brain
    return np.where(rim, EDEMA, truth).astype(np.uint8)


WAYS = (shifted, without_a_part, with_a_blob, with_swapped_labels, eroded_or_dilated)


def facts(truth: np.ndarray, maps: dict[str, np.ndarray]) -> dict:
    """Expected and true mean Dice of a simulated prediction, and the contradictions of its truth."""
    chosen = [maps[name] > 0.5 for name in EVERYWHERE]
    predicted = np.select(chosen[::-1], [ENHANCING, NECROSIS, EDEMA], 0).astype(np.uint8)
    pairs = region_pairs(truth, predicted, SPACING, EVERYWHERE)
    expected = [expected_dice(maps[name], region(predicted, name), VOXEL_ML) for name in EVERYWHERE]
    scores = {"expected": float(np.mean(expected)), "dice": float(np.mean([dice(pair) for pair in pairs.values()]))}
    return scores | contradictions(maps, truth, AFFINE, SPACING)


def listed(subjects: list[dict]) -> set[int]:
    """The numbers of the subjects that the report lists."""
    rows = [
        {"subject": str(number), "shortfall": str(one["expected"] - one["dice"])}
        | {"contradicted_mm": str(one["depth_mm"])}
        for number, one in enumerate(subjects)
    ]
    places = [
        {"subject": str(number), "place_ml": str(place["place_ml"])}
        for number, one in enumerate(subjects)
        for place in one["places"]
    ]
    places.sort(key=lambda place: -float(place["place_ml"]))
    return {int(row["subject"]) for row in suspects(rows, places)["subjects"]}


def coverage(subjects: list[dict]) -> float:
    """The share of subjects whose Dice is at least its bound, which the others give."""
    names = list(map(str, range(len(subjects))))
    expected, true = (
        {name: one[key] for name, one in zip(names, subjects, strict=True)} for key in ("expected", "dice")
    )
    bounds = dice_bounds(expected, true, dict(zip(names, names, strict=True)))
    return float(np.mean([true[name] >= bounds[name] for name in names]))


@click.command(help=__doc__)
@click.option("--phantoms", type=click.IntRange(20), default=200, show_default=True, help="Number of phantoms.")
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of phantoms, predictions and damages.")
def main(phantoms: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    good, bad = [], {way: [] for way in WAYS}
    for number in range(phantoms):
        truth, brain = truth_of(f"phantom_{number:03d}", seed)
        maps = predict(truth, brain, rng)
        good.append(facts(truth, maps))
        for way in WAYS:
            bad[way].append(facts(way(truth, brain, rng), maps))
        click.echo(f"{number + 1} of {phantoms}", err=True)
    means = [float(np.mean([one[key] for one in good])) for key in ("dice", "expected")]
    click.echo("mean Dice {:.3f}, expected {:.3f}".format(*means))
    click.echo(f"Dice at least its bound: {coverage(good):.3f} of {len(good)} subjects")
    hits = {way: [] for way in WAYS}
    for _ in range(COHORTS):
        order = rng.permutation(phantoms)
        cohort = {int(number): good[number] for number in order}
        damaged = {
            int(number): WAYS[place % len(WAYS)] for place, number in enumerate(order[: round(DAMAGED * phantoms)])
        }
        cohort |= {number: bad[way][number] for number, way in damaged.items()}
        names = list(cohort)
        found = {names[place] for place in listed([cohort[name] for name in names])}
        for number, way in damaged.items():
            hits[way].append(number in found)
    click.echo(f"\n| damage | among the first {100 * SHARE:g} % |\n|---|---|")
    for way, found in hits.items():
        click.echo(f"| {way.__name__.replace('_', ' ')} | {np.mean(found):.3f} |")
    click.echo(f"| all | {np.mean([hit for some in hits.values() for hit in some]):.3f} |")


if __name__ == "__main__":
    main()
