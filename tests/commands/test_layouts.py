"""The command `layouts` describes folders and writes the table of subjects."""

import json
from pathlib import Path

from click.testing import CliRunner
from cohorts import found, touch, write_cohort

from glioseg.layouts.find_subjects import find_subjects
from layouts import layouts


def test_layouts_command_describes_a_folder(tmp_path):
    write_cohort(tmp_path / "a", "2020")
    (
        tmp_path / "a" / "MICCAI_BraTS2020_TrainingData" / "BraTS20_Training_001" / "BraTS20_Training_001_t2.nii.gz"
    ).unlink()
    touch(tmp_path / "b", *(f"s{number:02d}/s{number:02d}_flair.nii" for number in range(13)), "s00/s00_t1.nii")
    result = CliRunner().invoke(layouts, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert result.exit_code == 0, result.output
    first, second = result.output.split(f"{tmp_path / 'b'}\n")
    for line in (
        "layout     brats\n",
        "labels     brats2020 2\n",
        "subjects   2\n",
        "modalities flair 2, t1 2, t1ce 2, t2 1\n",
        "masks      2\n",
        "covariates age 1, extent_of_resection 1, grade 2, survival_days 1\n",
        "missing    BraTS20_Training_001 (t2)\n",
    ):
        assert f"  {line}" in first
    assert "missing modalities (estimated from 1 of them; crop: brain, 1 mm)" in first
    assert "s10 (t1), and 2 more\n" in second
    assert "no subject with all modalities could be read" in second
    result = CliRunner().invoke(layouts, [str(tmp_path / "none"), str(tmp_path / "b"), "--modalities", "flair"])
    assert result.exit_code == 1
    assert "modalities flair 13, t1 1\n" in result.output
    assert "none does not exist" in result.output
    for words, sentence in [
        ([], "give the folder of a data set"),
        (["--source", "3"], "3 is not a source"),
        (["--source", '{"layout": "auto"}'], "is not a source; expected JSON with folder"),
        (["--source", '{"folder": "x", "prefix": 3}'], "is not a source; expected JSON with folder"),
        (["--source", "{"], "is not a source; expected JSON with folder"),
    ]:
        result = CliRunner().invoke(layouts, words)
        assert result.exit_code == 2
        assert sentence in result.output


def test_the_table_written_by_layouts_is_a_valid_layout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = [write_cohort(Path("a"), "msd"), write_cohort(tmp_path / "b", "2020") | {"prefix": "old_"}]
    options = [word for source in sources for word in ("--source", json.dumps(source))]
    options += [word for name in ("t1ce", "flair") for word in ("--modalities", name)]
    result = CliRunner().invoke(layouts, [*options, "--output", "results/layouts/subjects.tsv"])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "results" / "layouts" / "subjects.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:7] == ["subject", "patient", "labels", "t1ce", "flair", "seg", "layout_notes"]
    assert lines[1].split("\t")[:4] == ["BRATS_001", "BRATS_001", "msd", "../../a/imagesTr/BRATS_001.nii.gz:2"]
    subjects = find_subjects(sources, ["t1ce", "flair"])
    again = found("results/layouts/subjects.tsv", ["t1ce", "flair"])
    assert (
        list(again)
        == list(subjects)
        == ["BRATS_001", "BRATS_002", "old_BraTS20_Training_001", "old_BraTS20_Training_355"]
    )
    for name, (files, *others) in again.items():
        assert others == list(subjects[name][1:])
        assert {part: (Path(file.path).resolve(), file.volume) for part, file in files.items()} == {
            part: (Path(file.path).resolve(), file.volume) for part, file in subjects[name].files.items()
        }


def test_a_table_without_a_column_of_labels_is_described(tmp_path):
    """The workflow gets its labels from the configuration, as in the example of docs/data.md."""
    (tmp_path / "a.nii").touch()
    (tmp_path / "cohort.tsv").write_text("subject\tflair\tseg\np\ta.nii\ta.nii\n")
    done = CliRunner().invoke(layouts, [str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "labels     not recognized, so set labels to one of brats2013, brats2020," in done.output
    done = CliRunner().invoke(layouts, [str(tmp_path), "--output", str(tmp_path / "subjects.tsv")])
    assert done.exit_code == 1 and "the label dialect of the mask of p" in done.output
