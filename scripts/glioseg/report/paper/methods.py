"""A methods section written from the settings of a run, with citations as Pandoc reads them: [@key]."""

from collections.abc import Mapping, Sequence

from glioseg.evaluate.region_pair import ABSENT_HD95_MM
from glioseg.predict.postprocess import LEAST_SHARE
from glioseg.report.registration import registration_words
from glioseg.report.run import Run
from glioseg.split.cohort import counted

TIMES = "\N{MULTIPLICATION SIGN}"
NORMALIZATIONS = {
    "zscore": "normalized to zero mean and unit standard deviation inside the brain",
    "zscore_robust": "normalized to zero mean and unit standard deviation inside the brain, computed between its 0.5th "
    "and 99.5th percentile, to which all other voxels were clipped",
    "percentile": "mapped linearly from the 0.5th and 99.5th percentile of the brain to 0 and 1, and clipped",
    "minmax": "mapped linearly from their minimum and maximum to 0 and 1",
    "minmax_slice": "mapped linearly from their minimum and maximum to 0 and 1, in each axial slice by itself",
    "none": "not normalized",
}
NETWORKS = {
    "unet": "a 3D U-Net [@cicek2016] whose levels start at half resolution, between a convolution of stride 2 and a "
    "transposed convolution",
    "unet_full": "a 3D U-Net at full resolution [@cicek2016; @isensee2021]",
    "unet_residual": "a 3D U-Net with a residual encoder [@cicek2016; @isensee2021]",
    "original": "a 3D U-Net with dropout and max pooling [@cicek2016]",
    "sm_unet": "a 3D U-Net of the package segmentation-models-3D [@cicek2016]",
}
LAYERS = {
    "instance": ", with instance normalization [@ulyanov2016]",
    "batch": ", with batch normalization [@ioffe2015]",
    "none": ", without normalization layers",
}
LOSSES = {
    "dice_cross_entropy": "the sum of a soft Dice loss and the cross-entropy [@isensee2021]",
    "sm_dice": "a soft Dice loss",
    "sm_focal": "a focal loss",
}
OPTIMIZERS = {"adam": "Adam [@kingma2014]", "adamw": "AdamW [@loshchilov2017]"}


def methods(run: Run) -> list[str]:
    """The paragraphs of a methods section; what a run does not know has no sentence."""
    paragraphs = [_data(run), _training(run.trainings, bool(run.config.get("models"))), _prediction(run), _scores(run)]
    return [" ".join(filter(None, sentences)) for sentences in paragraphs if any(sentences)]


def _data(run: Run) -> list[str]:
    included = [row for row in run.cohort if row["verdict"] != "excluded"]
    excluded = len(run.cohort) - len(included)
    phantoms = run.config.get("data") == "phantoms"
    kind = " These are synthetic patients (phantoms), not real ones." if phantoms else ""
    words = [f"Of {counted(run.cohort)}, {len(included)} were included and {excluded} excluded.{kind}"]
    words += filter(None, [registration_words(run.config.get("register"))])
    study = next((training["study"] for training in run.trainings if training.get("study")), None)
    if not study:
        return words
    settings = study["preprocess"]
    words.append(f"The network read {', '.join(study['modalities'])}.")
    crop = "cropped to the brain" if settings["crop"] == "brain" else "cropped to a fixed box"
    normalized = NORMALIZATIONS.get(settings["normalization"], f"normalized ({settings['normalization']})")
    words.append(f"Scans were resampled to {settings['spacing_mm']:g} mm, {crop}, and {normalized}.")
    if settings["missing"] == "zeros":
        words.append("A missing modality was replaced by zeros.")
    return words


