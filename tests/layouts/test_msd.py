"""The order of the Decathlon's modalities is read from dataset.json."""

import json

import pytest
from cohorts import PLAIN, found, touch

from glioseg.labels import MASK
from glioseg.layouts.find_subjects import File, read_source


def test_the_order_of_modalities_is_that_of_dataset_json(tmp_path):
    touch(
        tmp_path, "Task01/imagesTr/BRATS_1.nii.gz", "Task01/labelsTr/BRATS_1.nii.gz", "Task01/imagesTs/BRATS_2.nii.gz"
    )
    (tmp_path / "Task01" / "dataset.json").write_text(json.dumps({"modality": {"0": "T2w", "1": "t1gd", "2": "ASL"}}))
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    image = f"{tmp_path}/Task01/imagesTr/BRATS_1.nii.gz"
    assert source.subjects["BRATS_1"].files == {
        "t2": File(image, 0),
        "t1ce": File(image, 1),
        MASK: File(f"{tmp_path}/Task01/labelsTr/BRATS_1.nii.gz"),
    }
    assert MASK not in source.subjects["BRATS_2"].files
    assert "lists modalities that are used only if config.yaml names them: ASL" in source.notes[0]
    for content in ("{", "[]", '{"modality": {"1": "T1w"}}', '{"modality": 3}'):
        (tmp_path / "Task01" / "dataset.json").write_text(content)
        source = read_source(PLAIN | {"folder": tmp_path}, [])
        assert source.subjects["BRATS_1"].files["t1ce"] == File(image, 2)
        assert "assuming FLAIR, T1w, t1gd, T2w" in source.notes[0]
    touch(tmp_path, "Task01/imagesTr/BRATS_1_0000.nii.gz")
    with pytest.raises(ValueError, match=r"Task01 has the layout of nnU-Net.*list the files in a table"):
        found(tmp_path)
