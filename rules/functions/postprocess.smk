# Inputs and params of the rules in postprocess.smk.
from glioseg.split.models import tuning_fold, tuning_subjects


def get_tuning_predictions(wildcards):
    """Label maps as the networks predicted them, of the subjects on which the thresholds of a fold are chosen."""
    names = without_failed(tuning_subjects(cohort(), wildcards.fold), "predict")
    return [result(f"{NETWORK_MAPS}/{name}.nii.gz") for name in names]


def get_tuning_maps(wildcards):
    """Probability maps of the regions of these subjects, if thresholds of regions or a temperature are chosen."""
    wanted = SEARCHED or CALIBRATED
    names = without_failed(tuning_subjects(cohort(), wildcards.fold), "predict") if wanted else []
    return [path for name in names for path in maps_of(name, EVERYWHERE, NETWORK_FACTS)]


def get_tuned_volumes(wildcards):
    """The size thresholds for removing small tumor of a subject."""
    return result(f"tune_postprocess/{tuning_fold(cohort(), wildcards.subject)}.json")


def get_region_maps(wildcards):
    """Probability maps of the regions of a subject, if thresholds are chosen for regions."""
    return maps_of(wildcards.subject, EVERYWHERE if SEARCHED else [], NETWORK_FACTS)


def get_uncalibrated(wildcards):
    """The maps and the uncertainty of a subject as the networks predicted them, if a temperature is chosen."""
    if not CALIBRATED:
        return []
    maps = maps_of(wildcards.subject, config["predict"]["maps"], NETWORK_FACTS)
    return [*maps, result(f"{NETWORK_FACTS}/{wildcards.subject}.json")]


def get_calibration_options(wildcards):
    """What postprocess reads and writes to calibrate a subject, if a temperature is chosen."""
    if not CALIBRATED:
        return []
    subject = wildcards.subject
    before = [result(f"{NETWORK_FACTS}/maps/{subject}"), result(f"{NETWORK_FACTS}/{subject}.json")]
    after = {"map_folder": result(f"predict/maps/{subject}"), "uncertainty": result(f"predict/{subject}.json")}
    return ["--uncalibrated", *before, *options(after)]
