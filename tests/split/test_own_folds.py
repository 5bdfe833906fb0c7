"""Folds given in a table, or by the values of a covariate."""

import pytest

from glioseg.split.own_folds import fold_count, folds_by, folds_of, folds_of_groups


def read(*rows, columns=("patient", "fold")):
    lines = [(line, dict(zip(columns, row, strict=True))) for line, row in enumerate(rows, start=2)]
    return folds_of(lines, "folds.tsv")


def test_a_table_of_folds_is_read_or_its_wrong_line_is_named():
    assert read(("a", "0"), ("b", "1"), ("c", "test")) == ("patient", {"a": "0", "b": "1", "c": "test"})
    assert read(("a", "train"), ("c", "test"), columns=("subject", "fold"))[0] == "subject"
    # A single fold is the training set of the single model.
    assert read(("a", "0"), ("c", "test"))[1] == {"a": "train", "c": "test"}
    assert [fold_count(folds) for folds in ({"a": "0", "b": "1", "c": "test"}, {"a": "train"})] == [2, 1]
    for rows, sentence in [
        ([("a", "first")], "folds.tsv: line 2 gives 'a' the fold 'first'; expected test, train, or a number from 0 on"),
        ([("", "1")], "line 2 gives ''"),
        ([("a", "0"), ("a", "1")], "line 3 gives a the fold 1, an earlier line the fold 0"),
        ([("a", "1"), ("b", "2")], "expected the folds 0 to 1, found 1, 2; number them from 0 on"),
        ([("a", "0"), ("b", "1"), ("c", "train")], "either train or numbered folds, found both"),
        ([], "expected a row for each subject or patient, found none"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            read(*rows)
    with pytest.raises(ValueError, match=r"expected the columns subject \(or patient\) and fold; found id, fold"):
        read(("a", "0"), columns=("id", "fold"))


def test_each_value_of_a_covariate_is_a_fold():
    assert folds_by({"a": "Rome", "b": "Oslo", "c": "Rome"}, "site") == {"a": "1", "b": "0", "c": "1"}
    with pytest.raises(ValueError, match="no subject with a mask has the covariate site"):
        folds_by({"a": ""}, "site")
    with pytest.raises(ValueError, match="1 subjects with a mask have no site, such as b; add the values, or name"):
        folds_by({"a": "Rome", "b": ""}, "site")
    with pytest.raises(ValueError, match="expected two or more values of site, found only Rome"):
        folds_by({"a": "Rome"}, "site")


def test_each_group_has_one_of_the_given_folds_and_each_fold_a_group():
    leader = {"a": "a", "a2": "a", "b": "b", "c": "c"}
    assert folds_of_groups({"a2": "0", "b": "1", "c": "test"}, leader, "abc") == {"a": "0", "b": "1", "c": "test"}
    with pytest.raises(ValueError, match="split: 1 usable subjects with a mask are in no fold: c; give each a fold"):
        folds_of_groups({"a": "0", "b": "1"}, leader, "abc")
    with pytest.raises(ValueError, match=r"no usable subject with a mask is in fold 2 \(x\); leave out this fold"):
        folds_of_groups({"a": "0", "b": "1", "c": "1", "x": "2"}, leader, "abc")
    with pytest.raises(ValueError, match="no usable subject with a mask is in fold train"):
        folds_of_groups({"a": "test", "b": "test", "c": "test"}, leader, "abc")
