# What a study has, as its settings and the files of its data say: models, subjects, folds, and what is chosen.
from glioseg.labels import EVERYWHERE, MASK, REGIONS, classes_of
from glioseg.layouts.covariates import rows_of
from glioseg.layouts.find_subjects import find_subjects, insist_on_modalities, phantom_subjects, registered_subjects
from glioseg.model_files import CUTS, SMALLEST, TEMPERATURE, content_of, files_of, lies_in
from glioseg.predict.given_models import follow, given_models
from glioseg.split.own_folds import fold_count, folds_by, folds_of
from glioseg.workflow.config import calibrates, read_yaml, searches_regions, sources


def check_names():
    """Stop the run if `include` or `exclude` names an unknown subject."""
    for setting in ("include", "exclude"):
        for name in config[setting]:
            if name not in SUBJECTS:
                raise WorkflowError(f"{setting}: {name} is not among the {len(SUBJECTS)} subjects of {config['data']}")


def count_folds():
    """Number of folds: the configured one, or that of the user's own folds (split: file, split: by)."""
    file, by = config["split"]["file"], config["split"]["by"]
    if file and by:
        raise ValueError('split: file and split: by exclude each other; set one of them to ""')
    if file:
        return fold_count(folds_of(rows_of(file), file)[1])
    if not by:
        return config["split"]["folds"]
    masked = {name: subject for name, subject in SUBJECTS.items() if MASK in subject.files}
    values = {name: subject.covariates.get(by, "") for name, subject in masked.items() if name not in config["exclude"]}
    return fold_count(folds_by(values, by))


# Finished models that segment the subjects (the setting models); none if the study trains its own. A bundle is a file
# with several models.
FINISHED = sentence(given_models, config)
GIVEN = list(map(str, files_of(FINISHED)))
if FINISHED:
    sentence(follow, config, FINISHED, workflow.config_settings.overwrite_config, read_yaml(Path(HOME, "config.yaml")))
# Settings that a prediction depends on, some of which are those of the finished models.
PREDICT = {name: value for name, value in config["predict"].items() if name != "layout"}

# Whether patches are drawn from the tissue maps of phantoms.
RANDOM_CONTRAST = config["train"]["contrast"] == "random" and not GIVEN
if RANDOM_CONTRAST and config["data"] != "phantoms":
    raise WorkflowError(
        f"train: contrast: random needs the tissue maps of phantoms, found data: {config['data']}; set train: contrast "
        "to scan, or data to phantoms"
    )
# Subjects are found before the graph is built, so that a missing file is not the input of any job.
PHANTOMS = (
    (result("synthesize"), config["synthesize"]["subjects"], config["synthesize"]["kinds"])
    if config["data"] == "phantoms"
    else ()
)
SUBJECTS = (
    sentence(phantom_subjects, *PHANTOMS, config["modalities"])
    if PHANTOMS
    else sentence(find_subjects, sources(config), config["modalities"])
)
# Models that learned from zeros in the place of a modality segment a data set without it.
if not (GIVEN and config["preprocess"]["missing"] == "zeros"):
    sentence(
        insist_on_modalities,
        config["modalities"],
        dict.fromkeys(name for subject in SUBJECTS.values() for name in subject.files),
        str(config["data"]),
    )
check_names()
# The files as they were found. If series are brought to a common space, all further jobs read the files that register
# writes.
SERIES = SUBJECTS
REGISTERED = config["register"]["mode"] != "never"
if REGISTERED:
    SUBJECTS = registered_subjects(SERIES, result("register"))
# Number of folds, and of models (seeds) per fold, that the study trains.
MODELS = (1, 1) if GIVEN else (sentence(count_folds), config["seeds"])
# With cross-validation, the size thresholds for removing small tumor are chosen on held-out subjects, and those of the
# regions' probabilities if the networks predict regions. A separate job then postprocesses each segmentation.
SEARCHED = MODELS[0] > 1 and searches_regions(config)
# A temperature of the probabilities is chosen there, too.
CALIBRATED = MODELS[0] > 1 and calibrates(config)
TUNED = SEARCHED or CALIBRATED or (MODELS[0] > 1 and any(config["tune_postprocess"][name] for name in SMALLEST))
# Folder of the label maps as the networks predict them.
NETWORK_MAPS = "predict/raw" if TUNED else "predict"
# Folder of the uncertainties and, in maps/, of the maps as the networks predict them.
NETWORK_FACTS = "predict/raw" if CALIBRATED else "predict"
# Folder of the volumes of the final label maps, a JSON file per subject.
MEASURED = "postprocess" if TUNED else "predict"
# Regions whose probability maps are written.
PROBABILITIES = [name for name in config["predict"]["maps"] if name in REGIONS]
# Label dialects of the segmentations.
DIALECTS = sorted({subject.labels for subject in SUBJECTS.values()})
# Label dialects of the masks.
MASKED = {subject.labels for subject in SUBJECTS.values() if MASK in subject.files}
