"""The model to go on from: its place, its study, its hashes, and the settings of the training."""

import json
import shutil

import pytest
from trainings import subject

from glioseg.export.bundle import bundle_files, write_bundle
from glioseg.model_files import content_of
from glioseg.train.start.source import (
    find_source,
    hashes_of,
    read_source,
    seen_hashes,
    settings_to_go_on,
    start_models,
)

FACTS = {
    "settings": {"network": "unet", "filters": [4, 8], "classes": ["background", "edema"], "targets": "classes"},
    "study": {"modalities": ["flair", "t1ce"], "preprocess": {"spacing_mm": 1.0}},
    "hashes": {"a": {"flair": "1", "t1ce": "2"}, "b": {"flair": "3"}},
}


def model(folder, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.keras").write_bytes(b"weights")
    (folder / "settings.json").write_text(json.dumps(FACTS | changes))
    return folder / "model.keras"


def test_a_path_names_a_file_or_a_results_folder_with_a_model_for_each_fold(tmp_path):
    path = model(tmp_path / "results/train/all")
    for given in (path, path.parent, tmp_path / "results"):
        assert start_models(str(given)) == [path]
    # Another seed, from the same subjects.
    other = model(tmp_path / "results/train/all_2")
    assert start_models(str(tmp_path / "results")) == [path]
    assert start_models(str(other)) == [other]
    first, _, second = (model(tmp_path / f"folds/train/{fold}") for fold in ("0", "0_2", "1"))
    assert start_models(str(tmp_path / "folds")) == [first, second]
    with pytest.raises(ValueError, match=r"start: .*found none"):
        start_models(str(tmp_path / "results/train"))
    with pytest.raises(ValueError, match=r"elsewhere does not exist; expected a model\.keras, a bundle or a results"):
        start_models(str(tmp_path / "elsewhere"))


def test_a_bundle_is_started_from_where_it_lies(tmp_path):
    path = model(tmp_path / "results/train/0")
    write_bundle(bundle_files(tmp_path / "results", "", []), tmp_path / "a.zip")
    (found,) = start_models(str(tmp_path / "a.zip"))
    source = read_source(found)
    assert source.content == content_of(path) and source.study == read_source(path).study
    assert list(source.hashes) == ["1", "2"], "numbers instead of names"
    model(tmp_path / "results/train/1")
    write_bundle(bundle_files(tmp_path / "results", "", []), tmp_path / "b.zip")
    assert [found.parent.name for found in start_models(str(tmp_path / "b.zip"))] == ["0", "1"]
    (found,) = start_models(f"{tmp_path}/b.zip/train/1/model.keras")
    assert content_of(found) == content_of(path)


def test_a_model_is_known_by_its_content_wherever_it_is(tmp_path):
    path = model(tmp_path / "one")
    moved = shutil.copytree(path.parent, tmp_path / "two") / path.name
    assert content_of(moved) == content_of(path)
    moved.write_bytes(b"Weights")
    assert content_of(moved) != content_of(path)


def test_the_settings_next_to_a_model_say_what_it_is(tmp_path):
    source = read_source(model(tmp_path))
    assert source.study.modalities == ("flair", "t1ce")
    assert source.study.channels == ("background", "edema")
    assert source.study.filters == (4, 8)
    for text in ("{}", "half", json.dumps(FACTS | {"study": {}})):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(
            ValueError, match=r"settings\.json: expected the settings that train writes next to a model"
        ):
            read_source(tmp_path / "model.keras")


def test_a_model_that_learned_from_a_held_out_subject_is_refused(tmp_path):
    path, said = str(model(tmp_path)), []
    assert find_source("", "all", {}, said.append) is None
    assert find_source(path, "all", {"all": {"a": {"flair": "7"}, "c": {"t1ce": "8"}}}, said.append).content
    assert said == []
    with pytest.raises(
        ValueError, match=r"model\.keras learned from a, x \(there b\), held out from a model of this study"
    ) as told:
        # Also if another fold than the one that is trained holds them out.
        find_source(path, "0", {"0": {}, "1": {"a": {"t1ce": "2"}, "c": {"flair": "8"}}, "2": {"x": {"flair": "3"}}})
    assert "leave out what it learned from (exclude), or start from a model that did not learn from it" in str(
        told.value
    )
    model(tmp_path, hashes={})
    assert find_source(path, "all", {"all": {"a": {"t1ce": "2"}}}, said.append)
    assert said == [f"{path} has no hashes of its training subjects, so it may have learned from held-out subjects"]


def test_a_fold_goes_on_from_a_model_that_learned_from_none_of_its_subjects(tmp_path):
    scans = {name: {"flair": name * 2} for name in "abcd"}
    # The folds of another study: its model 0 did not learn from a and b, nor its model 1 from c and d.
    for fold, learned in (("0", "cd"), ("1", "ab")):
        model(tmp_path / f"train/{fold}", hashes={name: scans[name] for name in learned})

    def start(fold, *held_out):
        hidden = {str(number): {name: scans[name] for name in names} for number, names in enumerate(held_out)}
        return find_source(str(tmp_path), fold, hidden).model.parent.name

    assert [start(fold, "ab", "cd") for fold in "01"] == ["0", "1"]
    assert [start(fold, "cd", "ab", "") for fold in "012"] == ["1", "0", "0"]
    with pytest.raises(ValueError, match=r"each of the 2 models of .* learned from c, held out from a model of this"):
        start("1", "abc", "d")
    model(tmp_path / "train/0", hashes={})
    with pytest.raises(ValueError, match=r"0/model\.keras has no hashes of its training subjects, so no fold can"):
        start("1", "ab", "cd")


def test_what_a_model_has_seen_is_passed_on(tmp_path, preprocessed):
    source = read_source(model(tmp_path))
    assert seen_hashes(source) == {"start/a": FACTS["hashes"]["a"], "start/b": FACTS["hashes"]["b"]}
    assert seen_hashes(None) == {}
    assert hashes_of(preprocessed, ["a"]) == {"a": {"flair": "hash of a"}}


def test_settings_of_a_training_that_goes_on(tmp_path):
    source = read_source(model(tmp_path))
    settings = {"learning_rate": 1.0, "start_learning_rate": 0.1, "freeze_encoder": True}
    settings |= FACTS["settings"] | {"filters": ("auto",), "normalization": "auto", "average": "auto"}

    def going_on(source, study=FACTS["study"], **changes):
        return settings_to_go_on(settings | changes, source, study)

    expected = settings | {"learning_rate": 0.1, "filters": (4, 8), "normalization": "instance", "average": 0.9995}
    del expected["start_learning_rate"]
    assert going_on(source) == expected | {"start": source.content}
    of_batch = read_source(model(tmp_path / "batch", settings=FACTS["settings"] | {"normalization": "batch"}))
    assert going_on(of_batch)["normalization"] == "batch"
    assert going_on(of_batch, normalization="none")["normalization"] == "none"
    assert going_on(source, filters=(3, 6))["filters"] == (3, 6)
    new = going_on(None, freeze_encoder=False)
    assert (new["normalization"], new["learning_rate"], new["average"], new["start"]) == ("instance", 1.0, 0, "")
    with pytest.raises(ValueError, match="freeze_encoder: true requires train: start"):
        going_on(None)


def test_weights_are_averaged_with_those_of_a_model_that_is_taken_over_as_a_whole(tmp_path):
    source = read_source(model(tmp_path))
    settings = FACTS["settings"] | {"filters": ("auto",), "normalization": "auto", "average": "auto"}
    settings |= {"start_learning_rate": 0.1, "freeze_encoder": False}

    def average(source=source, modalities=("flair", "t1ce"), **changes):
        study = {"modalities": list(modalities), "preprocess": {"spacing_mm": 2.0}}
        return settings_to_go_on(settings | changes, source, study)["average"]

    assert average() == 0.9995
    assert average(average=0.5) == average(None, average=0.5) == 0.5
    # A part would keep random values.
    assert average(modalities=("flair", "t2")) == average(filters=(4, 16)) == average(normalization="batch") == 0
    assert average(targets="regions") == average(classes=["background", "necrosis"]) == 0


@pytest.mark.parametrize(("start", "rate"), [("0123", "start_learning_rate"), ("", "learning_rate")])
def test_a_loss_of_nan_names_the_learning_rate_that_counts(start, rate, tmp_path):
    from glioseg.train import device  # noqa: F401  (before TensorFlow)
    from glioseg.train.progress import Progress, Training
    from glioseg.train.signals import Noted
    from glioseg.train.state import Identity

    settings = {"start": start, "epochs": 1, "steps_per_epoch": 1, "seed": 0, "batch": 1}
    training = Training([subject()], [], tmp_path / "state.npz", Identity("", ""), settings, 1)
    progress = Progress(training, [], [], Noted())
    progress.continue_epoch(settings, 0, [])
    progress.waiting.begin()
    with pytest.raises(
        FloatingPointError, match=f"the loss became nan .*lower train: {rate} or clip_norm and run again"
    ):
        progress.on_train_batch_end(0, {"loss": float("nan")})
