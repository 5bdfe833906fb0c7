"""What a report is about, in its first lines: the data, the models, and how the subjects were held out."""

from collections.abc import Mapping, Sequence
from datetime import date

from glioseg.report.run import Rows, Run

# The title of a study that has none.
TITLE = "Brain tumor segmentation"
TIMES = "\N{MULTIPLICATION SIGN}"


def study_facts(run: Run, today: date) -> dict[str, str]:
    """The facts that the first lines of the report state, by name; what is not known has no entry.

    today: the date on which the report is made.
    """
    external = bool(run.config.get("models"))
    facts = {"Data": _data(run.config, run.cohort), "Models": _models(run.trainings)}
    facts["Held out"] = "" if external else _held_out({row["fold"] for row in run.cohort})
    facts["Report made"] = today.isoformat()
    return {name: words for name, words in facts.items() if words}


def data_words(config: Mapping) -> str:
    """Where the scans are from, and their modalities."""
    data = config["data"] if isinstance(config["data"], list) else [config["data"]]
    places = [str(source["folder"] if isinstance(source, dict) else source) for source in data]
    words = "synthetic patients (phantoms), and no real ones" if places == ["phantoms"] else ", ".join(places)
    return f"{words}; {', '.join(config['modalities'])}"


def _data(config: Mapping, cohort: Rows) -> str:
    """Where the scans are from, their modalities, and the label dialects of the masks."""
    if "data" not in config:
        return ""
    dialects = sorted({row["labels"] for row in cohort if row["has_mask"] == "yes"} - {""})
    return data_words(config) + (f"; labels of {', '.join(dialects)}" if dialects else "")


def _models(trainings: Sequence[Mapping]) -> str:
    """The networks in a line, each kind once."""
    found = dict.fromkeys(_network(training) for training in trainings)
    return f"{len(trainings)}: {'; '.join(found)}" if all(found) else ""


def _network(training: Mapping) -> str:
    settings = training["settings"]
    if not {"network", "filters", "patch", "batch", "epochs", "steps_per_epoch", "targets"} <= settings.keys():
        return ""
    channels = "-".join(map(str, settings["filters"]))
    size = TIMES.join(map(str, settings["patch"]))
    limit = f", at most {settings['max_minutes']:g} min" if settings.get("max_minutes") else ""
    steps = settings["epochs"] * settings["steps_per_epoch"]
    return (
        f"{settings['network']} with {channels} channels ({training['parameters'] / 1e6:.1f} million parameters), "
        f"which predicts {settings['targets']}; {steps:,} steps of {settings['batch']} patches of {size} voxels{limit}"
    )


def _held_out(folds: set[str]) -> str:
    """How subjects were held out from training."""
    numbered = sum(fold.isdecimal() for fold in folds)
    words = [f"{numbered}-fold cross-validation"] if numbered else []
    return ", and ".join([*words, *["a test set that no model was trained on"] * ("test" in folds)])
