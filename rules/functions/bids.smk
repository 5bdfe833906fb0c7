# Inputs and params of the rules in bids.smk.
from glioseg.export.derivatives import bids_names, endings_of, place_of

# With predict: layout: bids, the name of each subject in BIDS; how its files end; and the files that describe them all.
BIDS_NAMES = (
    sentence(bids_names, {name: one.patient for name, one in SUBJECTS.items() if name not in config["exclude"]})
    if config["predict"]["layout"] == "bids"
    else {}
)
OF_BIDS = {name: subject for subject, name in BIDS_NAMES.items()}
BIDS_ENDINGS = endings_of(PROBABILITIES, len(DIALECTS) > 1)
BIDS_FILES = ["dataset_description.json", "README.md", "participants.tsv", "participants.json"]
BIDS_FILES += ["dseg.tsv", "dseg.json"] if len(DIALECTS) == 1 else []


def insist_on_bids():
    """Stop the run if something needs the names of subjects in BIDS, and the study does not make them."""
    if not BIDS_NAMES:
        raise WorkflowError(f"{result('bids')} requires predict: layout: bids")


def bids_subjects():
    """The subjects in the data set of BIDS derivatives."""
    insist_on_bids()
    names = without_failed(predicted_subjects(cohort()), *PREDICTING)
    kept = set(without_failed(map(BIDS_NAMES.get, names), "bids_subject"))
    return [name for name in names if BIDS_NAMES[name] in kept]


def get_bids(wildcards):
    """With predict: layout: bids, the segmentations of all predicted subjects as a data set of BIDS derivatives."""
    names = [BIDS_NAMES[name] for name in bids_subjects()] if BIDS_NAMES else []
    files = [f"{place_of(name)}/anat/{name}_{BIDS_ENDINGS[0]}" for name in names]
    return [result(f"bids/{path}") for path in (*BIDS_FILES * bool(BIDS_NAMES), *files)]


def get_cohort_table(wildcards):
    """cohort.tsv, once split has written it."""
    cohort()
    return result("split/cohort.tsv")


def get_bids_subject(wildcards):
    """The subject with a name in BIDS."""
    insist_on_bids()
    if wildcards.name not in OF_BIDS or wildcards.place != place_of(wildcards.name):
        raise WorkflowError(f"{wildcards.place}/anat/{wildcards.name} is none of the {len(OF_BIDS)} subjects in BIDS")
    return OF_BIDS[wildcards.name]


def get_bids_images(wildcards):
    """The segmentation of a subject, and the probability maps of its regions."""
    subject = get_bids_subject(wildcards)
    prediction = result(f"predict/{subject}.nii.gz")
    return {"prediction": prediction, "probabilities": maps_of(subject, PROBABILITIES)}


def get_own_labels(wildcards, input):
    """`--own-labels DIALECT` if the data sets have several label dialects."""
    return options({"own_labels": SUBJECTS[get_bids_subject(wildcards)].labels}) if len(DIALECTS) > 1 else []
