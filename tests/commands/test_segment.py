"""Test that the command `segment` gives a single scan the same segmentation as a study."""

import json

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from dicoms import write_series
from examples import TISSUES
from studies import MODALITIES, run_predict

import segment
from glioseg.predict import one_scan
from glioseg.volumes.nifti import read_volume


def test_a_single_scan_is_segmented_as_in_a_study(study, tmp_path):
    folder, case = study
    model = ["--model", folder / "0" / "model.keras"]
    assert run_predict(folder, tmp_path, *model).returncode == 0

    def run(*words):
        usual = ["--smallest-enhancing-ml", 0, "--output", tmp_path / "alone.nii.gz", "--runtime", "openvino"]
        return CliRunner().invoke(segment.segment, [str(word) for word in (*words, *usual)])

    images = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz")]
    for words in (images, ["--subject", case]):
        result = run(*model, *words, "--maps", "entropy")
        assert result.exit_code == 0, result.output
        assert "ml of tumor, uncertainty" in result.output
        assert (tmp_path / "alone.nii.gz").read_bytes() == (tmp_path / "seg.nii.gz").read_bytes()
        assert nib.load(tmp_path / "alone_maps/entropy.nii.gz").shape == nib.load(tmp_path / "alone.nii.gz").shape
        (tmp_path / "alone.nii.gz").unlink()

    # A 4-D file, whose volumes are named as in a table.
    volumes = [np.asarray(nib.load(images[index]).dataobj) for index in (2, 5, 8, 11)]
    nib.save(nib.Nifti1Image(np.stack(volumes, -1), nib.load(images[2]).affine), tmp_path / "all.nii.gz")
    together = [("--image", name, tmp_path / f"all.nii.gz:{index}") for index, name in enumerate(MODALITIES)]
    assert run(*model, *(word for words in together for word in words)).exit_code == 0
    found, expected = (np.asarray(nib.load(tmp_path / name).dataobj) for name in ("alone.nii.gz", "seg.nii.gz"))
    assert (found == expected).all()

    def refused(*words):
        result = run(*words)
        assert result.exit_code == 1
        return result.output

    assert "give either --image MODALITY FILE for each modality, or --subject FOLDER" in refused(*model)
    assert "no file for t2; expected flair, t1, t1ce, t2" in refused(*model, *images[:-3])
    assert "flair, t1, t1ce, t2 are the same volume 0" in refused(
        *model, *(word for name in MODALITIES for word in ("--image", name, tmp_path / "all.nii.gz"))
    )
    assert "nowhere.nii does not exist" in refused(*model, *images, "--image", "t1c", tmp_path / "nowhere.nii:2")
    assert "t2 has two files" in refused(*model, *images, *images[-3:])
    assert "takes flair, t1, t1ce, t2, not pet" in refused(*model, *images, "--image", "pet", images[2])
    assert "expected the folder of one subject, found" in refused(*model, "--subject", two(case, tmp_path))
    lonely = tmp_path / "model.keras"
    lonely.write_bytes((folder / "0" / "model.keras").read_bytes())
    assert "settings.json: expected the settings that train writes next to a model" in refused(
        "--model", lonely, *images
    )
    facts = {"settings": {"classes": list(TISSUES)}}
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "expected a study with modalities, labels, preprocess" in refused("--model", lonely, *images)
    facts["settings"]["classes"] = ["background", "edema"]
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "average only models trained with the same settings" in refused(*model, "--model", lonely, *images)


def test_the_values_are_those_of_the_subjects_layout(study, tmp_path):
    folder, case = study
    names = {"flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w"}
    (tmp_path / "new").mkdir()
    for name, new in names.items():
        (tmp_path / "new" / f"new-{new}.nii.gz").symlink_to(case / f"{case.name}_{name}.nii.gz")
    images = [word for new in names.values() for word in ("--image", new, tmp_path / "new" / f"new-{new}.nii.gz")]
    found = {}
    for dialect, *words in (("brats2020", *images), ("brats2023", "--subject", tmp_path / "new")):
        output = tmp_path / f"{dialect}.nii"
        words = ["--model", folder / "0" / "model.keras", *words, "--runtime", "openvino", "--output", output]
        done = CliRunner().invoke(segment.segment, [*map(str, words), "--smallest-enhancing-ml", "0"])
        assert f"labels {dialect}\n" in done.output
        found[dialect] = np.asarray(nib.load(output).dataobj)
    assert (found["brats2020"] == 4).any()
    assert (np.where(found["brats2020"] == 4, 3, found["brats2020"]) == found["brats2023"]).all()


def test_a_subject_that_the_model_learned_from_is_told(study, tmp_path):
    folder, case = study
    (tmp_path / "model.keras").symlink_to(folder / "0" / "model.keras")
    facts = json.loads((folder / "0" / "settings.json").read_text())
    facts["hashes"] = {"first": json.loads((folder / "scan" / "scan.json").read_text())["hashes"], "second": {}}
    (tmp_path / "settings.json").write_text(json.dumps(facts))
    said = {}
    for model in (tmp_path, folder / "0"):
        words = ["--model", model / "model.keras", "--subject", case, "--runtime", "openvino"]
        done = CliRunner().invoke(segment.segment, list(map(str, [*words, "--output", tmp_path / "a.nii"])))
        assert done.exit_code == 0, done.output
        said[model] = done.stderr
    assert f"{tmp_path / 'model.keras'} learned from this scan, its training subject first" in said[tmp_path]
    assert "learned from" not in said[folder / "0"]


