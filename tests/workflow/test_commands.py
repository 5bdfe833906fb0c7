"""What a command is asked to write is judged before its work begins."""

import errno
import importlib
import os

import click
import pytest
from click.testing import CliRunner
from studies import ROOT

from glioseg.workflow.commands import LABEL_MAP, LONGEST_NAME, NEW_FOLDER, TABLE, Command, Output

COMMANDS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
# Names of options that name a file or folder to write, in any command.
WRITTEN = {"output", "output_dir", "state", "map_folder", "pages", "table"}


def refusal(kind, path):
    with pytest.raises(click.BadParameter) as refused:
        kind(str(path))
    return refused.value.message


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "p.01.nii.gz", "A.NII.GZ", "two words.nii"])
def test_label_maps_may_have_any_name_that_ends_in_nii(tmp_path, name):
    assert LABEL_MAP(str(tmp_path / "new" / "folders" / name)) == tmp_path / "new" / "folders" / name
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a.nrrd", "a.mha", "a", "a.img", "a.nii.bz2", "a.gz", ".nii.gz", ".nii", "a.nii.gz.tsv"]
)
def test_other_endings_of_label_maps_are_refused(tmp_path, name):
    assert "expected a name that ends in .nii.gz or .nii for the label map" in refusal(LABEL_MAP, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_files_and_folders_are_not_taken_for_one_another(tmp_path):
    (tmp_path / "a.nii.gz").mkdir()
    (tmp_path / "file").touch()
    assert "is a folder; expected a file for the label map" in refusal(LABEL_MAP, tmp_path / "a.nii.gz")
    assert "is a folder; expected a file for the table" in refusal(TABLE, tmp_path)
    assert "is a file; expected a folder" in refusal(NEW_FOLDER, tmp_path / "file")
    assert f"{tmp_path / 'file'} is a file; expected a folder" in refusal(TABLE, tmp_path / "file" / "new" / "a.tsv")
    assert NEW_FOLDER(str(tmp_path)) == tmp_path


def test_too_long_names_are_refused(tmp_path):
    name = "ä" * (LONGEST_NAME // 2)
    assert "expected a name of at most" in refusal(TABLE, tmp_path / f"{name}.tsv")
    # A name that is accepted leaves room for that of the temporary file.
    (tmp_path / f".partial-{2**22}-{'a' * LONGEST_NAME}").touch()


@pytest.mark.parametrize("number", ["EROFS", "EACCES", "ENOSPC"])
def test_folders_that_cannot_be_written_are_refused(tmp_path, monkeypatch, number):
    code = getattr(errno, number)

    def refuse(dir):
        raise OSError(code, os.strerror(code), f"{dir}/tmp_a")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    said = "the disk is full, or" if number == "ENOSPC" else "access was refused ("
    for kind, name in ((TABLE, "new/a.tsv"), (NEW_FOLDER, "new")):
        assert said in refusal(kind, tmp_path / name)
        assert os.strerror(code) in refusal(kind, tmp_path / name)
        assert "tmp_a" not in refusal(kind, tmp_path / name)


def test_a_bad_output_is_refused_before_the_command_runs(tmp_path):
    @click.command(cls=Command)
    @click.option("--output", type=LABEL_MAP)
    def never(output):
        raise AssertionError

    done = CliRunner().invoke(never, ["--output", str(tmp_path / "a.nrrd")])
    assert done.exit_code == 2
    assert "Invalid value for '--output'" in done.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_output_of_a_command_is_judged(name):
    module = importlib.import_module(name)
    command = next(value for value in vars(module).values() if isinstance(value, click.Command))
    for option in command.params:
        words = (getattr(option, "help", None) or "").lower()
        is_path = isinstance(option.type, click.Path | click.types.FuncParamType)
        if option.name in WRITTEN or (is_path and ("to write" in words or "write the" in words)):
            assert isinstance(option.type, Output), f"{name}: {option.opts[0]}"
