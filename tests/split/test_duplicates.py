"""Subjects that share voxels form one group."""

from glioseg.split.duplicates import find_duplicates, group_duplicates


def test_duplicates_of_duplicates_are_in_one_group():
    scans = {
        "a": {"hashes": {"t1": "1", "t2": "2"}},
        "b": {"hashes": {"t1": "1", "t2": "3"}},
        "c": {"hashes": {"t1": "4", "t2": "3"}},
        "d": {"hashes": {"t1": "5", "t2": "6"}},
    }
    duplicates = find_duplicates(scans)
    assert duplicates == {"a": {"b": ["t1"]}, "b": {"a": ["t1"], "c": ["t2"]}, "c": {"b": ["t2"]}}
    assert group_duplicates(["a", "b", "c", "d"], duplicates) == {"a": "a", "b": "a", "c": "a", "d": "d"}
