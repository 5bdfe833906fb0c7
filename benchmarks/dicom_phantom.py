"""Write phantoms as a scanner exports them: for each patient a folder, with a folder of DICOM slices for each series.

The head moves between the series, FLAIR and T2 have thick slices, and there is a localizer, as in an export.
"""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
import SimpleITK as sitk  # noqa: E402

from glioseg.register.grids import itk_image  # noqa: E402
from glioseg.synthesize.phantoms import AFFINE, phantom  # noqa: E402
from glioseg.synthesize.series import Acquisition, acquire, draw_movement  # noqa: E402

SERIES = {
    "flair": ("AX FLAIR", Acquisition(thick=5)),
    "t1": ("AX T1 MPRAGE", Acquisition()),
    "t1ce": ("AX T1 MPRAGE POST GD", Acquisition()),
    "t2": ("AX T2 TSE", Acquisition(thick=3)),
}


def write_series(folder: Path, voxels: np.ndarray, affine: np.ndarray, description: str, uid: str) -> None:
    """Write a volume (int16) as the DICOM slices of one series of MR images across its last axis."""
    image = itk_image(voxels, affine)
    directions = image.GetDirection()
    turned = "\\".join(f"{directions[index]:.8f}" for index in (0, 3, 6, 1, 4, 7))
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(image.GetSize()[2]):
        part = image[:, :, number]
        position = image.TransformIndexToPhysicalPoint((0, 0, number))
        study = uid.rpartition(".")[0]
        tags = {
            "0008|0008": "ORIGINAL\\PRIMARY", "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"{uid}.{number + 1}", "0008|0060": "MR", "0008|103e": description,
            "0010|0010": "PHANTOM", "0010|0020": study,
            "0020|0052": f"{study}.1", "0018|0050": str(image.GetSpacing()[2]), "0020|000d": study, "0020|000e": uid,
            "0020|0013": str(number + 1),
            "0020|0032": "\\".join(f"{mm:.6f}" for mm in position), "0020|0037": turned,
        }  # fmt: skip
        for key, value in tags.items():
            part.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{number + 1:04d}.dcm"))
        writer.Execute(part)


@click.command(help=__doc__)
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--patients", type=click.IntRange(1), default=4, show_default=True, help="Number of patients.")
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of phantoms and movements.")
def dicom_phantom(output: Path, patients: int, seed: int) -> None:
    for number in range(1, patients + 1):
        images, _ = phantom(f"phantom_{number:03d}", seed)
        center = nib.affines.apply_affine(AFFINE, np.argwhere(images["t1"] > 0)[::97]).mean(0)
        random = np.random.default_rng([seed, number])
        folder = output / f"patient_{number:02d}"
        for index, (name, (description, how)) in enumerate(SERIES.items(), 1):
            movement = np.eye(4) if name == "t1ce" else draw_movement(random, center)
            voxels, affine = acquire(images[name], AFFINE, movement, how)
            write_series(folder / f"series_{index}", voxels, affine, description, f"1.2.826.0.1.{number}.{index}")
        voxels, affine = acquire(images["t1"], AFFINE, np.eye(4), Acquisition(thick=50))
        write_series(folder / "series_0", voxels, affine, "localizer", f"1.2.826.0.1.{number}.9")
        click.echo(folder)


if __name__ == "__main__":
    dicom_phantom()
