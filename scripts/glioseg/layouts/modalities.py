"""The names of modalities in data sets, and the names used here."""

MODALITIES = ("flair", "t1", "t1ce", "t2")


# Name in a data set, in lower case and without hyphens, underscores and spaces -> name used here.
ALIASES = {
    **dict.fromkeys(("flair", "t2f", "t2flair"), "flair"),
    **dict.fromkeys(("t1", "t1n", "t1w"), "t1"),
    **dict.fromkeys(("t1ce", "t1c", "t1gd", "t1wce", "t1post"), "t1ce"),
    **dict.fromkeys(("t2", "t2w"), "t2"),
}


def names_of(modalities: list[str]) -> dict[str, str]:
    """`ALIASES`, and the further modalities that a study asks for, each under its own name.

    Raises ValueError if a study asks for a modality by an alias.
    """
    names = dict(ALIASES)
    for modality in modalities:
        meant = names.setdefault(plain(modality), modality)
        if meant != modality:
            raise ValueError(f"modalities: {modality} is called {meant} in glioseg; write {meant}")
    return names


def plain(name: str) -> str:
    """A modality's name as in the keys of `ALIASES`: "T1-Gd" becomes "t1gd"."""
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
