"""Train nnU-Net's 3d_fullres for some minutes on the subjects of a finished study, and score the study's test subjects.

nnU-Net plans from the study's scans, for a GPU memory of --memory-gb: 8 is its default, and with 1 its patches are as
small as ours. It trains on regions, as its documentation recommends for BraTS. Three things differ from its command
line: its schedule ends with the minutes, it does not validate during training, and autocast to bfloat16, which it
disables on CPUs, can be enabled. Augmentation, loss, optimizer, schedule and deep supervision are its own. Requires
`pip install torch nnunetv2` in an environment that also has the packages of the study.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from peers import dice, held_out, options, report, show  # noqa: E402

from glioseg.files import read_json, read_table, write_json  # noqa: E402
from glioseg.labels import EVERYWHERE, region, to_classes  # noqa: E402
from glioseg.split.models import models, scored_subjects, training_subjects  # noqa: E402

DATASET = "Dataset001_Study"
CASE = "{name}_{channel:04d}.nii.gz"


def write_dataset(study: Path, names: list[str], raw: Path) -> None:
    """Write the study's scans into nnU-Net's folders, with nested masks: edema 1, necrosis 2, enhancing 3."""
    import SimpleITK as sitk

    for folder in ("imagesTr", "labelsTr"):
        (raw / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        scan = read_json(study / "preprocess" / name / "scan.json")
        for channel, modality in enumerate(scan["modalities"]):
            shutil.copyfile(scan["files"][modality], raw / "imagesTr" / CASE.format(name=name, channel=channel))
        file = sitk.ReadImage(scan["files"]["seg"])
        values = sitk.GetArrayFromImage(file).astype(np.uint8)
        tissues = to_classes(values, scan["labels"])
        inside = sum(region(tissues, key).astype(np.uint8) for key in EVERYWHERE)
        mask = sitk.GetImageFromArray(inside)
        mask.CopyInformation(file)
        sitk.WriteImage(mask, raw / "labelsTr" / f"{name}.nii.gz")
    description = {
        "channel_names": {str(index): modality for index, modality in enumerate(scan["modalities"])},
        "labels": {"background": 0, "WT": [1, 2, 3], "TC": [2, 3], "ET": 3},
        "regions_class_order": [1, 2, 3],
        "numTraining": len(names),
        "file_ending": ".nii.gz",
    }
    write_json(raw / "dataset.json", description)


def timed_trainer(minutes: float, autocast: bool):
    """nnU-Net's trainer with a schedule in minutes instead of epochs; autocast also applies to the prediction."""
    import torch
    from nnunetv2.inference import predict_from_raw_data as inference
    from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as module

    if autocast:
        module.dummy_context = inference.dummy_context = lambda: torch.autocast("cpu", torch.bfloat16)

    class Timed(module.nnUNetTrainer):
        def run_training(self):
            self.on_train_start()
            self.network.train()
            started, steps, recent = time.monotonic(), 0, []
            while (spent := (time.monotonic() - started) / (60 * minutes)) < 1:
                for group in self.optimizer.param_groups:
                    group["lr"] = self.initial_lr * (1 - spent) ** 0.9
                recent = [*recent[-19:], float(self.train_step(next(self.dataloader_train))["loss"])]
                steps += 1
                if steps % 20 == 0:
                    click.echo(f"{spent * minutes:.1f} min, step {steps}: loss {np.mean(recent):.3f}")
            click.echo(f"{steps} steps")

    return Timed


@click.command(help=__doc__)
@options
@click.option("--memory-gb", type=float, required=True, help="GPU memory that nnU-Net plans for.")
@click.option("--mirroring", type=bool, required=True, help="true: average over eight flips, which is its default.")
@click.option(
    "--work", type=click.Path(path_type=Path), required=True, help="Folder for all files that nnU-Net writes."
)
def main(study, folds, minutes, memory_gb, autocast, mirroring, threads, seed, work, output) -> None:
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(work / name)
    os.environ |= {"nnUNet_n_proc_DA": str(threads), "nnUNet_compile": "f"}
    import torch
    from nnunetv2.experiment_planning import plan_and_preprocess_api as planning
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference import predict_from_raw_data as inference

    torch.set_num_threads(threads)
    rows = read_table(study / "split/cohort.tsv")
    scored = scored_subjects(rows)
    started = time.monotonic()
    if not (work / "raw" / DATASET / "dataset.json").exists():
        everyone = sorted({*scored, *(name for fold in models(folds, 1) for name in training_subjects(rows, fold))})
        write_dataset(study, everyone, work / "raw" / DATASET)
        planning.extract_fingerprints([1], num_processes=threads)
    plans = f"for{memory_gb:g}GB"
    planning.plan_experiments([1], gpu_memory_target_in_gb=memory_gb, overwrite_plans_name=plans)
    planned = read_json(work / "preprocessed" / DATASET / f"{plans}.json")
    settings = planned["configurations"]["3d_fullres"]
    click.echo(f"patch {settings['patch_size']}, batch {settings['batch_size']}")
    planning.preprocess([1], plans, ["3d_fullres"], [threads])
    click.echo(f"planned and preprocessed in {time.monotonic() - started:.0f} s")
    found = {}
    for number, fold in enumerate(models(folds, 1)):
        torch.manual_seed(seed)
        np.random.seed(seed)
        split = {"train": training_subjects(rows, fold), "val": scored[:1]}
        write_json(work / "preprocessed" / DATASET / "splits_final.json", [split] * folds)
        description = read_json(work / "preprocessed" / DATASET / "dataset.json")
        trainer = timed_trainer(minutes, autocast)(
            planned | {"continue_training": False}, "3d_fullres", number, description, torch.device("cpu")
        )
        trainer.run_training()
        predictor = inference.nnUNetPredictor(
            tile_step_size=0.5, use_mirroring=mirroring, perform_everything_on_device=False, device=torch.device("cpu"),
            verbose=False, allow_tqdm=False,
        )  # fmt: skip
        predictor.manual_initialization(
            trainer.network, trainer.plans_manager, trainer.configuration_manager, [trainer.network.state_dict()],
            description, "nnUNetTrainer", trainer.inference_allowed_mirroring_axes,
        )  # fmt: skip
        trainer.network.eval()
        # The trainer enabled the coarser outputs.
        trainer.set_deep_supervision_enabled(False)
        channels = len(description["channel_names"])
        for name in held_out(rows, fold, folds):
            images = [
                str(work / "raw" / DATASET / "imagesTr" / CASE.format(name=name, channel=c)) for c in range(channels)
            ]
            image, properties = SimpleITKIO().read_images(images)
            made = predictor.predict_single_npy_array(image, properties)
            truth = SimpleITKIO().read_seg(str(work / "raw" / DATASET / "labelsTr" / f"{name}.nii.gz"))[0][0]
            found[name] = {key: dice(truth >= low, made >= low) for low, key in enumerate(EVERYWHERE, 1)}
            show(name, found[name])
    report(found, output)


if __name__ == "__main__":
    main()
