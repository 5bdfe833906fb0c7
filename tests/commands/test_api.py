"""Segmenting one scan from Python gives what the command `segment` gives, for files and for arrays."""

import re

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from studies import MODALITIES, ROOT
from test_documented_commands import blocks

import glioseg
import segment as command


@pytest.fixture(scope="module")
def scan(study):
    """The file of each modality of the subject, by name."""
    _, case = study
    return {name: case / f"{case.name}_{name}.nii.gz" for name in MODALITIES}


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_files_and_arrays_are_segmented_as_by_the_command(study, scan, tmp_path, runtime):
    folder, case = study
    models = [folder / name / "model.keras" for name in ("0", "1")]
    words = [word for model in models for word in ("--model", model)]
    words += [word for name, path in scan.items() for word in ("--image", name, path)]
    words += ["--runtime", runtime, "--smallest-enhancing-ml", 0, "--output", tmp_path / "a.nii", "--maps", "entropy"]
    done = CliRunner().invoke(command.segment, list(map(str, words)))
    assert done.exit_code == 0, done.output
    written, entropy = nib.load(tmp_path / "a.nii"), nib.load(tmp_path / "a_maps/entropy.nii.gz")
    arrays = {name: np.asarray(nib.load(path).dataobj) for name, path in scan.items()}
    how = {"runtime": runtime, "smallest_enhancing_ml": 0, "maps": ["entropy"]}
    for images, affine in ((scan, None), (case, None), (arrays, written.affine)):
        found = glioseg.segment(images, models, affine, **how)
        assert found.segmentation.dtype == np.uint8
        np.testing.assert_array_equal(found.segmentation, np.asarray(written.dataobj))
        np.testing.assert_array_equal(found.affine, written.affine)
        np.testing.assert_allclose(found.maps["entropy"], entropy.get_fdata(), atol=1 / 255)
        words = f"{found.volumes_ml['WT']:.1f} ml of tumor, uncertainty {found.uncertainty:.3f}, labels {found.labels}"
        assert words in done.output
    voxel_ml = abs(np.linalg.det(written.affine)) / 1000
    enhancing = np.count_nonzero(found.segmentation == 4)
    assert enhancing and found.volumes_ml["ET"] == pytest.approx(enhancing * voxel_ml)
    assert list(found.volumes_ml) == list(found.expected_dice) == ["WT", "TC", "ET"]
    other = glioseg.segment(scan, models, labels="brats2023", **how)
    np.testing.assert_array_equal(other.segmentation == 3, found.segmentation == 4)


def test_defaults_are_those_of_the_command(study, scan, tmp_path):
    folder, _ = study
    model = str(folder / "0" / "model.keras")
    words = [word for name, path in scan.items() for word in ("--image", name, str(path))]
    done = CliRunner().invoke(command.segment, ["--model", model, *words, "--output", str(tmp_path / "a.nii")])
    assert done.exit_code == 0, done.output
    found = glioseg.segment({name: str(path) for name, path in scan.items()}, model)
    np.testing.assert_array_equal(found.segmentation, np.asarray(nib.load(tmp_path / "a.nii").dataobj))
    assert found.maps == {}
    assert [f"warning: {warning}" for warning in found.warnings] == done.stderr.splitlines()
    assert "are resampled to 1 mm" in done.stderr


AFFINE = np.diag([-1.0, -1, 1, 1])


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("no file for t2; expected flair, t1, t1ce, t2", {"t2": None}),
        ("the model takes flair, t1, t1ce, t2, not pet", {"pet": np.ones((4, 4, 4))}),
        ("t2: expected an array .* found float64 .4, 4.", {"t2": np.ones((4, 4))}),
        ("t2: expected an array .* found complex128", {"t2": np.ones((4, 4, 4), complex)}),
        ("t2: expected an array .* found float64 .0, 4, 4.", {"t2": np.ones((0, 4, 4))}),
        ("the scan cannot be segmented: t2 has 63360 NaN", {"t2": np.full((40, 44, 36), np.nan)}),
        ("the scan cannot be segmented: .*t2", {"t2": np.ones((9, 9, 9))}),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(study, scan, words, changes):
    folder, _ = study
    arrays = {name: np.asarray(nib.load(path).dataobj) for name, path in scan.items()} | changes
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(ValueError, match=words):
        glioseg.segment(arrays, folder / "0" / "model.keras", AFFINE)


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("no model was given", {"models": []}),
        ("nowhere/model.keras does not exist", {"models": "nowhere/model.keras"}),
        ("affine: expected an invertible matrix", {"images": {"flair": np.ones((4, 4, 4))}}),
        ("affine: expected .* found .*0.0", {"images": {"flair": np.ones((4, 4, 4))}, "affine": np.zeros((4, 4))}),
        ("affine: the files have their own", {"affine": AFFINE}),
        ("labels: 'brats' is not known; expected one of brats2013", {"labels": "brats"}),
        ("segment: 'model' is not known; expected one of overlap", {"model": "a"}),
        ("flips: 'w' is not known", {"flips": ["w"]}),
        ("maps: 'sure' is not known", {"maps": ["sure"]}),
        ("runtime: 'none' is not known", {"runtime": "none"}),
        ("overlap: expected a share", {"overlap": 1}),
        ("smallest_component_ml: expected at least 0, found -1", {"smallest_component_ml": -1}),
        ("threads: expected at least 1, found 0", {"threads": 0}),
        ("t1: .*nowhere.nii does not exist", {"images": {"t1": "nowhere.nii"}}),
        ("nowhere", {"images": "nowhere"}),
    ],
)
def test_other_mistakes_are_refused_in_one_sentence(study, scan, words, how):
    folder, _ = study
    with pytest.raises(ValueError, match=words) as caught:
        glioseg.segment(**({"images": scan, "models": folder / "0" / "model.keras"} | how))
    assert "\n" not in str(caught.value)


def test_only_segment_is_loaded_when_asked_for():
    with pytest.raises(AttributeError, match="module 'glioseg' has no attribute 'train_all'"):
        _ = glioseg.train_all


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs/one-scan.md"], ids=lambda page: page.name)
def test_the_lines_of_python_in_the_pages_run(study, scan, tmp_path, monkeypatch, page):
    folder, _ = study
    monkeypatch.chdir(tmp_path)
    for name, path in scan.items():
        (tmp_path / f"{name}.nii.gz").symlink_to(path)
    (tmp_path / "results/train").mkdir(parents=True)
    (tmp_path / "results/train/all").symlink_to(folder / "0")
    code = blocks(page, "python")
    assert code and re.search("from glioseg import segment", code[0])
    names = {}
    for block in code:
        exec(block.replace("/path/to", str(tmp_path)), names)
    assert nib.load(tmp_path / "segmentation.nii.gz").shape == nib.load(scan["t1"]).shape
