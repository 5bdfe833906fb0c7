"""Take moved phantoms with a skull all the way, and print how well each is registered, stripped and segmented.

The head moves by up to 10 degrees about each axis and by up to 15 mm between the series. FLAIR has slices of 5 mm, and
T2 of 3 mm; FLAIR and T1 have other orders of axes than the reference. Every second phantom comes as DICOM. The commands
register and segment run as in the workflow, and so does own_grids. WT of the same phantom, unmoved and without a skull,
is printed beside it. Seconds are those of the processor, and memory is the most that any command took so far.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
from dicom_phantom import write_series  # noqa: E402
from heads import REFERENCE, SERIES, head_images  # noqa: E402
from peers import dice  # noqa: E402

from glioseg.files import read_json  # noqa: E402
from glioseg.synthesize.phantoms import phantom  # noqa: E402
from glioseg.synthesize.series import acquire, distance_mm, draw_movement  # noqa: E402
from glioseg.volumes.nifti import read_volume, write_volume  # noqa: E402
from glioseg.workflow.home import shipped  # noqa: E402

OPTIONS = ["--mode", "auto", "--reference", REFERENCE, "--n4", "false", "--strip", "network"]


def run(command: str, *words: object) -> float:
    """Run a command of the project, and return the seconds of the processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, SCRIPTS / f"{command}.py", *map(str, words)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def segmented(folder: Path, files: dict[str, Path]) -> tuple[np.ndarray, float]:
    """WT (bool) by the model of the project, and the seconds that it took."""
    words = [word for name, path in files.items() for word in ("--image", name, path)]
    seconds = run("segment", *words, "--threads", 2, "--labels", "brats2020", "--output", folder / "seg.nii.gz")
    return read_volume(folder / "seg.nii.gz")[0] > 0, seconds


def write_head(folder: Path, number: int, seed: int) -> tuple[dict[str, Path], dict, tuple]:
    """Write the moved series of a head; return their files, their movements, and its brain, affine and mask."""
    images, brain, affine, mask = head_images(number, seed, True)
    random = np.random.default_rng([seed, number, 1])
    center = nib.affines.apply_affine(affine, np.argwhere(brain)[::97]).mean(0)
    movements = {name: draw_movement(random, center) for name in SERIES}
    files = {}
    for index, name in enumerate(images, 1):
        series = (
            (images[name], affine)
            if name == REFERENCE
            else acquire(images[name], affine, movements[name], SERIES[name])
        )
        if number % 2:
            files[name] = folder / f"{name}.nii.gz"
            write_volume(files[name], *series)
        else:
            files[name] = folder / name
            write_series(files[name], *series, name, f"1.2.826.0.1.{number}.{index}")
    return files, movements, (brain, affine, mask > 0)


def take(folder: Path, number: int, seed: int) -> dict:
    """What is found for one phantom."""
    files, movements, (brain, affine, tumor) = write_head(folder, number, seed)
    words = [word for name, path in files.items() for word in ("--image", name, path, 0)]
    there = folder / "register"
    seconds = run("register", "--subject", f"phantom_{number:03d}", *words, *OPTIONS, "--output", there)
    facts = read_json(there / "register.json")
    far = max(
        distance_mm(np.array(facts["series"][name]["matrix"]), movement, brain, affine)
        for name, movement in movements.items()
    )
    found, more = segmented(folder, {name: there / f"{name}.nii.gz" for name in files})
    dicom = [word for name, path in files.items() if path.is_dir() for word in ("--dicom", name, path)]
    words = ["--prediction", folder / "seg.nii.gz", "--registered", there / "register.json", "--labels", "brats2020"]
    seconds += more + run("own_grids", *words, "--model", shipped(), *dicom, "--output", folder / "own")
    result = {"far": far, "brain": dice(read_volume(there / f"{REFERENCE}.nii.gz")[0] > 0, brain)}
    result |= {"moved": dice(found, tumor), "files": len(list((folder / "own").iterdir())), "seconds": seconds}
    images, mask = phantom(f"phantom_{number:03d}", seed)
    for name, image in images.items():
        write_volume(folder / f"still_{name}.nii.gz", image, np.diag([-1.0, -1, 1, 1]))
    still, _ = segmented(folder, {name: folder / f"still_{name}.nii.gz" for name in images})
    return result | {"still": dice(still, mask > 0)}


@click.command(help=__doc__)
@click.option("--phantoms", type=click.IntRange(1), default=20, show_default=True, help="Number of phantoms.")
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="Number of the first phantom.")
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of phantoms and movements.")
def scanner(phantoms: int, first: int, seed: int) -> None:
    click.echo("subject      format  farthest_mm  brain  WT_moved  WT_unmoved  files  seconds  GB")
    rows = []
    for number in range(first, first + phantoms):
        with tempfile.TemporaryDirectory() as folder:
            row = take(Path(folder), number, seed)
        rows.append(row)
        gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        click.echo(
            f"phantom_{number:03d}  {'NIfTI' if number % 2 else 'DICOM'}  {row['far']:11.2f}  {row['brain']:.3f}  "
            f"{row['moved']:8.3f}  {row['still']:10.3f}  {row['files']:5}  {row['seconds']:7.0f}  {gigabytes:.2f}"
        )
    values = {name: [row[name] for row in rows] for name in rows[0]}
    lost = [row["still"] - row["moved"] for row in rows]
    click.echo(
        f"{len(rows)} phantoms: farthest {max(values['far']):.2f} mm; brain at least {min(values['brain']):.3f}, mean "
        f"{np.mean(values['brain']):.3f}; WT {np.mean(values['moved']):.3f} against {np.mean(values['still']):.3f} "
        f"unmoved, at most {max(lost):.3f} less; {np.mean(values['seconds']):.0f} s"
    )


if __name__ == "__main__":
    scanner()
