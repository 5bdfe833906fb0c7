"""The first lines of a report say what it is about."""

from datetime import date

from glioseg.report.run import Run
from glioseg.report.study import study_facts

SETTINGS = {"network": "unet", "filters": [8, 16], "patch": [64, 64, 32], "batch": 2, "epochs": 30}
SETTINGS |= {"steps_per_epoch": 50, "targets": "classes", "max_minutes": 0}
COHORT = [{"fold": fold, "has_mask": "yes", "labels": "brats2020"} for fold in ("0", "1", "test", "")]


def facts(config, trainings, cohort=COHORT):
    names = ("subjects", "scores", "uncertainty", "volumes", "lesions", "confusion", "groups", "failures", "notes")
    names += ("calibration", "suspects")
    empty = dict.fromkeys(names, ()) | {name: {} for name in ("tunings", "chosen", "benchmarks", "hashes", "models")}
    config = {"data": "phantoms", "modalities": ["flair", "t1"], "layout": "auto", "labels": "auto"} | config
    run = Run(cohort=cohort, trainings=trainings, config=config, commit="", **empty)
    return study_facts(run, date(2026, 2, 3))


def test_facts_of_a_cross_validation_on_phantoms():
    size = "64\N{MULTIPLICATION SIGN}64\N{MULTIPLICATION SIGN}32"
    training = {"settings": SETTINGS, "parameters": 3_152_068}
    assert facts({}, [training, training]) == {
        "Data": "synthetic patients (phantoms), and no real ones; flair, t1; labels of brats2020",
        "Models": "2: unet with 8-16 channels (3.2 million parameters), which predicts classes; 1,500 steps of 2 "
        f"patches of {size} voxels",
        "Held out": "2-fold cross-validation, and a test set that no model was trained on",
        "Report made": "2026-02-03",
    }


def test_facts_of_an_external_cohort_and_of_models_that_say_little():
    data = ["/data/a", {"folder": "/data/b", "prefix": "b_"}]
    unmasked = [{"fold": "new", "has_mask": "no", "labels": "brats2020"}]
    assert facts({"models": ["x"], "data": data}, [{"settings": {}, "parameters": 1}], unmasked) == {
        "Data": "/data/a, /data/b; flair, t1",
        "Report made": "2026-02-03",
    }
