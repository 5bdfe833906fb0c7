# Inputs and params of the rules in data.smk, and what later rules ask of a subject's files.
from glioseg.layouts.folders import state_of
from glioseg.preprocess.memory import TUNABLES


def subject_of(wildcards):
    if wildcards.subject not in SUBJECTS:
        raise WorkflowError(f"{wildcards.subject} is not among the {len(SUBJECTS)} subjects of {config['data']}")
    return SUBJECTS[wildcards.subject]


def series_of(wildcards):
    """The files of the wildcard's subject as they were found, by name; the errors are those of `subject_of`."""
    subject_of(wildcards)
    return SERIES[wildcards.subject].files


def get_series(wildcards):
    """Files of a phantom by name. Those of a data set are no inputs, so that their place is no reason to run again."""
    return {name: file.path for name, file in series_of(wildcards).items()} if PHANTOMS else {}


def get_scan(wildcards):
    """Files of a subject as `get_series` finds them, or the folder of its registered series; and its tissue maps."""
    files = {"registered": result("register/{subject}")} if REGISTERED else get_series(wildcards)
    maps = {"tissues": result(f"synthesize/{wildcards.subject}/{wildcards.subject}_tissues.npy")}
    return files | (maps if RANDOM_CONTRAST else {})


def get_state(wildcards, *names):
    """The size, time and volume of a subject's files of a data set: what reruns the jobs that read them.

    names: modalities, and MASK; without them, all files.
    """
    files = {name: file for name, file in series_of(wildcards).items() if not names or name in names}
    return "" if PHANTOMS else json.dumps([[name, file.volume, state_of(file.path)] for name, file in files.items()])


def options_of(files):
    """`--image MODALITY FILE VOLUME` for each modality that a subject has, and `--mask FILE VOLUME` for its mask."""
    words = []
    for name, file in files.items():
        words += ["--mask"] if name == MASK else ["--image", name]
        words += [file.path, str(file.volume)]
    return words


def get_scan_options(wildcards, input):
    """The files of a subject that preprocess reads. Since it has `input`, this is no reason to run a job again."""
    words = options_of(subject_of(wildcards).files) + (["--tissues", input.tissues] if RANDOM_CONTRAST else [])
    return words + (["--registered", f"{input.registered}/register.json"] if REGISTERED else [])


def get_labels(wildcards):
    """Label dialect of a subject's mask."""
    return subject_of(wildcards).labels


def get_forced(wildcards):
    """Whether a subject is included even if a check fails: if it is named, or a phantom that may be a healthy brain."""
    healthy = PHANTOMS and config["synthesize"]["kinds"] != "usual"
    return str(bool(healthy) or wildcards.subject in config["include"])


def get_preprocessed(wildcards):
    """Preprocessed folders of all subjects that are neither left out by name nor skipped as failed."""
    left_out = {*config["exclude"], *failed_subjects(FAILURES, *PREPARING)}
    return [result(f"preprocess/{subject}") for subject in SUBJECTS if subject not in left_out]


def found_subjects():
    """A hash of the subjects and their files. As a param, it reruns `layouts` when subjects are added or removed."""
    return hashlib.sha256(json.dumps(SUBJECTS).encode()).hexdigest()[:16]
