# Inputs and params of the rules in register.smk.
from glioseg.workflow.home import brain_model

# Whether a network finds the brain, and otherwise the folder with the user's masks of the brain.
STRIPPED = REGISTERED and config["register"]["strip"] == "network"
STRIPPER = content_of(sentence(brain_model)) if STRIPPED else ""
BRAINS = "" if config["register"]["strip"] in ("none", "network") else config["register"]["strip"]
if BRAINS and not os.path.isdir(BRAINS):
    raise WorkflowError(
        f"register: strip: {BRAINS} is no folder; expected none, network, or the folder with a mask of the brain "
        "SUBJECT.nii.gz for each subject"
    )


def get_series_options(wildcards, input):
    """The files of a subject as they were found. Since it has `input`, this is no reason to run a job again."""
    return options_of(series_of(wildcards))


def get_brain_state(wildcards):
    """The size and time of the user's mask of a subject's brain, or the content of the network that finds it."""
    if STRIPPED:
        return STRIPPER
    return json.dumps(
        [state_of(f"{BRAINS}/{wildcards.subject}.nii{ending}") for ending in ("", ".gz")] if BRAINS else []
    )


def get_dicom_options(wildcards, input):
    """The series of a subject that are folders of DICOM slices. Since it has `input`, it is no reason to run again."""
    files = series_of(wildcards).items()
    folders = {name: file.path for name, file in files if name != MASK and os.path.isdir(file.path)}
    return paired("dicom", folders, folders.values())


def get_own_grids(wildcards):
    """With registered series, the segmentations of all predicted subjects on the grid of each of their series."""
    names = without_failed(predicted_subjects(cohort()), *PREDICTING, "own_grids") if REGISTERED else []
    return [result(f"own_grids/{name}") for name in names]
