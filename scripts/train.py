"""Train the network of one fold, or continue a training that was interrupted."""

import json
import os
import sys
from pathlib import Path

import click

from glioseg.files import allow_open_files, read_table, whole, write_json, write_table
from glioseg.split.models import fold_of, held_out_subjects, planned_subjects, training_subjects, validation_subjects
from glioseg.synthesize.worlds import CONTRASTS
from glioseg.train.device import PRECISIONS, choose_precision, choose_strategy, use_threads
from glioseg.train.settings import with_augmentation
from glioseg.train.start.source import find_source, hashes_of, seen_hashes, settings_to_go_on
from glioseg.workflow.commands import NEW_FOLDER, Command, Output


def auto_or_int(text: str) -> str | int:
    """Return the word "auto" as it is, and any other text as an integer."""
    return text if text == "auto" else int(text)


def auto_or_float(text: str) -> str | float:
    """Return the word "auto" as it is, and any other text as a number."""
    return text if text == "auto" else float(text)


@click.command(cls=Command, help=__doc__)
@click.option("--fold", required=True, help="Name of the model: the fold that it is not trained on, or all.")
@click.option("--cohort", type=Path, required=True, help="Cohort table written by split.")
@click.option("--preprocess", type=Path, required=True, help="Folder written by preprocess, with a folder per subject.")
@click.option(
    "--classes", multiple=True, required=True, help="A tissue class of glioseg.labels (repeatable, background first)."
)
@click.option("--network", required=True, help="Architecture: unet, unet_full, unet_residual, original or sm_unet.")
@click.option(
    "--filters",
    type=auto_or_int,
    multiple=True,
    required=True,
    help="Channels of a level (repeatable, top down), or auto.",
)
@click.option("--backbone", required=True, help="Encoder of sm_unet.")
@click.option(
    "--normalization", required=True, help="Layer after each convolution of the unets: instance, batch, none or auto."
)
@click.option("--targets", required=True, help="What the network predicts: classes or regions.")
@click.option("--deep-supervision", type=bool, required=True, help="true: also train the coarser decoder levels.")
@click.option(
    "--patch",
    type=auto_or_int,
    multiple=True,
    required=True,
    help="Voxels along an axis (repeatable: three times), or auto.",
)
@click.option("--batch", type=auto_or_int, required=True, help="Number of patches per step, or auto.")
@click.option(
    "--small-patches",
    type=float,
    required=True,
    help="First share of the training, in which patches have half the length; 0: none.",
)
@click.option("--epochs", type=int, required=True, help="Number of epochs.")
@click.option("--steps-per-epoch", type=int, required=True, help="Number of training steps per epoch.")
@click.option("--max-minutes", type=float, required=True, help="Time limit in minutes; 0: no limit.")
@click.option("--patience", type=int, required=True, help="Stop after this many epochs without a lower loss; 0: never.")
@click.option(
    "--losses", multiple=True, required=True, help="dice_cross_entropy, sm_dice or sm_focal (repeatable: summed)."
)
@click.option("--batch-dice", type=bool, required=True, help="true: compute one Dice over all patches of a batch.")
@click.option("--optimizer", required=True, help="adam or adamw.")
@click.option("--learning-rate", type=float, required=True, help="Highest learning rate.")
@click.option("--schedule", required=True, help="Learning-rate schedule: cosine or constant.")
@click.option("--warmup-steps", type=int, required=True, help="Steps over which the cosine schedule rises.")
@click.option("--clip-norm", type=float, required=True, help="Largest norm of a gradient; 0: no clipping.")
@click.option(
    "--average",
    type=auto_or_float,
    required=True,
    help="Momentum of the moving average of the weights, or auto; 0: none.",
)
@click.option("--foreground", type=float, required=True, help="Share of patches centered on a tumor voxel.")
@click.option("--implant", type=float, required=True, help="Share of patches with another training subject's tumor.")
@click.option("--contrast", type=click.Choice(CONTRASTS), required=True, help="Contrast of patches: scan or random.")
@click.option(
    "--augmentation", required=True, help="Set of changes to patches: none, standard or strong; auto is its value."
)
@click.option("--flip", type=auto_or_float, required=True, help="Probability of a flip along each axis, or auto.")
@click.option(
    "--scale",
    type=auto_or_float,
    multiple=True,
    required=True,
    help="Largest relative zoom, smallest and largest factor (given twice), or auto.",
)
@click.option("--rotation", type=auto_or_float, required=True, help="Largest rotation (degrees), or auto.")
@click.option("--elastic", type=auto_or_float, required=True, help="Largest elastic displacement (voxels), or auto.")
@click.option("--gain", type=auto_or_float, required=True, help="Largest relative change of contrast, or auto.")
@click.option("--brightness", type=auto_or_float, required=True, help="Largest added brightness, or auto.")
@click.option(
    "--gamma",
    type=auto_or_float,
    multiple=True,
    required=True,
    help="Largest power of two, smallest and largest gamma (given twice), or auto.",
)
@click.option("--blur", type=auto_or_float, required=True, help="Largest deviation of a blur (voxels), or auto.")
@click.option("--coarse", type=auto_or_float, required=True, help="Largest factor of a lower resolution, or auto.")
@click.option("--noise", type=auto_or_float, required=True, help="Largest deviation of added noise, or auto.")
@click.option("--modality-dropout", type=float, required=True, help="Probability of setting a channel to zero.")
@click.option("--precision", type=click.Choice(PRECISIONS), required=True, help="Number format of the computation.")
@click.option("--validation-subjects", type=int, required=True, help="Held-out subjects with validation curves.")
@click.option("--validation-every", type=int, required=True, help="Compute the validation curves every so many epochs.")
@click.option("--start", required=True, help="model.keras to go on from, or a results folder; or shipped; empty: none.")
@click.option("--start-learning-rate", type=float, required=True, help="Highest learning rate if start is given.")
@click.option("--freeze-encoder", type=bool, required=True, help="true: do not train the encoder taken from start.")
@click.option("--seed", type=int, required=True, help="Seed of the weights, patches and augmentation.")
@click.option("--threads", type=int, required=True, help="Number of CPU threads.")
@click.option("--study", required=True, help="How scans are preprocessed, as JSON; stored in settings.json.")
@click.option("--code", required=True, help="Hash of the code; a state saved by other code is not continued.")
@click.option(
    "--state",
    type=Output("state", ".npz"),
    required=True,
    help="File for the state that an interrupted run continues from.",
)
@click.option("--output", type=NEW_FOLDER, required=True, help="Folder for model.keras, history.tsv and settings.json.")
def train(fold, cohort, preprocess, start, precision, threads, study, code, state, output, **settings):
    settings = with_augmentation(settings | {"precision": choose_precision(precision)})
    rows, study = read_table(cohort, ("subject", "fold", "has_mask")), json.loads(study)
    names = training_subjects(rows, fold)
    hidden = held_out_subjects(rows) if start else {}
    hashes = {name: hashes_of(preprocess, members) for name, members in hidden.items()}
    source = find_source(start, fold_of(fold), hashes, click.echo)
    settings = settings_to_go_on(settings, source, study)
    use_threads(threads)
    import keras
    import tensorflow as tf

    from glioseg.train.loop import train_network, versions
    from glioseg.train.patches import fingerprint, load_subject, shapes_of
    from glioseg.train.plan import describe_plan, free_bytes, plan
    from glioseg.train.progress import HISTORY_COLUMNS, Training
    from glioseg.train.start.weights import Start
    from glioseg.train.state import identify

    keras.mixed_precision.set_global_policy(settings["precision"])
    held_out = validation_subjects(rows, fold)[: settings["validation_subjects"]]
    allow_open_files()
    drawn = study["modalities"] if settings["contrast"] == "random" else ()
    subjects = [load_subject(preprocess / name, drawn) for name in names]
    device, free = free_bytes()
    # The same for each fold: models of unequal patches cannot be averaged.
    shapes = shapes_of(preprocess, planned_subjects(rows))
    settings = plan(settings, shapes, subjects[0].image.shape[-1], device, free)
    identity = identify(settings, [code, *(fingerprint(preprocess / name) for name in names)])
    click.echo(f"{len(names)} subjects, {describe_plan(settings)}, {free / 1e9:.0f} GB free on the {device.upper()}")
    shown = [load_subject(preprocess / name) for name in held_out]
    # Half of the threads prepare the next batch while the others, or a GPU, train on the current one.
    workers, strategy = max(threads // 2, 1), choose_strategy()
    try:
        begin = Start(source, settings, study, click.echo)
        training = Training(subjects, shown, state, identity, settings, workers, click.echo, begin)
        model, history = train_network(training, strategy)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(f"lower train: batch, patch or filters; {error.message.splitlines()[0]}") from error
    write_table(output / "history.tsv", HISTORY_COLUMNS, history)
    facts = {"fold": fold, "settings": settings, "versions": versions(), "parameters": model.count_params()}
    facts["validation_dice"] = float([row["val_dice"] for row in history if row["val_dice"]][-1]) if held_out else None
    facts |= {"study": study, "threads": threads, "subjects": names, "validation_subjects": held_out}
    facts |= {"start": begin.record, "hashes": seen_hashes(source) | hashes_of(preprocess, names)}
    write_json(output / "settings.json", facts)
    with whole(output / "model.keras") as partial:
        model.save(partial)
    state.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        train()
    except SystemExit as end:
        if end.code:
            # After an error, threads still prepare batches: they wait for Python, and its end would wait for them.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