def _training(trainings: Sequence[Mapping], external: bool) -> list[str]:
    settings = trainings[0]["settings"] if trainings else {}
    needed = {"network", "filters", "patch", "batch", "epochs", "steps_per_epoch", "targets", "losses", "optimizer"}
    if not needed <= settings.keys():
        return []
    channels, patch = "-".join(map(str, settings["filters"])), TIMES.join(map(str, settings["patch"]))
    layers = LAYERS.get(settings.get("normalization"), "") if settings["network"].startswith("unet") else ""
    network = NETWORKS.get(settings["network"], f"the network {settings['network']}")
    targets = "tissue classes by a softmax" if settings["targets"] == "classes" else "the nested regions by sigmoids"
    losses = " and ".join(LOSSES.get(name, name) for name in settings["losses"])
    schedule = {
        "cosine": f", which rose over {settings.get('warmup_steps', 0)} steps and then fell to zero as a cosine",
        "constant": ", which was constant",
    }
    rate = f"a highest learning rate of {settings['learning_rate']:g}{schedule.get(settings.get('schedule'), '')}"
    steps = settings["epochs"] * settings["steps_per_epoch"]
    models = f"{len(trainings)} models" if len(trainings) > 1 else "One model"
    limit = f", or for {settings['max_minutes']:g} minutes if they ended sooner" if settings.get("max_minutes") else ""
    share = settings.get("small_patches")
    small = (
        f"; in the first {100 * share:g} %, patches had half of this length, and a step eight times as many"
        if share
        else ""
    )
    verb = (
        "had been trained before, on other subjects"
        if external
        else "was trained"
        if models == "One model"
        else "were trained"
    )
    start = "Training went on from another model." if settings.get("start") else ""
    kept = "Moving averages of the weights" if settings.get("average") else "The weights"
    versions = trainings[0].get("versions", {})
    software = f" with TensorFlow {versions['tensorflow']} [@abadi2016]" if "tensorflow" in versions else ""
    return [
        f"{models} {verb}{software}: {network}, with {channels} channels and {trainings[0]['parameters']:,} parameters"
        f"{layers}, which predicts {targets}.",
        f"Training minimized {losses} with {OPTIMIZERS.get(settings['optimizer'], settings['optimizer'])}, {rate}, for "
        f"{steps:,} steps of {settings['batch']} patches of {patch} voxels{limit}{small}.",
        f"A share of {settings['foreground']:g} of the patches was centered on tumor."
        if "foreground" in settings
        else "",
        _augmentation(settings),
        start,
        f"{kept} of the last epoch were used; no held-out subject influenced the choice of a model.",
    ]


def _augmentation(settings: Mapping) -> str:
    words = {
        "flip": "flips",
        "scale": "zoom",
        "rotation": "rotation",
        "elastic": "elastic deformation",
        "gain": "contrast",
        "intensity": "contrast",
        "brightness": "brightness",
        "gamma": "gamma",
        "blur": "blur",
        "noise": "noise",
        "modality_dropout": "removal of modalities",
    }
    used = [word for name, word in words.items() if settings.get(name)]
    return f"Patches were changed at random in {', '.join(used)}." if used else "Patches were not augmented."


def _prediction(run: Run) -> list[str]:
    settings = run.config.get("predict")
    folds = {row["fold"] for row in run.cohort}
    numbered = sum(fold.isdecimal() for fold in folds)
    words = []
    if not run.config.get("models"):
        if numbered:
            split = run.config.get("split", {})
            how = f"by {split['by']}" if split.get("by") else "as given" if split.get("file") else "at random"
            words.append(f"Patients were split {how} into {numbered} folds, with all visits of a patient in one fold.")
            words.append("Each was predicted by the model of the fold that was not trained on it.")
        if "test" in folds:
            several = "the mean of all models" if len(run.trainings) > 1 else "the model"
            words.append(f"Test patients were held out from every model and predicted by {several}.")
    if settings:
        flips = f", averaged over flips along {', '.join(settings['flips'])}" if settings["flips"] else ""
        overlap = f"{100 * settings['overlap']:g} %"
        words.append(f"Windows overlapped by {overlap} and were weighted by a Gaussian [@isensee2021]{flips}.")
        words.append(_sizes(settings, bool(run.tunings)))
    return words


def _sizes(settings: Mapping, tuned: bool) -> str:
    if tuned:
        return (
            "Small components of tumor were removed, and little enhancing tumor became necrosis, below volumes that "
            "were chosen on the other folds."
        )
    component, enhancing = settings["smallest_component_ml"], settings["smallest_enhancing_ml"]
    words = [f"connected components of tumor below {component:g} ml were removed"] if component else []
    little = f"enhancing tumor of less than {enhancing:g} ml or {LEAST_SHARE:.0%} of the tumor core became necrosis"
    words += [little.replace("%", " %")] if enhancing else []
    return f"{' and '.join(words)}.".capitalize() if words else ""


def _scores(run: Run) -> list[str]:
    if not run.scores:
        return []
    resamples = run.config.get("summarize", {}).get("bootstrap")
    interval = f" from {resamples:,} resamples of patients" if resamples else ""
    return [
        "Whole tumor, tumor core and enhancing tumor [@menze2015] were scored on the grid of the scan: by Dice "
        "[@dice1945], the 95th percentile of the Hausdorff distance [@huttenlocher1993], the normalized surface "
        "distance at 0.5 and 1 mm [@nikolov2021], and by lesions [@moawad2023], along the recommendations of Metrics "
        "Reloaded [@maierhein2024].",
        "A region that is absent from truth and prediction has a Dice of 1 and a distance of 0; one that is absent "
        f"from one of them has a Dice of 0 and a distance of {ABSENT_HD95_MM} mm.",
        f"Intervals are 95 % percentile bootstrap intervals of the mean{interval} [@efron1993].",
        f"All steps were run by glioseg ({run.commit}), a workflow of Snakemake [@molder2021].",
    ]
