"""What data sets call a modality, and what it is called here."""

MODALITIES = ("flair", "t1", "t1ce", "t2")


# What data sets call a modality, in lower case and without - _ and blanks -> what it is called here.
ALIASES = {
    **dict.fromkeys(("flair", "t2f", "t2flair"), "flair"),
    **dict.fromkeys(("t1", "t1n", "t1w"), "t1"),
    **dict.fromkeys(("t1ce", "t1c", "t1gd", "t1wce", "t1post"), "t1ce"),
    **dict.fromkeys(("t2", "t2w"), "t2"),
}


def names_of(modalities: list[str]) -> dict[str, str]:
    """`ALIASES` and the modalities beyond them that a study asks for, each meaning itself.

    Raises ValueError where a study asks for a modality by a name that it has elsewhere.
    """
    names = dict(ALIASES)
    for modality in modalities:
        meant = names.setdefault(plain(modality), modality)
        if meant != modality:
            raise ValueError(f"modalities: {modality} is called {meant} here, in whatever data set; write {meant}")
    return names


def plain(name: str) -> str:
    """A modality's name as `ALIASES` lists it: "T1-Gd" is "t1gd"."""
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
