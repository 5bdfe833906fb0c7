"""Compare the preprocessing of one subject with peers, on one core: median times, ratios, bytes on disk.

Ours runs with the memory settings of its rule (glioseg/preprocess/memory.py); the peers run with their defaults.
"""

import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

# Set before NumPy is loaded: one thread each.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1")
SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.preprocessing import MinMaxScaler  # noqa: E402

import preprocess  # noqa: E402
from glioseg.preprocess.memory import TUNABLES  # noqa: E402
from glioseg.preprocess.scan import preprocess_scan  # noqa: E402
from glioseg.workflow.commands import FOLDER  # noqa: E402

DEFAULT = {"crop": "brain", "normalization": "zscore", "min_tumor_percent": 0.0}
ORIGINAL = {"crop": [[56, 184], [56, 184], [13, 141]], "normalization": "minmax_slice", "min_tumor_percent": 1.0}


def read_with_nibabel(files: dict[str, Path]) -> None:
    """Only read the files, which every tool has to do."""
    for path in files.values():
        nib.load(path).get_fdata()


def words(files: dict[str, Path], settings: dict, labels: str, folder: Path) -> list[str]:
    """Command-line options of scripts/preprocess.py."""
    options = ["--subject", "subject", "--labels", labels, "--output", str(folder)]
    for name, path in files.items():
        options += ["--mask"] if name == "seg" else ["--modalities", name, "--image", name]
        options += [str(path), "0"]
    for name, value in {"spacing_mm": 1.0, "missing": "exclude", "forced": True, **settings}.items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    return options


def ours(options: list[str]) -> None:
    """Run scripts/preprocess.py in this process, without the time to load it."""
    with contextlib.redirect_stdout(io.StringIO()):
        preprocess.main(options, standalone_mode=False)


def start(job: list[str], environment: dict[str, str]) -> None:
    subprocess.run(job, check=True, capture_output=True, env=environment)


def arrays_alone(files: dict[str, Path], labels: str) -> None:
    """The same as `ours`, without writing."""
    images = {name: (path, 0) for name, path in files.items() if name != "seg"}
    common = {"modalities": list(images), "spacing_mm": 1.0, "missing": "exclude", "forced": True, "labels": labels}
    preprocess_scan("subject", images, (files["seg"], 0), DEFAULT | common)


