"""Test that the command `export` writes a bundle with which a scan is segmented as with the models themselves."""

import hashlib
import shutil
import zipfile

import pytest
from click.testing import CliRunner

import export
import segment
from glioseg.train.start.source import start_models


def test_a_bundle_segments_a_scan_like_its_models(study, tmp_path):
    folder, case = study
    (tmp_path / "A").mkdir()
    (tmp_path / "A/train").symlink_to(folder)
    bundle = tmp_path / "a.glioseg.zip"
    done = CliRunner().invoke(export.export, [str(tmp_path / "A"), "--license", "MIT", "--output", str(bundle)])
    assert done.exit_code == 0, done.output
    assert "README.md in it is their card" in done.output
    with zipfile.ZipFile(bundle) as archive:
        card, sums = archive.read("README.md").decode(), archive.read("SHA256SUMS").decode()
        networks = {name: archive.read(name) for name in ("train/0/model.onnx", "train/1/model.onnx")}
    assert "License: MIT" in card and "- ONNX: model.onnx next to each model.keras" in card
    assert all(f"{hashlib.sha256(content).hexdigest()}  {name}\n" in sums for name, content in networks.items())
    # The same study gives the same bytes.
    again = CliRunner().invoke(export.export, [str(tmp_path / "A"), "--license", "MIT", "--output", f"{bundle}.zip"])
    assert again.exit_code == 0 and (tmp_path / "a.glioseg.zip.zip").read_bytes() == bundle.read_bytes()

    def segmented(place, name, *words):
        output = tmp_path / f"{name}.nii.gz"
        words = ["--model", place, "--subject", case, "--output", output, *words]
        done = CliRunner().invoke(segment.segment, list(map(str, words)))
        assert done.exit_code == 0, done.output
        return output.read_bytes()

    for runtime in ("openvino", "tensorflow"):
        words = ("--runtime", runtime)
        assert segmented(bundle, "a", *words) == segmented(tmp_path / "A", "b", *words)


def test_models_that_cannot_be_written_as_onnx_are_exported_without_it(study, tmp_path):
    import keras

    image = keras.Input((16, 16, 16, 4))
    (tmp_path / "A/train/all").mkdir(parents=True)
    output = keras.layers.Softmax()(keras.layers.AveragePooling3D(1)(image))
    keras.Model(image, output).save(tmp_path / "A/train/all/model.keras")
    shutil.copy(study[0] / "0/settings.json", tmp_path / "A/train/all")
    done = CliRunner().invoke(export.export, [str(tmp_path / "A"), "--output", str(tmp_path / "a.zip")])
    assert done.exit_code == 0, done.output
    reason = "because the network has a layer of type AveragePooling3D; expected Conv3D, "
    assert f"There is no ONNX in it, {reason}" in done.output
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert f"- ONNX: none, {reason}" in archive.read("README.md").decode()
        assert not [name for name in archive.namelist() if name.endswith(".onnx")]


def test_a_bundle_in_half_precision_is_half_as_large(study, tmp_path):
    folder, case = study
    (tmp_path / "A").mkdir()
    (tmp_path / "A/train").symlink_to(folder)
    bundles = {}
    for name, words in {"whole": (), "half": ("--half",), "again": ("--half",)}.items():
        bundles[name] = tmp_path / f"{name}.zip"
        done = CliRunner().invoke(export.export, [str(tmp_path / "A"), *words, "--output", str(bundles[name])])
        assert done.exit_code == 0, done.output
    assert bundles["half"].read_bytes() == bundles["again"].read_bytes()
    assert bundles["half"].stat().st_size < bundles["whole"].stat().st_size - 10_000
    for runtime in ("openvino", "tensorflow"):
        output = tmp_path / "half.nii.gz"
        words = ["--model", bundles["half"], "--subject", case, "--output", output, "--runtime", runtime]
        done = CliRunner().invoke(segment.segment, list(map(str, words)))
        assert done.exit_code == 0, done.output


def test_a_scan_is_segmented_by_the_model_of_the_project_if_there_is_one(study, tmp_path, monkeypatch):
    folder, case = study
    bundle, output = tmp_path / "models/glioseg.zip", tmp_path / "a.nii.gz"
    monkeypatch.setattr("glioseg.workflow.home.SHIPPED", bundle)
    words = ["--subject", str(case), "--output", str(output)]
    done = CliRunner().invoke(segment.segment, words)
    assert done.exit_code == 1 and not output.exists()
    assert (
        f"no model was given, and {bundle} does not exist; give a model, or train this one: make model" in done.output
    )
    with pytest.raises(ValueError, match="train: start: no model was given"):
        start_models("shipped")
    (tmp_path / "A/train").mkdir(parents=True)
    (tmp_path / "A/train/all").symlink_to(folder / "0")
    done = CliRunner().invoke(export.export, [str(tmp_path / "A"), "--half", "--output", str(bundle)])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(segment.segment, words)
    assert done.exit_code == 0, done.output
    assert "learned from synthetic patients alone; it is a start" in done.stderr and "no diagnosis" in done.stderr
    given = tmp_path / "b.nii.gz"
    done = CliRunner().invoke(segment.segment, [*words[:-1], str(given), "--model", str(bundle)])
    assert done.exit_code == 0 and "diagnosis" not in done.output
    assert given.read_bytes() == output.read_bytes()
    assert [model.name for model in start_models("shipped")] == ["model.keras"]


def test_a_folder_without_models_is_named(tmp_path):
    done = CliRunner().invoke(export.export, [str(tmp_path), "--output", str(tmp_path / "a.zip")])
    assert done.exit_code == 1 and f"{tmp_path}: expected a model.keras" in done.output
    assert list(tmp_path.iterdir()) == []
