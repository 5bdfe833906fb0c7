"""The model card says what models learned from and how they score, and leaves the rest to its author."""

from glioseg.evaluate.summary import SCORE_COLUMNS
from glioseg.export.card import AUTHOR, model_card

STUDY = {"modalities": ["flair", "t1ce"], "labels": "brats2013", "preprocess": {"spacing_mm": 1.0, "crop": "brain"}}
SETTINGS = {"network": "unet", "classes": ["background", "edema"], "seed": 42}


def training(fold, *subjects):
    return {"fold": fold, "study": STUDY, "settings": SETTINGS, "parameters": 4900, "subjects": list(subjects)}


def row(name, fold, patient=None):
    return {"subject": name, "patient": patient or name, "fold": fold, "labels": "brats2013"}


def score(metric, region, mean, low="", high=""):
    values = ("network", region, metric, 3, 2, mean, mean, mean, mean, low, high)
    return {name: str(value) for name, value in zip(SCORE_COLUMNS, values, strict=True)}


COHORT = [row("a_1", "0", "a"), row("a_2", "0", "a"), row("b", "1")]


def test_the_card_is_filled_from_the_run():
    scores = [score("dice", "WT", 0.8123, 0.7, 0.9), score("hd95_mm", "WT", 12.34)]
    scores += [{**score("dice", "WT", 0.1), "method": "FLAIR threshold"}]
    trainings = [training("0", "b"), training("1", "a_1", "a_2")]
    text = model_card(trainings, COHORT, scores, {"smallest_enhancing_ml": 0.5}, "CC BY 4.0", "")
    for words in (
        "License: CC BY 4.0",
        "- 2 unet models of 4,900 parameters each",
        "- Input: flair, t1ce, in this order.",
        "- Preparation: spacing_mm 1.0, crop brain.",
        "- Threshold smallest_enhancing_ml: 0.5.",
        "- ONNX: model.onnx next to each model.keras, the same network in float32. Its input image is (batch, 2, X, Y",
        "; its output probabilities is (batch, 2, X, Y, Z), with a channel for each of background, edema. X, Y and Z",
        "3 subjects of 2 patients, with masks in the label dialect brats2013",
        "Mean over 3 subjects of 2 patients [95 % bootstrap interval], in cross-validation with 2 folds.",
        "| Dice | 0.812 [0.700, 0.900] |",
        "| 95 % Hausdorff distance, mm | 12.3 |",
    ):
        assert words in text
    assert "0.1" not in text.partition("## Scores")[2].partition("## Limits")[0].replace("0.12", "")
    assert "a_1" not in text


def test_the_card_says_why_there_is_no_onnx():
    text = model_card([training("all", "b")], [], [], {}, "", "the network has a layer of type Norm")
    assert "- ONNX: none, because the network has a layer of type Norm. glioseg itself runs the models." in text
    assert "model.onnx" not in text


def test_the_card_names_the_seeds_of_all_models():
    second = training("all", "b") | {"settings": SETTINGS | {"seed": 1042}}
    text = model_card([training("all", "b"), second], [], [], {}, "", "")
    assert "- 2 unet models of" in text and "- Trained with seeds 42 and 1042: " in text
    assert "- Trained with seed 42: " in model_card([training("0", "b"), training("1", "a")], [], [], {}, "", "")


def test_what_the_run_does_not_know_is_left_to_the_author():
    text = model_card([training("all", "b")], [], [], {}, "", "")
    assert f"License: {AUTHOR}" in text and text.count(AUTHOR) == 3
    assert "- 1 unet model of" in text and "The study has no scores." in text and "1 subjects." not in text


def test_the_card_says_that_no_patient_was_learned_from():
    phantoms = training("all", "phantom_001", "phantom_002") | {"settings": SETTINGS | {"contrast": "random"}}
    text = model_card([phantoms], COHORT, [], {}, "MIT", "")
    assert "2 synthetic patients (phantoms of `glioseg`)" in text and "No scan of a patient is among them." in text
    assert "ethics" not in text and "patients were found" not in text
    assert "synthetic" not in model_card([training("all", "b")], COHORT, [], {}, "MIT", "")


def test_the_card_names_the_model_that_the_training_went_on_from():
    went_on = training("all", "b") | {"settings": SETTINGS | {"start": "0123abcd"}}
    went_on["hashes"] = {"b": {}, "start/x": {}, "start/y": {}}
    text = model_card([went_on], [], [], {}, "", "")
    assert "went on from another model (SHA-256 0123abcd), which learned from 2 other subjects. Its license" in text
    assert "went on from" not in model_card([training("all", "b")], [], [], {}, "", "")
