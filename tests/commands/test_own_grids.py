"""The command `own_grids` writes label maps on the grid of each series, and says what it cannot write."""

import numpy as np
from click.testing import CliRunner
from dicoms import write_series

from glioseg.files import write_json
from glioseg.register.facts import Series, series_facts
from glioseg.volumes.forms import forms_of
from glioseg.volumes.nifti import nifti_of, read_volume, write_label_map
from own_grids import own_grids

AFFINE = np.diag([-1.0, -1, 1, 1])


def test_a_series_without_the_tags_of_a_segmentation_gets_the_nifti_file_alone(tmp_path):
    labels = np.zeros((20, 22, 16), np.uint8)
    labels[5:12, 6:14, 4:9] = 2
    write_label_map(tmp_path / "seg.nii.gz", labels, AFFINE)
    series = series_facts(Series(labels, AFFINE, forms_of(nifti_of(labels, AFFINE).header)), np.eye(4))
    write_json(tmp_path / "register.json", {"series": {"t1": series, "t2": series}})
    (tmp_path / "model.keras").write_bytes(b"weights")
    image = np.ones(labels.shape, np.uint16)
    good = write_series(tmp_path / "good", image, AFFINE, "t1", FrameOfReferenceUID="1.2")
    bad = write_series(tmp_path / "bad", image, AFFINE, "t2")
    words = ["--prediction", tmp_path / "seg.nii.gz", "--registered", tmp_path / "register.json"]
    words += ["--labels", "brats2020", "--model", tmp_path / "model.keras", "--dicom", "t1", good, "--dicom", "t2", bad]
    done = CliRunner().invoke(own_grids, [*map(str, words), "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert f"t1.nii.gz; t2.nii.gz; t1.dcm; {bad} can have no DICOM segmentation (" in done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["t1.dcm", "t1.nii.gz", "t2.nii.gz"]
    assert np.array_equal(read_volume(tmp_path / "out/t2.nii.gz")[0], labels)
