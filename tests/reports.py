"""Results of a run on disk, and its report."""

import csv
import json
import re
from pathlib import Path

from click.testing import CliRunner
from PIL import Image
from studies import MODALITIES, write_subject

import embed
import preprocess
import report
from glioseg.evaluate.calibration import CALIBRATION_COLUMNS
from glioseg.evaluate.lesion_table import LESION_COLUMNS
from glioseg.evaluate.parts.confusion import CONFUSION_COLUMNS
from glioseg.evaluate.parts.groups import GROUP_COLUMNS
from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS
from glioseg.files import write_table
from glioseg.predict.tune_postprocess import TUNING_COLUMNS
from glioseg.split.cohort import COHORT_COLUMNS

EVIL = "<script>alert(1)</script>"
SUBJECTS = ("method", "subject", "patient", "fold", "region", "metric", "value")
SCORES = ("method", "region", "metric", "n", "patients", "mean", "median", "q1", "q3", "ci_low", "ci_high")
REASON = "no file for t1ce; expected flair, t1ce, found flair"


def write(path: Path, columns: tuple, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        table.writerows([columns, *rows])


def make(
    root: Path, dice: dict[str, float], excluded: bool = True, baselines: bool = True, new: bool = True
) -> list[str]:
    """Write results of a run with one Dice per subject, equal in all regions; returns the options of the command."""
    included = {"verdict": "included", "fold": "0", "labels": "brats2020", "has_mask": "yes"}
    sizes = {"tumor_ml": "50.1", "enhancing_ml": "9.9", "lost_percent": "2.5"}
    cohort = [{**included, **sizes, "subject": name, "patient": name} for name in dice]
    cohort += [{**included, "subject": "unmasked", "patient": "unmasked", "fold": "new", "has_mask": "no"}] * new
    broken = {
        "subject": "broken",
        "patient": "broken",
        "verdict": "excluded",
        "reason": REASON,
        "checks": "missing",
        "labels": "brats2020",
    }
    cohort += [{**broken, "has_mask": "no"}] * excluded
    subjects, scores = [], []
    metrics = {"hd95_mm": 3, "sensitivity": 0.9, "specificity": 0.99, "truth_ml": 50, "predicted_ml": 40}
    for name, value in dice.items():
        for region in ("WT", "TC", "ET"):
            subjects.append(("network", name, name, "0", region, "dice", value))
            subjects += [("network", name, name, "0", region, metric, other) for metric, other in metrics.items()]
            subjects += [("FLAIR threshold", name, name, "0", region, "dice", 0.2)] * baselines
    for region in ("WT", "TC", "ET", "mean") if dice else ():
        mean = sum(dice.values()) / len(dice)
        interval = ("nan", "nan") if len(dice) < 2 else (0.1, 0.97)
        scores.append(("network", region, "dice", len(dice), len(dice), mean, mean, mean, mean, *interval))
        scores += [("FLAIR threshold", region, "dice", len(dice), len(dice), 0.2, 0.2, 0.2, 0.2, *interval)] * baselines
    write_table(root / "cohort.tsv", COHORT_COLUMNS, cohort)
    uncertainties = [*((name, 0.123) for name in dice), *[("unmasked", 0.456)] * new]
    common = dict.fromkeys(UNCERTAINTY_COLUMNS, "0.5")
    write_table(
        root / "uncertainty.tsv",
        UNCERTAINTY_COLUMNS,
        [common | {"subject": n, "uncertainty": u} for n, u in uncertainties],
    )
    columns = ("subject", "patient", "fold", "WT_ml", "TC_ml", "ET_ml")
    write(root / "volumes.tsv", columns, [(name, name, "0", 7.25, 6.125, 0) for name, _ in uncertainties])
    places = {"subject": "bad", "patient": "bad", "fold": "0", "x_mm": "-9.5", "y_mm": "20.0", "z_mm": "30.0"}
    volumes = (
        {"found": (40, 38), "false positive": (0, 0.25), "false negative": (0.5, 0), "ignored": (0.03, 0)}
        if "bad" in dice
        else {}
    )
    lesions = [
        {**places, "region": "WT", "outcome": name, "truth_ml": true, "predicted_ml": predicted, "dice": "0"}
        for name, (true, predicted) in volumes.items()
    ]
    write_table(root / "lesions.tsv", LESION_COLUMNS, lesions)
    volumes = {"necrosis": {"necrosis": 3, "edema": 1}, "background": {"edema": 0.5}} if dice else {}
    confusion = [
        {"subject": name, "true_class": true, "predicted_class": predicted, "volume_ml": ml}
        for name in dice
        for true, row in volumes.items()
        for predicted, ml in row.items()
    ]
    write_table(root / "confusion.tsv", CONFUSION_COLUMNS, confusion)
    write_table(root / "groups.tsv", GROUP_COLUMNS, [])
    suspect = {"region": "TC", "error": "false negative", "place_ml": "1.25", "probability": "0.02"}
    suspect |= {name: places[name] for name in ("subject", "fold", "x_mm", "y_mm", "z_mm")}
    write_table(root / "suspects.tsv", SUSPECT_COLUMNS, [suspect] if "bad" in dice else [])
    write_table(root / "calibration.tsv", CALIBRATION_COLUMNS, [])
    tried = {"smallest_enhancing_ml": 0.7, "smallest_component_ml": 0.3, "subjects": 9, "gain": "+0.0123"}
    for fold in ("all", "0"):
        rows = [{**tried, "chosen": "yes"}, {**tried, "smallest_enhancing_ml": 0.8}]
        write_table(root / f"tune_postprocess/{fold}_tried.tsv", TUNING_COLUMNS, rows)
    write(root / "subjects.tsv", SUBJECTS, subjects)
    write(root / "scores.tsv", SCORES, scores)
    for name in (
        "cohort",
        "scores",
        "curves",
        "network",
        *(f"subjects/{name}/planes" for name in ("unmasked", "bad", "good")),
    ):
        (root / f"plots/{name}.png").parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(root / f"plots/{name}.png")
    settings = {"epochs": 2, "seed": 42, "note": EVIL}
    training = {
        "fold": "0",
        "settings": settings,
        "versions": {"keras": "3.15.1"},
        "parameters": 1234567,
        "validation_dice": 0.8125,
    }
    (root / "train/0").mkdir(parents=True, exist_ok=True)
    facts = {**training, "subjects": ["x"], "validation_subjects": []}
    (root / "train/0/settings.json").write_text(json.dumps(facts))
    (root / "train/0/model.keras").write_bytes(b"weights")
    (root / "preprocess/good").mkdir(parents=True, exist_ok=True)
    (root / "preprocess/good/scan.json").write_text(json.dumps({"hashes": {"t1": "0123abcd"}}))
    (root / "report/volumes").mkdir(parents=True, exist_ok=True)
    (root / "report/volumes/good.js").write_text("")
    write(root / "benchmarks/train/0.tsv", ("s", "max_rss"), [(7300.5, 2100.4)])
    write(root / "benchmarks/split.tsv", ("s", "max_rss"), [(0.5, "-")])
    write(root / "notes.tsv", ("note",), [])
    options = {name: root / f"{name}.tsv" for name in ("notes", "cohort", "subjects", "scores", "uncertainty")}
    options |= {
        "measured": root / "volumes.tsv",
        "lesions": root / "lesions.tsv",
        "confusion": root / "confusion.tsv",
        "groups": root / "groups.tsv",
        "suspects": root / "suspects.tsv",
        "calibration": root / "calibration.tsv",
        "plots": root / "plots",
        "config": json.dumps({"note": EVIL}),
    }
    options |= {
        "benchmarks": root / "benchmarks",
        "results": root,
        "commit": "abc123",
        "gallery": 3,
        "viewer": "all",
        "title": "",
    }
    options |= {"preprocess": root / "preprocess", "model": root / "train/0/model.keras"}
    options |= {
        name: root / "report" / path
        for name, path in (("volumes", "volumes"), ("pages", "subjects"), ("paper", "paper"))
    }
    options["output"] = root / "report/index.html"
    searches = [
        word for fold in ("all", "0") for word in ("--tuning", str(root / f"tune_postprocess/{fold}_tried.tsv"))
    ]
    return [*searches, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]


def written(options: list[str]) -> str:
    result = CliRunner().invoke(report.report, options)
    assert result.exit_code == 0, result.output
    return Path(options[-1]).read_text()


def scan(folder, affine=None):
    """Preprocess a tiny subject; returns its folder of preprocess and its mask's path, which is also its prediction."""
    case = write_subject(folder / "data", 1, affine)
    options = {"subject": case.name, "labels": "brats2020", "forced": False, "spacing-mm": 1, "crop": "brain"}
    options |= {"normalization": "zscore", "missing": "exclude", "min-tumor-percent": 0, "output": folder / "scan"}
    words = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz", 0)]
    words += [word for name in MODALITIES for word in ("--modalities", name)]
    words += [word for name, value in options.items() for word in (f"--{name}", value)]
    mask = case / f"{case.name}_seg.nii.gz"
    result = CliRunner().invoke(preprocess.preprocess, list(map(str, [*words, "--mask", mask, 0])))
    assert result.exit_code == 0, result.output
    row = {"subject": case.name} | {name: case / f"{case.name}_{name}.nii.gz" for name in (*MODALITIES, "seg")}
    write(folder / "files.tsv", tuple(row), [tuple(row.values())])
    return folder / "scan", mask


def script(folder, prediction, output, *words):
    options = {
        "scan": folder,
        "subjects": folder.parent / "files.tsv",
        "labels": "brats2020",
        "prediction": prediction,
        "output": output,
    }
    words = [*map(str, words), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
    result = CliRunner().invoke(embed.embed, words)
    assert result.exit_code == 0, result.output
    return json.loads(re.fullmatch(r"const SCAN = (.*);\n", output.read_text())[1])
