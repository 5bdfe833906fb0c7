"""The command `label_tables` writes one table for ITK-SNAP and one for 3D Slicer."""

from click.testing import CliRunner

from glioseg.volumes.label_tables import itk_snap, slicer
from label_tables import label_tables


def test_both_tables_are_written(tmp_path):
    words = ["--labels", "brats2024", "--itk-snap", tmp_path / "a/labels.txt", "--slicer", tmp_path / "a/labels.ctbl"]
    done = CliRunner().invoke(label_tables, list(map(str, words)))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a/labels.txt").read_text() == itk_snap("brats2024")
    assert (tmp_path / "a/labels.ctbl").read_text() == slicer("brats2024")
    assert len(list((tmp_path / "a").iterdir())) == 2