def test_models_of_unequal_patch_are_refused_before_the_first_is_run(study, tmp_path, monkeypatch):
    from glioseg.train.networks import build_network

    folder, case = study
    build_network("unet", (24, 16, 16), 4, 4, (4, 8), "").save(tmp_path / "model.keras")
    (tmp_path / "settings.json").write_bytes((folder / "0" / "settings.json").read_bytes())
    monkeypatch.setattr(one_scan, "segment_image", None)
    models = ["--model", folder / "0" / "model.keras", "--model", tmp_path / "model.keras"]
    words = [*models, "--subject", case, "--output", tmp_path / "a.nii"]
    done = CliRunner().invoke(segment.segment, list(map(str, words)))
    assert done.exit_code == 1
    assert "takes 4 modalities in patches of 24x16x16 voxels, and" in done.output


def test_names_with_dots_keep_their_maps_apart(study, tmp_path):
    folder, case = study
    words = ["--model", folder / "0" / "model.keras", "--subject", case, "--runtime", "openvino"]
    for name in ("p.01.nii.gz", "p.02.nii", "p.nii.gz"):
        words_of_one = [*words, "--maps", "WT", "--output", tmp_path / name]
        assert CliRunner().invoke(segment.segment, list(map(str, words_of_one))).exit_code == 0
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    maps = {f"{name}_maps/WT.nii.gz" for name in ("p.01", "p.02", "p")}
    assert found == {"p.01.nii.gz", "p.02.nii", "p.nii.gz", *maps}


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.img", "folder.nii.gz", "", "taken.nii.gz", "case_03_t1.nii.gz"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_read(study, tmp_path, monkeypatch, name):
    folder, case = study
    (tmp_path / "taken_maps").touch()
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / f"{case.name}.nii.gz").mkdir()
    copy = tmp_path / case.name
    copy.mkdir()
    for path in case.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(one_scan, "prepare", None)
    output = (copy if "case" in name else tmp_path) / name
    words = ["--model", folder / "0" / "model.keras", "--subject", copy, "--maps", "WT", "--output", output]
    done = CliRunner().invoke(segment.segment, list(map(str, words)))
    assert done.exit_code in (1, 2)
    assert "expected a" in done.output
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_folder_gets_a_label_map_named_after_the_subject(study, tmp_path, monkeypatch):
    folder, case = study
    monkeypatch.chdir(case)
    words = ["--model", folder / "0" / "model.keras", "--runtime", "openvino"]
    for name in ("v1.0", "w.nrrd"):
        (tmp_path / name).mkdir()
    images = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz")]
    expected = []
    subject = ["--subject", "."]
    for out, scan, name in (
        ("new", subject, case.name), ("v1.0", images, "segmentation"), ("w.nrrd", subject, case.name)
    ):  # fmt: skip
        done = CliRunner().invoke(segment.segment, list(map(str, [*words, *scan, "--output", tmp_path / out])))
        expected.append(tmp_path / out / f"{name}.nii.gz")
        assert done.exit_code == 0 and f"\n{expected[-1]}: " in done.output, done.output
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file()] == expected


def two(case, folder):
    """Return a folder with two subjects, both copies of the case."""
    for name in ("one", "two"):
        (folder / "many" / name).mkdir(parents=True)
        for path in case.iterdir():
            (folder / "many" / name / path.name.replace(case.name, name)).write_bytes(path.read_bytes())
    return folder / "many"


def test_series_on_grids_of_their_own_are_registered_and_get_their_labels_back(study, tmp_path):
    folder, case = study
    pydicom = pytest.importorskip("pydicom")
    files = {name: case / f"{case.name}_{name}.nii.gz" for name in MODALITIES}
    # One series has other axes, and one came as DICOM.
    voxels, affine = read_volume(files["t2"])
    turned = nib.Nifti1Image(np.transpose(voxels, (1, 2, 0)), affine[:, [1, 2, 0, 3]])
    files["t2"] = tmp_path / "t2.nii.gz"
    nib.save(turned, files["t2"])
    files["t1"] = write_series(tmp_path / "t1", *read_volume(files["t1"]), "t1", FrameOfReferenceUID="1.2")
    images = [word for name, path in files.items() for word in ("--image", name, path)]
    words = ["--model", folder / "0" / "model.keras", *images, "--output", tmp_path / "seg.nii.gz"]

    refused = CliRunner().invoke(segment.segment, list(map(str, words)))
    assert refused.exit_code == 1 and "set register: mode to auto" in refused.output
    done = CliRunner().invoke(segment.segment, list(map(str, [*words, "--register", "auto"])))
    assert done.exit_code == 0, done.output
    own = tmp_path / "seg_own_grids"
    assert sorted(path.name for path in own.iterdir()) == [
        "flair.nii.gz",
        "t1.dcm",
        "t1.nii.gz",
        "t1ce.nii.gz",
        "t2.nii.gz",
    ]
    found, expected = nib.load(own / "t2.nii.gz"), nib.load(files["t2"])
    assert found.shape == expected.shape and np.allclose(found.affine, expected.affine)
    assert pydicom.dcmread(own / "t1.dcm").Modality == "SEG"


def test_a_folder_without_series_is_refused(study, tmp_path):
    words = ["--model", study[0] / "0" / "model.keras", "--dicom", tmp_path, "--output", tmp_path / "seg.nii.gz"]
    done = CliRunner().invoke(segment.segment, list(map(str, words)))
    assert done.exit_code == 1 and "expected the DICOM series of one visit of a patient" in done.output
