"""Containers see what lies outside of the working directory."""

from glioseg.workflow.containers import MOST, bind_paths


def test_folders_outside_of_the_working_directory_are_bound_once(tmp_path):
    for name in ("study/data", "brains/a", "brains/b", "code", "odd,name"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "brains/a/scan.nii").touch()
    (tmp_path / "link").symlink_to(tmp_path / "code")
    paths = ["study/data", "brains", "brains/a/scan.nii", "brains/b", "link", "odd,name", "code/results/new"]
    bound = bind_paths([tmp_path / path for path in paths], tmp_path / "study")
    assert bound == [str(tmp_path / name) for name in ("brains", "code")]
    assert bind_paths(["/", "/no such folder"], tmp_path) == []


def test_many_folders_are_bound_as_one(tmp_path):
    places = [tmp_path / f"data/{number}" for number in range(MOST + 1)]
    for place in places:
        place.mkdir(parents=True)
    (tmp_path / "study").mkdir()
    assert bind_paths(places[1:], tmp_path / "study") == sorted(map(str, places[1:]))
    assert bind_paths(places, tmp_path / "study") == [str(tmp_path / "data")]
