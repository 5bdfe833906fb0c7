"""The models of a results folder, of a bundle, and single ones."""

import json
import zipfile
from pathlib import Path

import pytest
from trainings import model_of

from glioseg.model_files import FORMAT, files_of, models_of, on_disk, size_thresholds


def study(folder, *names):
    for name in names:
        (folder / "train").mkdir(parents=True, exist_ok=True)
        model_of(folder / "train" / name)
    return folder


def zipped(folder, bundle):
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("glioseg.json", json.dumps({"format": FORMAT}))
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


def test_size_thresholds_are_read_from_the_study_of_a_model(tmp_path):
    folder = study(tmp_path / "A", "0", "1")
    assert size_thresholds(models_of(folder)) == {} == size_thresholds([])
    (folder / "tune_postprocess").mkdir()
    chosen = {"smallest_enhancing_ml": 1, "smallest_component_ml": 0.5, "fold": "all", "subjects": ["a"]}
    (folder / "tune_postprocess/all.json").write_text(json.dumps(chosen))
    bundle = zipped(folder, tmp_path / "a.zip")
    for place in (folder, bundle, folder / "train/0/model.keras"):
        assert size_thresholds(models_of(place)) == {"smallest_enhancing_ml": 1.0, "smallest_component_ml": 0.5}
    other = study(tmp_path / "B", "all")
    with pytest.raises(ValueError, match=r"are of studies with different thresholds .*; none"):
        size_thresholds([*models_of(folder), *models_of(other)])
    (folder / "tune_postprocess/all.json").write_text("{}")
    with pytest.raises(ValueError, match=r"all.json: expected the thresholds of a study"):
        size_thresholds(models_of(folder))


def test_a_model_in_a_bundle_becomes_a_file_for_a_while(tmp_path):
    folder = study(tmp_path / "A", "0")
    (inside,), (outside,) = models_of(zipped(folder, tmp_path / "a.zip")), models_of(folder)
    with on_disk(inside) as path:
        assert path.read_bytes() == outside.read_bytes()
    assert not path.exists()
    with on_disk(outside) as path:
        assert path == outside
    assert files_of([inside, outside, inside]) == [tmp_path / "a.zip", outside]


@pytest.mark.parametrize("kind", ["empty", "no.zip", "other.zip"])
def test_a_place_without_models_is_named(tmp_path, kind):
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_bytes(b"not a zip file")
    zipped(Path(tmp_path / "empty"), tmp_path / "other.zip")
    with pytest.raises(ValueError, match=rf"{kind}: expected a (model.keras, a )?bundle"):
        models_of(tmp_path / kind)
    with pytest.raises(ValueError, match=r"nowhere does not exist; expected a model.keras, a bundle"):
        models_of(tmp_path / "nowhere")
