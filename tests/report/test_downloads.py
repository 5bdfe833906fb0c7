"""Links to the files of a study."""

from pathlib import Path

from glioseg.plot.figures import FIGURES
from glioseg.report.downloads import TABLES, address, downloads, subject_files

WRITTEN = ("summarize/scores.tsv", "split/cohort.tsv", "plot/scores.png", "plot/scores.svg", "plot/print/scores.pdf")
WRITTEN += ("logs/split.log", "logs/train/all.log", "predict/a b.nii.gz", "evaluate/a b.json")


def study(folder: Path) -> Path:
    for name in WRITTEN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_only_files_that_exist_are_linked(tmp_path):
    found = downloads(study(tmp_path), tmp_path / "plot", tmp_path / "report")
    assert found["Tables"] == [
        ("split/cohort.tsv", TABLES["split/cohort.tsv"], {"TSV": "../split/cohort.tsv"}),
        ("summarize/scores.tsv", TABLES["summarize/scores.tsv"], {"TSV": "../summarize/scores.tsv"}),
    ]
    links = {"PNG": "../plot/scores.png", "SVG": "../plot/scores.svg", "PDF": "../plot/print/scores.pdf"}
    assert found["Figures"] == [("scores", FIGURES["scores"].caption.partition(".")[0], links)]
    assert [name for name, _, _ in found["Logs"]] == ["split", "train all"]
    assert downloads(tmp_path / "nothing", tmp_path / "nothing", tmp_path) == {}


def test_files_of_a_subject_and_addresses_of_odd_names(tmp_path):
    found = subject_files("a b", study(tmp_path), tmp_path / "report/subjects")
    assert found == {"segmentation": "../../predict/a%20b.nii.gz", "scores": "../../evaluate/a%20b.json"}
    assert address(tmp_path / "absent.tsv", tmp_path) == ""
