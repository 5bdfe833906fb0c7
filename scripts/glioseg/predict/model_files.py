"""Find the models of a place: a results folder, a bundle that `export` wrote, or a single model.keras.

A bundle is a zip archive with the folders of a results folder. Models are read in it where they are: `zipfile.Path`
offers what `pathlib.Path` does. Only the standard library is loaded, because the rules import this module.
"""

import zipfile
from pathlib import Path

ModelFile = Path | zipfile.Path

MODEL = "model.keras"
ENDING = ".zip"


def models_of(place: Path) -> list[ModelFile]:
    """The files model.keras of a place, in the order in which a study averages them; each lies next to a settings.json.

    Raises ValueError if the place has no model, is not what it seems, or has the models of two studies.
    """
    if place.is_file() and place.suffix != ENDING:
        return [place]
    root: ModelFile = _opened(place) if place.is_file() else place
    train = root / "train"
    folders = [folder for folder in train.iterdir() if (folder / MODEL).exists()] if train.is_dir() else []
    if not folders:
        raise ValueError(
            f"{place}: expected a model.keras, a bundle ({ENDING}) written by export, or a results folder with "
            f"train/MODEL/{MODEL}; found none of them"
        )
    folders.sort(key=lambda folder: _order(folder.name))
    names = [folder.name for folder in folders]
    if any(name.startswith("all") for name in names) and not all(name.startswith("all") for name in names):
        raise ValueError(
            f"{place} has models with and without folds ({', '.join(names)}), so they are of two studies; give the "
            f"files model.keras instead of the folder"
        )
    return [folder / MODEL for folder in folders]


def _opened(bundle: Path) -> zipfile.Path:
    try:
        return zipfile.Path(bundle)
    except (zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"{bundle}: expected a bundle written by export ({error}); copy it again") from error


def _order(name: str) -> tuple[int, int]:
    """The place of a model among those of its study (`split.models`): by fold, then by the number of its seed."""
    fold, _, number = name.partition("_")
    return int(fold) if fold.isdecimal() else -1, int(number) if number.isdecimal() else 1
