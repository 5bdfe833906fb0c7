"""Write one phantom patient: four modalities and the mask, named as in BraTS."""

from pathlib import Path

import click

from glioseg.synthesize.phantoms import AFFINE, phantom
from glioseg.volumes.nifti import write_volume
from glioseg.workflow.commands import NEW, SEED, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the phantom; each name is another patient.")
@click.option("--seed", required=True, type=SEED, help="Seed of the whole collection.")
@click.option("--output-dir", required=True, type=NEW, help="Folder of the five files.")
def synthesize(subject: str, seed: int, output_dir: Path) -> None:
    images, mask = phantom(subject, seed)
    for name, volume in [*images.items(), ("seg", mask)]:
        write_volume(output_dir / f"{subject}_{name}.nii.gz", volume, AFFINE)


if __name__ == "__main__":
    synthesize()
