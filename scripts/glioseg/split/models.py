"""Names of the models of a study, and which model may predict which subject."""


def models(folds: int, seeds: int) -> list[str]:
    """Names of the models of a study: those of each fold, or those of "all" if there is one fold.

    The first model of a fold has the fold's name. Further models, with other seeds, are called 0_2, 0_3, …
    """
    names = ["all"] if folds == 1 else [str(fold) for fold in range(folds)]
    return [model for name in names for model in models_of_fold(name, seeds)]


def models_of_fold(fold: str, seeds: int) -> list[str]:
    """Names of the models of a fold, one for each seed."""
    return [fold if number == 1 else f"{fold}_{number}" for number in range(1, seeds + 1)]


def fold_of(model: str) -> str:
    """The fold in the name of a model."""
    return model.partition("_")[0]


def seed_of(model: str, seed: int) -> int:
    """The seed of a model: the study's seed for the first model of a fold, plus 1000 for each further model."""
    number = int(model.partition("_")[2] or 1)
    return seed + 1000 * (number - 1)


def training_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects that a model is trained on: included, with a mask, not in its own fold, not in the test set."""
    return [row["subject"] for row in _masked(rows) if row["fold"] not in ("", "new", "test", fold_of(model))]


def validation_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects for a model's validation curves, on which it is later scored. They do not influence its training."""
    fold = fold_of(model)
    return [row["subject"] for row in _masked(rows) if row["fold"] == ("test" if fold == "all" else fold)]


def planned_subjects(rows: list[dict]) -> list[str]:
    """Subjects by which all models of a study are planned alike: those that any of them is trained on."""
    return [row["subject"] for row in _masked(rows) if row["fold"] not in ("", "new", "test")]


def models_for(rows: list[dict], subject: str, folds: int, seeds: int) -> list[str]:
    """Names of the models not trained on a subject. Raises ValueError if there are none or the subject is excluded."""
    row = next((row for row in rows if row["subject"] == subject), None)
    if row is None:
        raise ValueError(
            f"{subject} is not in the cohort, which begins with {', '.join(row['subject'] for row in rows[:10])}, …"
        )
    if row["verdict"] == "excluded":
        raise ValueError(f"{subject} is excluded and cannot be predicted: {row['reason']}")
    if row["fold"] == "train" and "learned" in row["checks"].split(","):
        raise ValueError(f"{subject} cannot be predicted: {row['reason']}")
    if row["fold"] == "train":
        raise ValueError(
            f"{subject}, or another visit of its patient, was in the training set; its score would be biased; "
            "set split: folds to 2 or more to predict every subject by a model not trained on it"
        )
    return models(folds, seeds) if row["fold"] in ("test", "new") else models_of_fold(row["fold"], seeds)


def predicted_subjects(rows: list[dict]) -> list[str]:
    """Subjects that at least one model was not trained on."""
    return [row["subject"] for row in _predicted(rows)]


def held_out_subjects(rows: list[dict]) -> dict[str, list[str]]:
    """Fold, or "all" without folds -> the predicted subjects that its models were not trained on."""
    predicted = _predicted(rows)
    folds = sorted({row["fold"] for row in predicted} - {"test", "new"}, key=int) or ["all"]
    return {fold: [row["subject"] for row in predicted if row["fold"] in (fold, "test", "new")] for fold in folds}


def tuning_fold(rows: list[dict], subject: str) -> str:
    """The fold whose size thresholds, chosen without its subjects, apply to a subject; "all" if it is in no fold."""
    fold = next(row["fold"] for row in rows if row["subject"] == subject)
    return fold if fold.isdecimal() else "all"


def tuning_subjects(rows: list[dict], fold: str) -> list[str]:
    """Subjects with a mask that are in any fold but this one ("all" excludes none); never test subjects."""
    return [row["subject"] for row in _masked(rows) if row["fold"].isdecimal() and row["fold"] != fold]


def scored_subjects(rows: list[dict]) -> list[str]:
    """Predicted subjects that have a mask."""
    return [row["subject"] for row in _masked(rows) if row["fold"] not in ("", "train", "new")]


def _predicted(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["fold"] not in ("", "train")]


def _masked(rows: list[dict]) -> list[dict]:
    # A subject without a mask can have a fold: that of another visit of its patient, or of its duplicate.
    return [row for row in rows if row["has_mask"] == "yes"]
