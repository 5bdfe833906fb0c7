"""Files are whole or absent, and tables are read as they stand."""

import pytest

from glioseg.files import read_table, whole, write_table


def test_outputs_are_whole_or_absent(tmp_path):
    path = tmp_path / "table.tsv"
    write_table(path, ["a", "b"], [{"a": "1\t2", "b": "line\nbreak"}])
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    assert list(tmp_path.iterdir()) == [path]


def test_tables_are_read_as_they_stand_or_refused_in_a_sentence(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('a\tb\n"x\t\n', encoding="utf-8")
    assert read_table(path, ("b",)) == [{"a": '"x', "b": ""}]
    (tmp_path / "table.csv").write_text("a,b\n1,\n")
    assert read_table(tmp_path / "table.csv") == [{"a": "1", "b": ""}]
    with pytest.raises(ValueError, match=r"table.tsv: expected the columns a, c, d, missing are c, d$"):
        read_table(path, ("a", "c", "d"))
    path.write_text("a\tb\n1\t2\n1\t2\t3\n")
    with pytest.raises(ValueError, match=r"table.tsv: expected 2 cells in each line, found 3 in line 3"):
        read_table(path)
    for content in (b"", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"table.tsv: expected a table with a header"):
            read_table(path)
    with pytest.raises(ValueError, match=r"none.tsv: expected a table with a header"):
        read_table(tmp_path / "none.tsv")
