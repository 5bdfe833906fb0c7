"""The files of finished models in a results folder, in a bundle that `export` wrote, or a single model.keras.

A bundle is a zip archive with the folders of a results folder. Models are read in it where they are: `zipfile.Path`
offers what `pathlib.Path` does. NumPy is not loaded, because the rules import this module.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from glioseg.labels import targets_of

ModelFile = Path | zipfile.Path

MODEL, SETTINGS = "model.keras", "settings.json"
ENDING = ".zip"
# Of a bundle, as its glioseg.json says.
FORMAT = 1
# The thresholds that tune_postprocess chose for scans of no fold.
TUNED = ("tune_postprocess", "all.json")
SMALLEST = ("smallest_enhancing_ml", "smallest_component_ml")
# The thresholds of the regions' probabilities, in networks that predict regions.
CUTS = ("threshold_wt", "threshold_tc", "threshold_et")
# The temperature of the regions' probabilities (`predict.calibrate.temperature`).
TEMPERATURE = "temperature"
CHOSEN = (*SMALLEST, *CUTS, TEMPERATURE)


def models_of(place: Path) -> list[ModelFile]:
    """The files model.keras of a place, in the order in which a study averages them; each lies next to a settings.json.

    A place may also be a path inside of a bundle, such as a.glioseg.zip/train/0, or the folder of one model. Raises
    ValueError if the place has no model, is not what it seems, or has the models of two studies.
    """
    bundle = next((path for path in (place, *place.parents) if path.suffix == ENDING and path.is_file()), None)
    root: ModelFile = _opened(bundle) if bundle else place
    if bundle and bundle != place:
        root = root / place.relative_to(bundle).as_posix()
    if not (root.exists() or bundle == place):
        raise ValueError(f"{place} does not exist; expected a model.keras, a bundle or a results folder")
    if root.is_file():
        return [root]
    if (root / MODEL).exists():
        return [root / MODEL]
    train = root / "train"
    folders = [folder for folder in train.iterdir() if (folder / MODEL).exists()] if train.is_dir() else []
    if not folders:
        raise ValueError(
            f"{place}: expected a model.keras, a bundle ({ENDING}) written by export, or a results folder with "
            f"train/MODEL/{MODEL}; found none of them"
        )
    folders.sort(key=lambda folder: _order(folder.name))
    names = [folder.name for folder in folders]
    if len({name.startswith("all") for name in names}) > 1:
        raise ValueError(
            f"{place} has models with and without folds ({', '.join(names)}), so they are of two studies; give the "
            f"files model.keras instead of the folder"
        )
    return [folder / MODEL for folder in folders]


def read_settings(model: ModelFile) -> dict:
    """Return the settings.json next to a model. Raises ValueError naming it if it cannot be read."""
    path = model.parent / SETTINGS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(facts.get("settings"), dict):
            return facts
        raise ValueError("no settings")
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise ValueError(
            f"{path}: expected the settings that train writes next to a model ({error!r}); "
            "keep both files together, or train the model again"
        ) from error


def outputs_of(settings: Mapping) -> tuple[str, tuple[str, ...]]:
    """What a network predicts, "classes" or "regions", and the names of its outputs, from the settings of its training.

    Raises ValueError or KeyError if the settings do not say it.
    """
    # Models trained before `targets` existed predict classes.
    targets = settings.get("targets", "classes")
    return targets, targets_of(targets, settings["classes"])


def models_in(places: Iterable[Path]) -> list[ModelFile]:
    """The files model.keras of several places, in their order."""
    return [model for place in places for model in models_of(place)]


def files_of(models: Iterable[ModelFile]) -> list[Path]:
    """The files that hold models: each model.keras, or the bundle that it lies in, once."""
    return list(dict.fromkeys(one if isinstance(one, Path) else Path(one.root.filename) for one in models))


def lies_in(model: ModelFile, folder: Path) -> bool:
    """Whether a model, or the bundle that holds it, is in a folder or below it."""
    (file,) = files_of([model])
    return folder.resolve() in file.resolve().parents


def content_of(model: ModelFile) -> str:
    """SHA-256 of a file, such as that of a model, in hexadecimal digits."""
    with model.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def on_disk(model: ModelFile) -> Iterator[Path]:
    """Yield the path of a model as a file of its own, which is temporary if the model lies in a bundle."""
    if isinstance(model, Path):
        yield model
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, MODEL)
            copy.write_bytes(model.read_bytes())
            yield copy


def size_thresholds(models: Sequence[ModelFile]) -> dict[str, float]:
    """The thresholds (`CHOSEN`) that the models' study chose on held-out subjects; {} if it chose none.

    Raises ValueError if the models are of studies that chose different ones.
    """
    found = [_chosen(model) for model in models]
    for model, chosen in zip(models, found, strict=True):
        if chosen != found[0]:
            raise ValueError(
                f"{models[0]} and {model} are of studies with different thresholds ({found[0] or 'none'}; "
                f"{chosen or 'none'}); give {', '.join(CHOSEN)}"
            )
    return found[0] if found else {}


def by_region(thresholds: Mapping[str, object]) -> dict[str, float]:
    """Region -> the threshold of its probability, of settings that have `CUTS`."""
    return {name.removeprefix("threshold_").upper(): float(thresholds[name]) for name in CUTS}


def _chosen(model: ModelFile) -> dict[str, float]:
    """The thresholds beside the folder `train` of a model; older studies chose none for regions, and no temperature."""
    train = model.parent.parent
    path = train.parent / TUNED[0] / TUNED[1]
    if train.name != "train" or not path.exists():
        return {}
    try:
        chosen = json.loads(path.read_text(encoding="utf-8"))
        return {name: float(chosen[name]) for name in CHOSEN if name in SMALLEST or name in chosen}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected the thresholds of a study ({error!r}); copy the study again") from error


def _opened(bundle: Path) -> zipfile.Path:
    """The root of a bundle, all of whose files were read once. Raises ValueError if it is none, damaged, or too new."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            damaged = archive.testzip()
            found = json.loads(archive.read("glioseg.json"))["format"] if not damaged else FORMAT
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"{bundle}: expected a bundle that export wrote ({error!r}); copy it again") from error
    if damaged:
        raise ValueError(f"{bundle}: {damaged} in it is damaged; copy the bundle again")
    if found != FORMAT:
        raise ValueError(f"{bundle}: expected a bundle of format {FORMAT}, found {found}; install a newer version")
    return zipfile.Path(bundle)


def _order(name: str) -> tuple[int, int]:
    """The place of a model among those of its study (`split.models`): by fold, then by the number of its seed."""
    fold, _, number = name.partition("_")
    return int(fold) if fold.isdecimal() else -1, int(number) if number.isdecimal() else 1
