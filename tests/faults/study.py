"""A tiny finished study, in which each command can be run again, undisturbed or with an injected fault."""

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import h5py
import nibabel as nib
from click.testing import CliRunner
from studies import MODALITIES, ROOT, TINY, write_subject
from threadpoolctl import threadpool_limits

from glioseg.evaluate.summary import BASELINE_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.split.models import scored_subjects
from glioseg.train.settings import AUGMENTATIONS

SUBJECTS = [f"case_{number:02d}" for number in range(1, 7)]
CLASSES = ["background", "necrosis", "edema", "enhancing"]
# The tables that summarize writes.
SUMMARIES = ("subjects", "scores", "calibration", "uncertainty", "volumes", "lesions", "confusion", "groups")
SUMMARIES += ("suspects",)
FAULT = Path(__file__).parent / "fault.py"


def options(section: dict) -> str:
    """A section of the configuration as command-line options, as the rules pass them."""
    return " ".join(
        f"--{name.replace('_', '-')}={item}"
        for name, value in section.items()
        for item in (value if isinstance(value, list) else [value])
    )


def command_of(rule: str) -> click.Command:
    """The command of a rule."""
    return next(value for value in vars(importlib.import_module(rule)).values() if isinstance(value, click.Command))


class Study:
    """Six subjects, from files to report. Without training, the predictions are mirrored masks."""

    def __init__(self, folder: Path, trained: bool):
        self.folder, self.data, self.trained = folder, folder / "data", trained
        for number in range(1, 7):
            write_subject(self.data, number)
        self.home = folder / "undisturbed"
        self.home.mkdir()
        for subject in SUBJECTS:
            self._make("preprocess", subject)
        self._make("layouts")
        self._make("split")
        self.rows = read_table(self.home / "results/split/cohort.tsv")
        self.scored = scored_subjects(self.rows)
        if trained:
            self._make("train")
        else:
            self._imitate_training()
        for subject in self.scored:
            for rule in ("predict", "evaluate", "plot_subject", "embed"):
                if trained or rule != "predict":
                    self._make(rule, subject)
        if trained:
            self._make("baseline")
        else:
            write_table(self.home / "results/baseline/scores.tsv", BASELINE_COLUMNS, [])
        for rule in ("summarize", "plot"):
            self._make(rule)
        self._fold()
        # The report is last, since it links to the files that are there.
        for rule in ("tune_postprocess", "postprocess", "report"):
            self._make(rule)

    def _make(self, rule, subject=None):
        done = self.run(rule, self.home, subject=subject)
        assert done.returncode == 0, f"{rule}: {done.stdout}{done.stderr}"

    def _imitate_training(self):
        """Write files like those of training and prediction."""
        results = self.home / "results"
        for subject in self.scored:
            (results / "predict").mkdir(exist_ok=True)
            self._mirror(subject, results / f"predict/{subject}.nii.gz")
            facts = {"uncertainty": 0.1, "entropy": 0.1, "expected_dice": dict.fromkeys(("WT", "TC", "ET"), 0.9)}
            facts["volumes_ml"] = dict.fromkeys(("WT", "TC", "ET"), 1.5)
            (results / f"predict/{subject}.json").write_text(json.dumps(facts))
        (results / "train/all").mkdir(parents=True)
        (results / "train/all/model.keras").write_bytes(b"no network")
        facts = {"fold": "all", "settings": {"seed": 3}, "versions": {}, "parameters": 1, "validation_dice": None}
        facts |= {"subjects": [], "validation_subjects": []}
        (results / "train/all/settings.json").write_text(json.dumps(facts))

    def _fold(self):
        """Write files like those of two folds: all subjects held out, with mirrored masks as predictions."""
        results = self.home / "results"
        rows = [row | {"fold": str(place % 2)} for place, row in enumerate(self.rows)]
        write_table(results / "split/folds.tsv", tuple(rows[0]), rows)
        (results / "predict/raw").mkdir()
        for subject in SUBJECTS:
            self._mirror(subject, results / f"predict/raw/{subject}.nii.gz")

    def _mirror(self, subject, path):
        truth = nib.load(self.data / f"{subject}/{subject}_seg.nii.gz")
        nib.save(nib.Nifti1Image(truth.get_fdata().astype("uint8")[:, ::-1], truth.affine), path)

    def words(self, rule: str, subject: str | None = None) -> list[str]:
        """Options of the command of a rule, as the rules pass them."""
        one = subject or (SUBJECTS[0] if rule == "preprocess" else self.scored[0] if hasattr(self, "scored") else "")
        scan, prediction, train = f"results/preprocess/{one}", f"results/predict/{one}.nii.gz", "results/train/all"
        files, labels, cohort = f"{self.data}/{one}/{one}", "--labels brats2020", "--cohort results/split/cohort.tsv"
        listed = "--subjects results/layouts/subjects.tsv"
        images = " ".join(f"--image {name} {files}_{name}.nii.gz 0" for name in MODALITIES)
        channels = " ".join(f"--modalities {name}" for name in MODALITIES)
        classes = " ".join(f"--classes {name}" for name in CLASSES)
        learned = {
            "network": "unet", "backbone": "resnet18", "normalization": "instance", "deep_supervision": False,
            "targets": "classes", "batch": 1, "small_patches": 0, "losses": ["dice_cross_entropy"], "batch_dice": True,
            "optimizer": "adamw", "learning_rate": 0.001, "schedule": "cosine", "clip_norm": 1, "average": 0,
            "max_minutes": 0, "patience": 0, "foreground": 0.5, "augmentation": "standard",
            **dict.fromkeys(AUGMENTATIONS["standard"], "auto"), "implant": 0, "modality_dropout": 0,
            "precision": "float32", "start": "", "start_learning_rate": 0.0003, "freeze_encoder": False,
            "contrast": "scan", "seed": 3, "threads": 2, "code": 1, "study": "{}",
        } | TINY["train"] | {"epochs": 6, "steps_per_epoch": 12, "validation_every": 3}  # fmt: skip
        source = json.dumps({"folder": str(self.data)}, separators=(",", ":"))
        return {
            "synthesize": "--subject phantom_001 --seed 1 --kinds usual --tissues False"
            " --output-dir results/synthesize/phantom_001",
            "layouts": f"--source {source} {channels} --notes results/layouts/notes.tsv"
            " --output results/layouts/subjects.tsv",
            "preprocess": f"--subject {one} {images} --mask {files}_seg.nii.gz 0 {channels} {labels} --forced False"
            f" {options(TINY['preprocess'])} --missing exclude --output {scan}",
            "split": "--subjects results/layouts/subjects.tsv --preprocess results/preprocess --folds 1"
            " --file= --by= --test-percent 34 --strict False --seed 42 --output results/split/cohort.tsv",
            "train": f"--fold all {cohort} --preprocess results/preprocess {classes} {options(learned)}"
            f" --state {train}/state.npz --output {train}",
            "predict": f"--scan {scan} --model {train}/model.keras {labels} --overlap 0.5 --runtime auto"
            f" --smallest-enhancing-ml 0 --smallest-component-ml 0 --threshold-wt 0.5 --threshold-tc 0.5"
            f" --threshold-et 0.5 --temperature 1 --threads 2 --map-folder results/predict/maps/{one}"
            f" --uncertainty results/predict/{one}.json --output {prediction}",
            "tune_postprocess": "--fold all --cohort results/split/folds.tsv --preprocess results/preprocess"
            " --subjects results/layouts/subjects.tsv --predictions results/predict/raw --configured 0.2 0.1"
            " --configured-regions 0.5 0.5 0.5 --configured-temperature 1 --smallest-enhancing-ml 0"
            " --smallest-component-ml 0 --table results/tune_postprocess/all_tried.tsv"
            " --output results/tune_postprocess/all.json",
            "postprocess": f"--prediction results/predict/raw/{one}.nii.gz {labels}"
            " --volumes results/tune_postprocess/all.json"
            f" --measured results/postprocess/{one}.json --output results/postprocess/{one}.nii.gz",
            "evaluate": f"--subject {one} --prediction {prediction} --truth {files}_seg.nii.gz 0 {labels}"
            f" --forced False --output results/evaluate/{one}.json",
            "baseline": f"{cohort} --preprocess results/preprocess --seed 42 --output results/baseline/scores.tsv",
            "summarize": f"--evaluate results/evaluate --baseline results/baseline/scores.tsv {cohort} --bootstrap 50"
            " --seed 42 --subjects results/summarize/subjects.tsv --scores results/summarize/scores.tsv"
            " --predictions results/predict --calibration results/summarize/calibration.tsv"
            " --uncertainty results/summarize/uncertainty.tsv --measured results/predict"
            " --volumes results/summarize/volumes.tsv --lesions results/summarize/lesions.tsv"
            " --confusion results/summarize/confusion.tsv --groups results/summarize/groups.tsv"
            " --suspects results/summarize/suspects.tsv",
            "plot_subject": f"--scan {scan} {listed} {labels} --prediction {prediction}"
            f" --scores results/evaluate/{one}.json --output results/plot/subjects/{one}",
            "embed": f"--scan {scan} {listed} {labels} --prediction {prediction}"
            f" --output results/report/volumes/{one}.js",
            "plot": "--figure scores --input results/summarize/subjects.tsv --output results/plot/scores.png",
            "report": f"{cohort} --subjects results/summarize/subjects.tsv --scores results/summarize/scores.tsv"
            " --notes results/layouts/notes.tsv"
            " --plots results/plot --preprocess results/preprocess --volumes results/report/volumes"
            f" --model {train}/model.keras --config {{}}"
            " --uncertainty results/summarize/uncertainty.tsv --measured results/summarize/volumes.tsv --viewer all"
            " --lesions results/summarize/lesions.tsv --confusion results/summarize/confusion.tsv"
            " --groups results/summarize/groups.tsv --calibration results/summarize/calibration.tsv"
            " --suspects results/summarize/suspects.tsv --title="
            " --benchmarks results/benchmarks --results results --commit x --gallery 2"
            " --pages results/report/subjects --paper results/report/paper --output results/report/index.html",
        }[rule].split()  # fmt: skip

    def outputs(self, rule: str) -> list[str]:
        """Outputs of a rule's job below results/, which Snakemake deletes before it runs the job again."""
        one = self.scored[0]
        return {
            "synthesize": ["synthesize/phantom_001"],
            "layouts": ["layouts/subjects.tsv", "layouts/notes.tsv"],
            "preprocess": [f"preprocess/{SUBJECTS[0]}"],
            "split": ["split/cohort.tsv"],
            "train": ["train/all/model.keras", "train/all/history.tsv", "train/all/settings.json"],
            "predict": [f"predict/{one}.nii.gz", f"predict/{one}.json"],
            "tune_postprocess": ["tune_postprocess/all_tried.tsv", "tune_postprocess/all.json"],
            "postprocess": [f"postprocess/{one}.nii.gz", f"postprocess/{one}.json"],
            "evaluate": [f"evaluate/{one}.json"],
            "baseline": ["baseline/scores.tsv"],
            "summarize": [f"summarize/{name}.tsv" for name in SUMMARIES],
            "plot_subject": [f"plot/subjects/{one}"],
            "embed": [f"report/volumes/{one}.js"],
            "plot": [f"plot/{name}" for name in ("scores.png", "scores.svg", "print/scores.png", "print/scores.pdf")],
            "report": ["report/index.html", "report/subjects", "report/paper"],
        }[rule]

    def command(self, rule: str, fault: tuple = (), subject=None, before: tuple = ()) -> list[str]:
        start = [sys.executable, str(FAULT), *map(str, fault)] if fault else [sys.executable]
        return [*before, *start, str(ROOT / f"scripts/{rule}.py"), *self.words(rule, subject)]

    def run(self, rule: str, folder: Path, fault: tuple = (), subject=None, before: tuple = (), environment=None):
        """Run a rule's command in a folder that contains results/, in this process if no fault needs another one."""
        if not fault and not before and environment is None and rule not in ("train", "predict", "synthesize"):
            return self._here(rule, folder, subject)
        command = self.command(rule, fault, subject, before)
        environment = (environment or os.environ) | {"OMP_NUM_THREADS": "1"}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=300
        )

    def _here(self, rule, folder, subject):
        one = command_of(rule)
        before = Path.cwd()
        os.chdir(folder)
        try:
            # On a busy machine, threads that wait for each other in spin loops take minutes.
            with threadpool_limits(1):
                done = CliRunner().invoke(one, self.words(rule, subject))
        finally:
            os.chdir(before)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess([rule], done.exit_code, done.output, "")

    def copy(self, rule: str, folder: Path) -> Path:
        """Copy the finished results/ into a folder, without the outputs of a rule."""
        shutil.copytree(self.home / "results", folder / "results")
        self.clear(rule, folder)
        return folder

    def clear(self, rule: str, folder: Path) -> None:
        """Delete the outputs of a job, as Snakemake does before it runs the job again."""
        for name in self.outputs(rule):
            path = folder / "results" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def contents(self, rule: str, folder: Path) -> dict[str, object]:
        """Contents of a job's output files by name, without the recorded times."""
        found = {}
        for name in self.outputs(rule):
            path = folder / "results" / name
            for file in sorted(path.rglob("*")) if path.is_dir() else [path] * path.exists():
                if not file.name.startswith(".partial-"):
                    found[str(file.relative_to(folder))] = content(file)
        return found


def content(path: Path):
    """The bytes of a file; for a network its weights, for a history all columns except seconds."""
    if path.suffix == ".keras" and zipfile.is_zipfile(path):
        found = {}
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(
                lambda name, item: found.update({name: item[()].tobytes()}) if hasattr(item, "shape") else 0
            )
        return found
    if path.name == "history.tsv":
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in read_table(path)]
    return path.read_bytes()
