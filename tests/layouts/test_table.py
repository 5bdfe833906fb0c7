"""A table of subjects is read, or the error names the line that is wrong."""

from pathlib import Path

import pytest
from cohorts import PLAIN, found, touch

from glioseg.files import write_table
from glioseg.layouts.find_subjects import read_source
from glioseg.layouts.folders import File, SubjectFiles
from glioseg.layouts.table import described, listed_files, table_of


def test_a_table_is_read_or_its_wrong_line_is_named(tmp_path):
    touch(tmp_path, "a.nii.gz")
    path = tmp_path / "any.csv"

    def read(text, encoding="utf-8"):
        path.write_text(text, encoding=encoding)
        return read_source(PLAIN | {"folder": path, "labels": "msd"}, [])

    # European spreadsheets separate cells by semicolons and start with a byte order mark.
    source = read("Subject;T1 Gd;Mask;labels;Age\n\nx;./a.nii.gz:3;;;61\ny;a.nii.gz;b.nii.gz;brats2023;\n", "utf-8-sig")
    assert source.layout == "table"
    assert source.subjects["x"] == ({"t1ce": File(f"{tmp_path}/a.nii.gz", 3)}, "msd", {"Age": "61"}, "x", ())
    assert source.subjects["y"] == ({"t1ce": File(f"{tmp_path}/a.nii.gz")}, "brats2023", {}, "y", tuple(source.notes))
    assert source.notes == [f"{path}: line 4 names {tmp_path}/b.nii.gz, which does not exist"]
    for text, sentence in [
        ("subject,t1\nx,a.nii.gz,1\n", "any.csv: expected 2 cells in each line, found 3 in line 2"),
        ("subject,t1\nx,a.nii.gz\nx,a.nii.gz\n", "any.csv: line 3 names x again; expected one line for each subject"),
        ("subject,t1\n../x,a.nii.gz\n", "any.csv: line 2 names a subject '../x'; expected a name without /"),
        ("subject,t1\n,a.nii.gz\n", "any.csv: line 2 names a subject ''"),
        ("name,t1\nx,a.nii.gz\n", "expected the columns subject, one for each modality.*found name, t1"),
        ("subject,age\nx,3\n", "expected the columns subject, one for each modality.*found subject, age"),
        ("subject,t1c,t1ce\nx,a.nii.gz,\n", "expected one column for t1ce; found subject, t1c, t1ce"),
        ("subject,t1,t1\nx,a.nii.gz,\n", "two columns have the same name"),
        (
            "subject,t1,labels\nx,a.nii.gz,brats1999\n",
            "x in .* has the unknown label dialect 'brats1999'; expected one of brats2013",
        ),
        ("subject,t1\n", "no subject found in .*any.csv"),
        ("", "no subject found in .*any.csv"),
        ('subject,t1\n"x,a.nii.gz\n', "any.csv: expected 2 cells in each line, found 1 in line 2"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            read(text)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"any.csv cannot be read as a table"):
        found(path)


def test_files_are_looked_up_in_a_written_table(tmp_path):
    files = {"t1ce": File("/data/a.nii.gz", 2), "seg": File("data/mask.nii.gz")}
    subjects = {"x": SubjectFiles(files, "msd", {"Age": "61"}, "x"), "y": SubjectFiles({}, "msd", {}, "y")}
    path = tmp_path / "layouts/subjects.tsv"
    columns, rows = table_of(subjects, ["t1ce"], path.parent)
    write_table(path, columns, rows, described(columns, ["t1ce"]))
    listed = listed_files(path, ["x", "y"], ["t1ce", "seg"])
    assert listed["x"]["t1ce"] == files["t1ce"]
    assert Path(listed["x"]["seg"].path).resolve() == Path("data/mask.nii.gz").resolve()
    assert listed["y"] == {}
    with pytest.raises(ValueError, match=r"subjects.tsv: expected a line for z, found none; delete it and run again"):
        listed_files(path, ["z"], ["t1ce"])
