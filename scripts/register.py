"""Bring one subject's series into one space with voxels of 1 mm, and record how each of them was moved."""

import click

from glioseg.labels import MASK
from glioseg.register.one_scan import write_registered
from glioseg.register.subject import MODES, register_subject
from glioseg.workflow.commands import IMAGES, MASK_FILE, NEW_FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject.")
@IMAGES
@MASK_FILE
@click.option(
    "--mode",
    type=click.Choice(MODES),
    required=True,
    help="never or always, or auto: register a subject if its series are on different grids.",
)
@click.option(
    "--reference", required=True, help="Modality that the others are moved to; finest: that of the smallest voxels."
)
@click.option("--n4", type=bool, required=True, help="true: divide each image by its bias field (N4).")
@click.option(
    "--strip",
    required=True,
    help="none; network, which finds the brain; or a folder with a mask of the brain SUBJECT.nii.gz for each subject.",
)
@click.option(
    "--output",
    type=NEW_FOLDER,
    required=True,
    help="Folder to write MODALITY.nii.gz, seg.nii.gz, register.json and register.png into.",
)
def register(subject, images, mask, output, **settings):
    files = {modality: (path, volume) for modality, path, volume in images}
    found = register_subject(subject, files | ({MASK: mask} if mask else {}), settings)
    write_registered(output, found)
    moved = ", ".join(name for name in found.volumes if found.facts["registered"]) or "nothing"
    click.echo(f"{subject}: {found.facts['why']}; moved {moved}")
    for sentence in (*found.facts["refused"].values(), *found.facts["warnings"]):
        click.echo(f"{subject}: {sentence}")


if __name__ == "__main__":
    register()
