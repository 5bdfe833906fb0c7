"""Write one synthetic patient (phantom): four modalities and the mask, with file names as in BraTS."""

from pathlib import Path

import click
import numpy as np

from glioseg.files import whole
from glioseg.labels import MASK
from glioseg.synthesize.phantoms import AFFINE, KINDS, phantom_and_tissues
from glioseg.volumes.nifti import write_label_map, write_volume
from glioseg.workflow.commands import NEW_FOLDER, SEED, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the phantom; each name gives a different patient.")
@click.option("--seed", required=True, type=SEED, help="Seed of the whole set of phantoms.")
@click.option("--kinds", required=True, type=click.Choice(list(KINDS)), help="Kinds of tumors: usual, many or treated.")
@click.option("--tissues", required=True, type=bool, help="true: also write the tissue maps.")
@click.option("--output-dir", required=True, type=NEW_FOLDER, help="Folder to write the files into.")
def synthesize(subject: str, seed: int, kinds: str, tissues: bool, output_dir: Path) -> None:
    images, mask, maps = phantom_and_tissues(subject, seed, kinds)
    for name, volume in images.items():
        write_volume(output_dir / f"{subject}_{name}.nii.gz", volume, AFFINE)
    write_label_map(output_dir / f"{subject}_{MASK}.nii.gz", mask, AFFINE)
    if tissues:
        with whole(output_dir / f"{subject}_tissues.npy") as partial:
            np.save(partial, maps)


if __name__ == "__main__":
    synthesize()
