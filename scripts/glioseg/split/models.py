"""The models of a study by name, and which of them may predict whom."""


def models(folds: int, seeds: int) -> list[str]:
    """Names of the models of a study: those of each fold, or of "all" where there is one fold.

    A fold's first model is called like it, further ones, which differ in their seed, as in 0_2, 0_3, …
    """
    names = ["all"] if folds == 1 else [str(fold) for fold in range(folds)]
    return [model for name in names for model in models_of_fold(name, seeds)]


def models_of_fold(fold: str, seeds: int) -> list[str]:
    """Names of a fold's models, one for each seed."""
    return [fold if number == 1 else f"{fold}_{number}" for number in range(1, seeds + 1)]


def fold_of(model: str) -> str:
    """The fold that a model is named after."""
    return model.partition("_")[0]


def seed_of(model: str, seed: int) -> int:
    """The seed of a model: the study's own for the first of each fold, others far from it for the rest."""
    number = int(model.partition("_")[2] or 1)
    return seed + 1000 * (number - 1)


def training_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects that a model learns from: taken, with a mask, and held out neither from it nor from every model."""
    return [row["subject"] for row in _masked(rows) if row["fold"] not in ("", "new", "test", fold_of(model))]


def validation_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects whose learning curves accompany a model's training, with no say in it: those it is later scored on."""
    fold = fold_of(model)
    return [row["subject"] for row in _masked(rows) if row["fold"] == ("test" if fold == "all" else fold)]


def models_for(rows: list[dict], subject: str, folds: int, seeds: int) -> list[str]:
    """The models that never saw a subject. Raises ValueError with a sentence where there is none, or it is excluded."""
    row = next((row for row in rows if row["subject"] == subject), None)
    if row is None:
        raise ValueError(
            f"{subject} is not in the cohort; known are {', '.join(row['subject'] for row in rows[:10])}, …"
        )
    if row["verdict"] == "excluded":
        raise ValueError(f"{subject} is excluded and can't be predicted: {row['reason']}")
    if row["fold"] == "train":
        raise ValueError(
            f"{subject} was learned from by the only model, so its prediction would flatter; "
            "set split: folds to 2 or more to predict every subject by a model that never saw it"
        )
    return models(folds, seeds) if row["fold"] in ("test", "new") else models_of_fold(row["fold"], seeds)


def predicted_subjects(rows: list[dict]) -> list[str]:
    """Subjects that some model never saw."""
    return [row["subject"] for row in rows if row["fold"] not in ("", "train")]


def tuning_fold(rows: list[dict], subject: str) -> str:
    """Whose volumes a subject's segmentation is finished with: those searched without its fold, or on "all" folds."""
    fold = next(row["fold"] for row in rows if row["subject"] == subject)
    return fold if fold.isdecimal() else "all"


def tuning_subjects(rows: list[dict], fold: str) -> list[str]:
    """Subjects with a mask that are in a fold, but not in this one ("all": in any); never test subjects."""
    return [row["subject"] for row in _masked(rows) if row["fold"].isdecimal() and row["fold"] != fold]


def scored_subjects(rows: list[dict]) -> list[str]:
    """Predicted subjects that have a mask."""
    return [row["subject"] for row in _masked(rows) if row["fold"] not in ("", "train", "new")]


def _masked(rows: list[dict]) -> list[dict]:
    # A subject without a mask has the fold of its duplicate, where it has one.
    return [row for row in rows if row["has_mask"] == "yes"]
