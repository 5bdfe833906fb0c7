"""A bundle holds what is needed to use models, names nobody, and has the same bytes whenever it is written."""

import hashlib
import json
import shutil
import zipfile

import pytest
from trainings import model_of

from glioseg.export.bundle import bundle_files, insist_on_all_models, write_bundle
from glioseg.model_files import models_of, size_thresholds
from glioseg.predict.model_facts import learned_from, read_facts

NAMES = ("Jane Doe", "John Roe")
STUDY = {"modalities": ["t1"], "labels": "brats2020", "preprocess": {"spacing_mm": 1.0}}


@pytest.fixture
def results(tmp_path):
    """The results folder of a study of two folds, which names its subjects in several files."""
    for fold, name in enumerate(NAMES):
        folder = tmp_path / "A/train"
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"fold": str(fold), "subjects": [name], "validation_subjects": [NAMES[1 - fold]]}
        model_of(folder / str(fold), study=STUDY, hashes={name: {"t1": f"hash {fold}"}}, **facts, secret="/home/jane")
    chosen = {"smallest_enhancing_ml": 1.0, "smallest_component_ml": 0.5, "subjects": NAMES, "fold": "all"}
    (tmp_path / "A/tune_postprocess").mkdir()
    (tmp_path / "A/tune_postprocess/all.json").write_text(json.dumps(chosen))
    return tmp_path / "A"


def bundle_of(results, path):
    write_bundle(bundle_files(results, "# A card\n", [b"network 0", b"network 1"]), path)
    return path


def test_a_bundle_is_used_like_the_results_folder(tmp_path, results):
    bundle = bundle_of(results, tmp_path / "a.zip")
    inside, outside = models_of(bundle), models_of(results)
    assert [model.read_bytes() for model in inside] == [model.read_bytes() for model in outside]
    assert read_facts(inside) == read_facts(outside)
    assert size_thresholds(inside) == size_thresholds(outside)
    # Patients are known by their voxels.
    (found,) = learned_from(inside, {"t1": "hash 1"}).items()
    assert str(found[0]) == f"{bundle}/train/1/model.keras" and found[1] in ("1", "2")


def test_no_subject_and_no_place_is_named(tmp_path, results):
    content = bundle_of(results, tmp_path / "a.zip").read_bytes()
    assert not any(word.encode() in content for word in (*NAMES, "secret", "/home/jane", str(tmp_path)))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert json.loads(archive.read("train/0/settings.json"))["subjects"] == ["1"]
        assert json.loads(archive.read("train/0/settings.json"))["validation_subjects"] == ["2"]


def test_the_same_study_gives_the_same_bytes(tmp_path, results):
    first = bundle_of(results, tmp_path / "a.zip").read_bytes()
    shutil.copytree(results, tmp_path / "elsewhere", copy_function=shutil.copy)
    assert bundle_of(tmp_path / "elsewhere", tmp_path / "b.zip").read_bytes() == first


def test_checksums_cover_every_file(tmp_path, results):
    with zipfile.ZipFile(bundle_of(results, tmp_path / "a.zip")) as archive:
        lines = [line.split("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
        assert {name for _, name in lines} == set(archive.namelist()) - {"SHA256SUMS"}
        assert all(hashlib.sha256(archive.read(name)).hexdigest() == digest for digest, name in lines)
        assert archive.read("README.md") == b"# A card\n"


def test_the_onnx_of_a_model_lies_beside_it_and_nothing_where_there_is_none(tmp_path, results):
    files = bundle_files(results, "", [b"network 0", b"network 1"])
    assert (files["train/0/model.onnx"], files["train/1/model.onnx"]) == (b"network 0", b"network 1")
    assert b"train/1/model.onnx" in files["SHA256SUMS"]
    assert not [name for name in bundle_files(results, "", []) if name.endswith(".onnx")]


def without(name):
    def change(bundle):
        with zipfile.ZipFile(bundle) as archive:
            kept = {entry: archive.read(entry) for entry in archive.namelist() if entry != name}
        write_bundle(kept, bundle)

    return change


def flipped(bundle):
    content = bytearray(bundle.read_bytes())
    content[content.index(b"config.json") + 200] ^= 1
    bundle.write_bytes(content)


def newer(bundle):
    without("glioseg.json")(bundle)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("glioseg.json", json.dumps({"format": 99}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda bundle: bundle.write_bytes(bundle.read_bytes()[:-200]), "expected a bundle that export wrote"),
        (lambda bundle: bundle.write_bytes(b""), "expected a bundle that export wrote"),
        (flipped, "in it is damaged; copy the bundle again"),
        (without("glioseg.json"), "expected a bundle that export wrote .*glioseg.json"),
        (newer, "expected a bundle of format 1, found 99; install a newer version"),
    ],
    ids=["truncated", "empty", "flipped", "foreign", "newer"],
)
def test_a_bundle_that_cannot_be_used_is_named(tmp_path, results, damage, words):
    bundle = bundle_of(results, tmp_path / "a.zip")
    damage(bundle)
    with pytest.raises(ValueError, match=rf"a\.zip: .*{words}"):
        models_of(bundle)


def test_a_model_without_its_settings_is_named(tmp_path, results):
    bundle = bundle_of(results, tmp_path / "a.zip")
    without("train/1/settings.json")(bundle)
    with pytest.raises(ValueError, match=r"a.zip/train/1/settings.json: expected the settings that train writes"):
        read_facts(models_of(bundle))


def test_an_earlier_model_and_its_subjects_are_told_from_those_of_the_study(tmp_path, results):
    path = results / "train/0/settings.json"
    facts = json.loads(path.read_text())
    facts["start"] = {"model": "0123abcd", "sentences": ["The training goes on from the model 0123abcd."]}
    facts["hashes"]["start/Jane Doe"] = {"t1": "hash of before"}
    path.write_text(json.dumps(facts))
    with zipfile.ZipFile(bundle_of(results, tmp_path / "a.zip")) as archive:
        found = json.loads(archive.read("train/0/settings.json"))
    assert found["start"]["model"] == "0123abcd"
    assert found["hashes"] == {"1": {"t1": "hash 0"}, "start/3": {"t1": "hash of before"}}


def test_a_study_that_is_not_finished_is_refused(results):
    cohort = [{"fold": fold} for fold in ("0", "1", "2", "test", "")]
    with pytest.raises(ValueError, match=r"train: expected a model of each of 3 folds, found none of fold 2; finish"):
        insist_on_all_models(cohort, models_of(results))
    insist_on_all_models(cohort[:2], models_of(results))
    insist_on_all_models([], models_of(results))
