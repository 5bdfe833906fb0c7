"""Register moved phantoms and print how far each series lies from its place before and after, and how long it took.

The head moves by up to 10 degrees about each axis and by up to 15 mm between the series. FLAIR has slices of 5 mm,
and T2 of 3 mm; FLAIR and T1 have other orders of axes than the reference.
"""

import statistics
import sys
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
from heads import REFERENCE, SERIES, head_images  # noqa: E402

from glioseg.register.rigid import align  # noqa: E402
from glioseg.synthesize.series import acquire, distance_mm, draw_movement  # noqa: E402

MOST_MM = 1.0


@click.command(help=__doc__)
@click.option("--phantoms", type=click.IntRange(1), default=20, show_default=True, help="Number of phantoms.")
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of phantoms and movements.")
@click.option("--head/--brain", default=True, show_default=True, help="With a skull, or the brain alone.")
def register(phantoms: int, seed: int, head: bool) -> None:
    errors, seconds = [], []
    click.echo("subject      series  before_mm  after_mm  nats_before  nats_after  seconds")
    for number in range(1, phantoms + 1):
        images, brain, affine, _ = head_images(number, seed, head)
        random = np.random.default_rng([seed, number, 1])
        center = nib.affines.apply_affine(affine, np.argwhere(brain)[::97]).mean(0)
        for name, how in SERIES.items():
            movement = draw_movement(random, center)
            series = acquire(images[name], affine, movement, how)
            began = time.perf_counter()
            found = align((images[REFERENCE], affine), series)
            seconds.append(time.perf_counter() - began)
            before, after = (distance_mm(matrix, movement, brain, affine) for matrix in (np.eye(4), found.matrix))
            errors.append(after)
            click.echo(
                f"phantom_{number:03d}  {name:6}  {before:9.2f}  {after:8.3f}  {found.nats_before:11.3f}  "
                f"{found.nats_after:10.3f}  {seconds[-1]:7.1f}"
            )
    good = sum(error < MOST_MM for error in errors)
    click.echo(
        f"{good} of {len(errors)} within {MOST_MM:g} mm; median {statistics.median(errors):.3f} mm, "
        f"largest {max(errors):.3f} mm; median {statistics.median(seconds):.1f} s"
    )


if __name__ == "__main__":
    register()