def seconds_of(function: Callable[..., None], *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


PEERS = {
    "ours, original preset, written (the same)": "original recipe, written (three modalities)",
    "ours, written to disk": "nnU-Net, written to disk",
}


def original(files: dict[str, Path], folder: Path) -> None:
    """The recipe that this project started from, step by step; its one-hot masks are float32, as Keras makes them."""
    scaler, stack = MinMaxScaler(), []
    for name, path in files.items():
        if name != "seg":
            volume = nib.load(path).get_fdata()
            stack.append(scaler.fit_transform(volume.reshape(-1, volume.shape[-1])).reshape(volume.shape))
    mask = nib.load(files["seg"]).get_fdata().astype(np.uint8)
    mask[mask == 4] = 3
    box = tuple(slice(*edge) for edge in ORIGINAL["crop"])
    image, mask = np.stack(stack, axis=3)[box], mask[box]
    # The recipe counts the labels to leave out subjects with little tumor. Here the subject is always kept.
    np.unique(mask, return_counts=True)
    np.save(folder / "image.npy", image)
    np.save(folder / "mask.npy", np.eye(4, dtype=np.float32)[mask])


def nnunet(files: dict[str, Path], folder: Path) -> Callable[[], None]:
    """nnU-Net's preprocessing for 3d_fullres at 1 mm, with its plan for MRI and consecutive labels."""
    import torch
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    torch.set_num_threads(1)
    images = {name: path for name, path in files.items() if name != "seg"}
    kwargs = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    configuration = {
        "architecture": {},
        "patch_size": [128, 128, 128],
        "spacing": [1.0, 1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"] * len(images),
        "use_mask_for_norm": [True] * len(images),
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": kwargs,
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_seg_kwargs": kwargs | {"is_seg": True, "order": 1},
    }
    plans = {
        "dataset_name": "subject",
        "plans_name": "plans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "foreground_intensity_properties_per_channel": {str(index): {} for index in range(len(images))},
        "label_manager": "LabelManager",
        "experiment_planner_used": "ExperimentPlanner",
    }
    dataset = {
        "channel_names": {str(index): name for index, name in enumerate(images)},
        "labels": {"background": 0, "necrosis": 1, "edema": 2, "enhancing": 3},
        "file_ending": ".nii.gz",
    }
    mask = nib.load(files["seg"])
    values = np.asarray(mask.dataobj).astype(np.uint8)
    values[values == 4] = 3
    nib.save(nib.Nifti1Image(values, mask.affine), folder.parent / "mask.nii.gz")
    manager = PlansManager(plans)
    full = manager.get_configuration("3d_fullres")
    preprocessor = DefaultPreprocessor(verbose=False)
    mask_file = str(folder.parent / "mask.nii.gz")

    def run() -> None:
        for file in folder.iterdir():  # nnU-Net does not overwrite files.
            file.unlink()
        target = str(folder / "subject")
        preprocessor.run_case_save(target, [str(path) for path in images.values()], mask_file, manager, full, dataset)

    return run


@click.command(help=__doc__)
@click.option(
    "--subject", type=FOLDER, required=True, help="Folder of a subject in the layout of BraTS, with its mask."
)
@click.option("--labels", required=True, help="Label dialect of the mask.")
@click.option("--repeats", type=click.IntRange(min=1), required=True, help="Number of timed runs.")
def main(subject: Path, labels: str, repeats: int) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    names = ("flair", "t1", "t1ce", "t2", "seg")
    files = {name: path for name in names for path in subject.glob(f"{subject.name}_{name}.nii*")}
    three = {name: path for name, path in files.items() if name != "t1"}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary, name) for name in ("ours", "preset", "original", "nnunet", "job")}
        for folder in folders.values():
            folder.mkdir()
        job = [sys.executable, str(SCRIPTS / "preprocess.py"), *words(files, DEFAULT, labels, folders["job"])]
        tuned = os.environ | {"GLIBC_TUNABLES": TUNABLES}
        start(job, tuned)
        # Measured before this process grows, since a child counts its parent's memory at the fork.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        options = words(files, DEFAULT, labels, folders["ours"])
        preset = words(three, ORIGINAL, labels, folders["preset"])
        os.environ["GLIBC_TUNABLES"] = TUNABLES  # Takes effect when a process starts, so only in the worker.
        worker = ProcessPoolExecutor(1, get_context("spawn"))
        here, there = seconds_of, lambda *call: worker.submit(seconds_of, *call).result()
        contenders = {
            "reading the files with nibabel": lambda: here(read_with_nibabel, files),
            "ours, up to the arrays": lambda: there(arrays_alone, files, labels),
            "ours, written to disk": lambda: there(ours, options),
            "ours, the whole job with Python's start": lambda: here(start, job, tuned),
            "original recipe, written (three modalities)": lambda: here(original, three, folders["original"]),
            "ours, original preset, written (the same)": lambda: there(ours, preset),
        }
        try:
            peer = nnunet(files, folders["nnunet"])
            contenders["nnU-Net, written to disk"] = lambda: here(peer)
        except ImportError as error:
            click.echo(f"nnU-Net is skipped: {error} (pip install nnunetv2==2.8.1)")
        # Run in turns, so that other load on the machine affects all alike. The first round is a warm-up.
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(repeats + 1):
            for name, run in contenders.items():
                seconds[name].append(run())
        worker.shutdown()
        reading = statistics.median(seconds["reading the files with nibabel"][1:])
        click.echo(f"{'':50} seconds  times reading   (median of {repeats})")
        medians = {name: statistics.median(taken[1:]) for name, taken in seconds.items()}
        for name, median in medians.items():
            click.echo(f"{name:50} {median:7.2f}  {median / reading:13.2f}")
        for name, peer in PEERS.items():
            if peer in medians:
                click.echo(f"{name}: {medians[peer] / medians[name]:.1f} times faster than: {peer}")
        sizes = {name: sum(file.stat().st_size for file in folder.iterdir()) for name, folder in folders.items()}
        ratio = sizes["original"] / sizes["preset"]
        click.echo(f"peak memory of the whole job: {peak:.2f} GB")
        megabytes = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in sizes.items() if size)
        click.echo(
            f"MB on disk (preset and original: same crop and channels): {megabytes}; original / ours = {ratio:.1f}"
        )


if __name__ == "__main__":
    main()
