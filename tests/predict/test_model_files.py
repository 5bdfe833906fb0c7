"""The models of a results folder, of a bundle, and single ones."""

import zipfile
from pathlib import Path

import pytest
from trainings import model_of

from glioseg.predict.model_files import models_of


def study(folder, *names):
    for name in names:
        (folder / "train").mkdir(parents=True, exist_ok=True)
        model_of(folder / "train" / name)
    return folder


def zipped(folder, bundle):
    with zipfile.ZipFile(bundle, "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder))
    return bundle


def test_models_are_in_the_order_of_folds_and_seeds(tmp_path):
    folder = study(tmp_path / "A", "10", "2", "0_2", "0", "2_10", "2_2")
    (folder / "train/3").mkdir()  # a training that is not finished
    order = ["0", "0_2", "2", "2_2", "2_10", "10"]
    assert models_of(folder) == [folder / f"train/{name}/model.keras" for name in order]
    bundle = zipped(folder, tmp_path / "a.zip")
    assert [str(model) for model in models_of(bundle)] == [f"{bundle}/train/{name}/model.keras" for name in order]
    assert models_of(folder / "train/2/model.keras") == [folder / "train/2/model.keras"]


def test_models_of_two_studies_in_a_folder_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"with and without folds \(all, 0\), so they are of two studies"):
        models_of(study(tmp_path / "A", "0", "all"))


@pytest.mark.parametrize("kind", ["nowhere", "empty", "no.zip", "other.zip"])
def test_a_place_without_models_is_named(tmp_path, kind):
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_bytes(b"not a zip file")
    zipped(Path(tmp_path / "empty"), tmp_path / "other.zip")
    with pytest.raises(ValueError, match=rf"{kind}: expected a (model.keras, a )?bundle"):
        models_of(tmp_path / kind)
