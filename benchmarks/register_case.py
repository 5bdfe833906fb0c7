"""Compare the registration of a patient with that of others, from images that they have prepared.

The registered reference is aligned to the prepared one, and all series are moved with it. What is left between each
series and its prepared image is how far the two registrations differ.
If the skull was removed, the brains are compared, too.
"""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
from peers import dice  # noqa: E402

from glioseg.files import read_json  # noqa: E402
from glioseg.register.grids import Grid  # noqa: E402
from glioseg.register.intensities import image_on, stripped_background  # noqa: E402
from glioseg.register.label_maps import label_map_on  # noqa: E402
from glioseg.register.rigid import align  # noqa: E402
from glioseg.synthesize.series import distance_mm  # noqa: E402
from glioseg.volumes.nifti import read_volume  # noqa: E402


@click.command(help=__doc__)
@click.argument("registered", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--prepared", type=(str, Path), multiple=True, required=True, help="Modality and file, skull-stripped.")
def register_case(registered: Path, prepared: tuple[tuple[str, Path], ...]) -> None:
    reference = read_json(registered / "register.json")["reference"]
    theirs = {name: read_volume(path) for name, path in prepared}
    ours = {name: read_volume(registered / f"{name}.nii.gz") for name in theirs}
    brain, affine = theirs[reference][0] > 0, theirs[reference][1]
    there = align(theirs[reference], ours[reference])
    voxels, own = ours[reference]
    if stripped_background(voxels, own) is not None:
        found = label_map_on((voxels != 0).astype(np.uint8), own, Grid(brain.shape, affine), there.matrix) > 0
        click.echo(f"brain  Dice {dice(brain, found):.3f}")
    for name, (voxels, own) in ours.items():
        cut = image_on(voxels, own, Grid(brain.shape, affine), there.matrix) * brain
        left = align(theirs[name], (cut, affine))
        click.echo(f"{name:6} {distance_mm(left.matrix, np.eye(4), brain, affine):.2f} mm")


if __name__ == "__main__":
    register_case()
