"""The command `bids_subject` copies the images of one subject."""

from click.testing import CliRunner

from bids_subject import bids_subject
from glioseg.files import read_json


def run(folder, *words):
    (folder / "a.nii.gz").write_bytes(b"segmentation")
    (folder / "WT.nii.gz").write_bytes(b"map")
    given = ["--subject", "a_1", "--name", "sub-a_ses-1", "--prediction", folder / "a.nii.gz", *words]
    return CliRunner().invoke(bids_subject, [*map(str, given), "--output", str(folder / "bids/sub-a/ses-1/anat")])


def test_images_are_named_as_in_bids(tmp_path):
    done = run(tmp_path, "--probability", "WT", tmp_path / "WT.nii.gz", "--own-labels", "msd")
    assert done.exit_code == 0, done.output
    stem = tmp_path / "bids/sub-a/ses-1/anat/sub-a_ses-1_space-orig"
    assert {path: path.read_bytes() for path in stem.parent.glob("*.nii.gz")} == {
        stem.with_name(f"{stem.name}_desc-glioseg_dseg.nii.gz"): b"segmentation",
        stem.with_name(f"{stem.name}_label-WT_desc-glioseg_probseg.nii.gz"): b"map",
    }
    assert "a_1" in read_json(f"{stem}_desc-glioseg_dseg.json")["Description"]
    assert len(list(stem.parent.iterdir())) == 5


def test_without_maps_and_with_one_dialect_there_are_two_files(tmp_path):
    assert run(tmp_path).exit_code == 0
    ends = sorted(path.name.partition("glioseg_")[2] for path in (tmp_path / "bids").rglob("*.*"))
    assert ends == ["dseg.json", "dseg.nii.gz"]


def test_an_unknown_region_is_refused(tmp_path):
    done = run(tmp_path, "--probability", "entropy", tmp_path / "WT.nii.gz")
    assert done.exit_code == 2 and "'entropy' is not one of 'WT', 'TC', 'ET'" in done.output
