"""Folds that the user gives: in a table of subjects or patients, or one fold for each value of a covariate."""

from collections.abc import Iterable, Mapping

FIXED = ("test", "train")


def folds_of(rows: Iterable[tuple[int, dict[str, str]]], path: str) -> tuple[str, dict[str, str]]:
    """What a table of folds names ("subject" or "patient"), and its folds by these names.

    rows: line numbers and cells, with the columns subject or patient, and fold. A fold is "test", "train", or a number
    from 0 on. If there are fewer than two numbers, the subjects of fold 0 are "train", because there is only one model.
    Raises ValueError, which names the table and the line, if the table cannot be used.
    """
    folds, key = {}, ""
    for line, row in rows:
        key = next((column for column in ("subject", "patient") if column in row), "")
        if not key or "fold" not in row:
            raise ValueError(f"{path}: expected the columns subject (or patient) and fold; found {', '.join(row)}")
        name, fold = row[key], row["fold"]
        if not name or not (fold in FIXED or (fold.isascii() and fold.isdecimal())):
            raise ValueError(
                f"{path}: line {line} gives {name!r} the fold {fold!r}; expected test, train, or a number from 0 on"
            )
        if folds.setdefault(name, fold) != fold:
            raise ValueError(
                f"{path}: line {line} gives {name} the fold {fold}, an earlier line the fold {folds[name]}"
            )
    numbers = {fold for fold in folds.values() if fold not in FIXED}
    if numbers != {str(number) for number in range(len(numbers))}:
        found = ", ".join(sorted(numbers, key=lambda fold: (len(fold), fold)))
        raise ValueError(f"{path}: expected the folds 0 to {len(numbers) - 1}, found {found}; number them from 0 on")
    if len(numbers) == 1:
        folds = {name: "train" if fold == "0" else fold for name, fold in folds.items()}
    if len(numbers) > 1 and "train" in folds.values():
        raise ValueError(f"{path}: expected either train or numbered folds, found both; give each subject a number")
    if not folds:
        raise ValueError(f"{path}: expected a row for each subject or patient, found none")
    return key, folds


def folds_by(values: Mapping[str, str], covariate: str) -> dict[str, str]:
    """Subject -> fold "0", "1", …, one for each value of a covariate, in the order of the sorted values.

    values: subject -> value, of the subjects with a mask. Raises ValueError, which names the subject, if one has no
    value, or if there are fewer than two values.
    """
    without = [name for name, value in values.items() if not value]
    if len(without) == len(values):
        raise ValueError(f"split: by: no subject with a mask has the covariate {covariate}; see `layouts.py`")
    if without:
        raise ValueError(
            f"split: by: {len(without)} subjects with a mask have no {covariate}, such as {without[0]}; "
            "add the values, or name these subjects in exclude"
        )
    known = sorted(set(values.values()))
    if len(known) < 2:
        raise ValueError(f"split: by: expected two or more values of {covariate}, found only {known[0]}")
    number = {value: str(index) for index, value in enumerate(known)}
    return {name: number[value] for name, value in values.items()}


def fold_count(folds: Mapping[str, str]) -> int:
    """Number of cross-validation folds; 1 if there is a single model."""
    return max(1, len({fold for fold in folds.values() if fold not in FIXED}))


def folds_of_groups(given: Mapping[str, str], leader: Mapping[str, str], masked: Iterable[str]) -> dict[str, str]:
    """The folds of groups, by the first subject of each, from the given folds of subjects.

    leader: usable subject -> the first subject of its group, which holds the visits of a patient and their duplicates;
    masked: the usable subjects with a mask. Raises ValueError if a group is in two folds, if a subject with a mask has
    no fold, or if a fold, or the training set, has no subject with a mask.
    """
    members: dict[str, tuple[str, str]] = {}
    for name, first in leader.items():
        fold = given.get(name)
        if fold is not None and members.setdefault(first, (name, fold))[1] != fold:
            other, another = members[first]
            raise ValueError(
                f"split: {other} is in fold {another} and {name} in fold {fold}, but they are of one patient or share "
                "voxels; put both into the same fold, or name one of them in exclude"
            )
    masked = list(masked)
    without = [name for name in masked if leader[name] not in members]
    if without:
        raise ValueError(
            f"split: {len(without)} usable subjects with a mask are in no fold: {', '.join(without[:10])}; "
            "give each a fold, or name it in exclude"
        )
    used = {members[leader[name]][1] for name in masked}
    learned = {str(number) for number in range(fold_count(given))} if fold_count(given) > 1 else {"train"}
    empty = sorted(learned - used)
    if empty:
        whose = ", ".join([name for name in given if given[name] == empty[0]][:3])
        raise ValueError(
            f"split: no usable subject with a mask is in fold {empty[0]} ({whose}); leave out this fold (exclude)"
        )
    return {first: fold for first, (_, fold) in members.items()}
