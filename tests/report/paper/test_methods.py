"""The methods section says what the settings say, and nothing that is not known."""

import pytest
from studies import ROOT

from glioseg.preprocess.normalize import NORMALIZATIONS
from glioseg.report.paper import methods as module
from glioseg.report.paper.methods import methods
from glioseg.report.paper.references import cited, entries
from glioseg.report.run import Run
from glioseg.train.schedule import SCHEDULES

SETTINGS = {"network": "unet_full", "filters": [32, 64], "patch": [96, 96, 64], "batch": 3, "epochs": 50}
SETTINGS |= {"steps_per_epoch": 20, "targets": "regions", "losses": ["dice_cross_entropy"], "optimizer": "adam"}
SETTINGS |= {"learning_rate": 0.0005, "schedule": "cosine", "warmup_steps": 7, "normalization": "batch"}
SETTINGS |= {
    "max_minutes": 90,
    "small_patches": 0.5,
    "foreground": 0.4,
    "flip": 0.5,
    "noise": 0,
    "average": 0.99,
    "start": "",
}
STUDY = {"modalities": ["flair", "t1ce"], "preprocess": {"spacing_mm": 1.5, "crop": "brain", "missing": "exclude"}}
TRAINING = {"settings": SETTINGS, "parameters": 1_234_567, "versions": {"tensorflow": "2.21.0"}}
PREDICT = {"overlap": 0.25, "flips": ["x"], "smallest_enhancing_ml": 0.2, "smallest_component_ml": 0}


def text(config=None, trainings=(), folds=("0", "1", "test"), scores=({},), tunings=None) -> str:
    cohort = [{"patient": str(n), "fold": fold, "verdict": "included"} for n, fold in enumerate(folds)]
    cohort.append({"patient": "x", "fold": "", "verdict": "excluded"})
    names = ("subjects", "uncertainty", "volumes", "lesions", "confusion", "groups", "failures", "notes")
    names += ("calibration", "suspects")
    empty = dict.fromkeys(names, ()) | {name: {} for name in ("chosen", "benchmarks", "hashes", "models")}
    run = Run(
        cohort=cohort,
        trainings=trainings,
        config=config or {},
        commit="v1",
        scores=scores,
        tunings=tunings or {},
        **empty,
    )
    return "\n".join(methods(run))


def test_the_methods_state_the_settings():
    study = STUDY | {"preprocess": STUDY["preprocess"] | {"normalization": "zscore"}}
    config = {"data": "/data", "predict": PREDICT, "summarize": {"bootstrap": 2000}, "split": {"by": "site"}}
    found = text(config, [TRAINING | {"study": study}] * 2)
    for words in (
        "Of 4 subjects, 3 were included and 1 excluded.",
        "The network read flair, t1ce. Scans were resampled to 1.5 mm, cropped to the brain, and normalized to",
        "2 models were trained with TensorFlow 2.21.0 [@abadi2016]: a 3D U-Net at full resolution",
        "with 32-64 channels and 1,234,567 parameters, with batch normalization [@ioffe2015], which predicts the ",
        "with Adam [@kingma2014], a highest learning rate of 0.0005, which rose over 7 steps",
        "for 1,000 steps of 3 patches of 96\N{MULTIPLICATION SIGN}96\N{MULTIPLICATION SIGN}64 voxels, or for 90",
        "if they ended sooner; in the first 50 %, patches had half of this length, and a step eight times as many.",
        "Patches were changed at random in flips.",
        "Moving averages of the weights of the last epoch were used",
        "Patients were split by site into 2 folds",
        "Test patients were held out from every model and predicted by the mean of all models.",
        "Windows overlapped by 25 % and were weighted by a Gaussian [@isensee2021], averaged over flips along x.",
        "Enhancing tumor of less than 0.2 ml or 5 % of the tumor core became necrosis.",
        "from 2,000 resamples of patients [@efron1993]",
        "glioseg (v1)",
    ):
        assert words in found, words
    assert "phantoms" not in found and "connected components" not in found.lower()
    assert set(cited([found])) <= set(entries())


def test_what_is_not_known_has_no_sentence():
    assert text(scores=()) == (
        "Of 4 subjects, 3 were included and 1 excluded.\n"
        "Patients were split at random into 2 folds, with all visits of a patient in one fold. "
        "Each was predicted by the model of the fold that was not trained on it. "
        "Test patients were held out from every model and predicted by the model."
    )
    external = text({"models": ["x"], "data": "phantoms"}, [TRAINING], folds=("test",))
    assert "One model had been trained before, on other subjects" in external
    assert "synthetic patients (phantoms)" in external and "were held out" not in external
    assert "chosen on the other folds" in text({"predict": PREDICT}, tunings={"0": []})


@pytest.mark.parametrize(
    ("known", "registry"),
    [(module.NORMALIZATIONS, NORMALIZATIONS), (module.LAYERS, ("instance", "batch", "none"))],
)
def test_every_choice_has_words(known, registry):
    assert set(registry) <= set(known)


def test_every_network_loss_and_optimizer_has_words():
    import yaml

    train = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text())["properties"]["train"]["properties"]
    assert set(train["network"]["enum"]) == set(module.NETWORKS)
    assert set(train["losses"]["items"]["enum"]) == set(module.LOSSES)
    assert set(train["optimizer"]["enum"]) == set(module.OPTIMIZERS)
    assert set(SCHEDULES) == {"cosine", "constant"}
