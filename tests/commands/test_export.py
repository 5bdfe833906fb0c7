"""Test that the command `export` writes a bundle with which a scan is segmented as with the models themselves."""

import zipfile

from click.testing import CliRunner

import export
import segment


def test_a_bundle_segments_a_scan_like_its_models(study, tmp_path):
    folder, case = study
    (tmp_path / "A").mkdir()
    (tmp_path / "A/train").symlink_to(folder)
    bundle = tmp_path / "a.glioseg.zip"
    done = CliRunner().invoke(export.export, [str(tmp_path / "A"), "--license", "MIT", "--output", str(bundle)])
    assert done.exit_code == 0, done.output
    assert "README.md in it is their card" in done.output
    with zipfile.ZipFile(bundle) as archive:
        assert b"License: MIT" in archive.read("README.md")

    def segmented(place, name, *words):
        output = tmp_path / f"{name}.nii.gz"
        words = ["--model", place, "--subject", case, "--output", output, *words]
        done = CliRunner().invoke(segment.segment, list(map(str, words)))
        assert done.exit_code == 0, done.output
        return output.read_bytes()

    for runtime in ("openvino", "tensorflow"):
        words = ("--runtime", runtime)
        assert segmented(bundle, "a", *words) == segmented(tmp_path / "A", "b", *words)


def test_a_folder_without_models_is_named(tmp_path):
    done = CliRunner().invoke(export.export, [str(tmp_path), "--output", str(tmp_path / "a.zip")])
    assert done.exit_code == 1 and f"{tmp_path}: expected a model.keras" in done.output
    assert list(tmp_path.iterdir()) == []
