"""Files are written completely or not at all, and invalid tables are refused."""

import pytest

from glioseg.files import read_table, whole, write_table


def test_files_are_written_completely_or_not_at_all(tmp_path):
    path = tmp_path / "table.tsv"
    write_table(path, ["a", "b"], [{"a": "1\t2", "b": "line\nbreak"}])
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    assert list(tmp_path.iterdir()) == [path]


def test_tables_are_read_literally_and_invalid_ones_are_refused(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('a\tb\n"x\t\n', encoding="utf-8")
    assert read_table(path, ("b",)) == [{"a": '"x', "b": ""}]
    (tmp_path / "table.csv").write_text("a,b\n1,\n")
    assert read_table(tmp_path / "table.csv") == [{"a": "1", "b": ""}]
    with pytest.raises(ValueError, match=r"table.tsv: expected the columns a, c, d; missing: c, d$"):
        read_table(path, ("a", "c", "d"))
    path.write_text("a\tb\n1\t2\n1\t2\t3\n")
    with pytest.raises(ValueError, match=r"table.tsv: expected 2 cells per line, found 3 in line 3"):
        read_table(path)
    for content in (b"", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"table.tsv: expected a table with a header"):
            read_table(path)
    with pytest.raises(ValueError, match=r"none.tsv: expected a table with a header"):
        read_table(tmp_path / "none.tsv")
