"""Train one fold's network, or continue where a killed run stopped."""

import json
from pathlib import Path

import click

from glioseg.files import allow_open_files, read_table, whole, write_json, write_table
from glioseg.split.models import training_subjects, validation_subjects
from glioseg.train.device import PRECISIONS, choose_precision, choose_strategy, use_threads
from glioseg.workflow.commands import Command


def auto_or_int(text: str) -> str | int:
    """The word "auto", or a number."""
    return text if text == "auto" else int(text)


@click.command(cls=Command, help=__doc__)
@click.option("--fold", required=True, help="Name of the model: the fold that it never sees, or all.")
@click.option("--cohort", type=Path, required=True, help="Table of split.")
@click.option("--preprocess", type=Path, required=True, help="Folder with a folder per subject.")
@click.option("--classes", multiple=True, required=True, help="Tissue classes to tell apart, background first.")
@click.option("--network", required=True)
@click.option("--filters", type=auto_or_int, multiple=True, required=True, help="Width of each level, or auto.")
@click.option("--backbone", required=True, help="Encoder of sm_unet.")
@click.option("--normalization", required=True, help="Behind each convolution of unet.")
@click.option("--targets", required=True, help="What it tells apart: classes, or regions, one inside the other.")
@click.option("--deep-supervision", type=bool, required=True, help="Coarser levels learn too.")
@click.option("--patch", type=auto_or_int, multiple=True, required=True, help="Voxels along each axis, or auto.")
@click.option("--batch", type=auto_or_int, required=True, help="Patches, or auto.")
@click.option("--epochs", type=int, required=True)
@click.option("--steps-per-epoch", type=int, required=True)
@click.option("--max-minutes", type=float, required=True, help="The training ends then; 0: with its last epoch.")
@click.option("--patience", type=int, required=True, help="Epochs without a lower loss that end it; 0: any number.")
@click.option("--losses", multiple=True, required=True)
@click.option("--batch-dice", type=bool, required=True, help="One Dice for all patches of a batch.")
@click.option("--optimizer", required=True)
@click.option("--learning-rate", type=float, required=True)
@click.option("--schedule", required=True)
@click.option("--warmup-steps", type=int, required=True)
@click.option("--clip-norm", type=float, required=True, help="Largest gradient norm; 0: any.")
@click.option("--average", type=float, required=True, help="Momentum of the weights' moving average; 0: none.")
@click.option("--foreground", type=float, required=True, help="Share of patches centered on tumor.")
@click.option("--flip", type=float, required=True)
@click.option("--scale", type=float, required=True)
@click.option("--rotation", type=float, required=True, help="Degrees.")
@click.option("--elastic", type=float, required=True, help="Voxels.")
@click.option("--intensity", type=float, required=True)
@click.option("--blur", type=float, required=True, help="Voxels.")
@click.option("--coarse", type=float, required=True, help="Factor.")
@click.option("--noise", type=float, required=True)
@click.option("--modality-dropout", type=float, required=True, help="Chance of a patch's channel to be zeros.")
@click.option("--precision", type=click.Choice(PRECISIONS), required=True)
@click.option("--validation-subjects", type=int, required=True)
@click.option("--validation-every", type=int, required=True)
@click.option("--seed", type=int, required=True, help="Seed of all that is drawn.")
@click.option("--threads", type=int, required=True, help="Cores to use.")
@click.option("--study", required=True, help="How scans are made for the network, as JSON: kept beside the model.")
@click.option("--code", required=True, help="What identifies the code: a state made by another is not continued.")
@click.option(
    "--state", type=Path, required=True, help="File that lets a killed run continue; kept until the model is written."
)
@click.option("--output", type=Path, required=True, help="Folder for model.keras, history.tsv and settings.json.")
def train(fold, cohort, preprocess, precision, threads, study, code, state, output, **settings):
    settings["precision"] = choose_precision(precision)
    use_threads(threads)
    import keras
    import tensorflow as tf

    from glioseg.train.loop import train_network, versions
    from glioseg.train.patches import fingerprint, load_subject
    from glioseg.train.plan import describe_plan, free_bytes, plan
    from glioseg.train.progress import HISTORY_COLUMNS, Training
    from glioseg.train.state import identify

    keras.mixed_precision.set_global_policy(settings["precision"])
    rows = read_table(cohort, ("subject", "fold", "has_mask"))
    names = training_subjects(rows, fold)
    held_out = validation_subjects(rows, fold)[: settings["validation_subjects"]]
    allow_open_files()
    subjects = [load_subject(preprocess / name) for name in names]
    device, free = free_bytes()
    settings = plan(settings, [one.mask.shape for one in subjects], subjects[0].image.shape[-1], device, free)
    identity = identify(settings, [code, *(fingerprint(preprocess / name) for name in names)])
    click.echo(f"{len(names)} subjects, {describe_plan(settings)}, {free / 1e9:.0f} GB free on the {device.upper()}")
    shown = [load_subject(preprocess / name) for name in held_out]
    # Half of the threads make batches while the others, or a GPU, learn from the last.
    workers, strategy = max(threads // 2, 1), choose_strategy()
    try:
        training = Training(subjects, shown, state, identity, settings, workers, click.echo)
        model, history = train_network(training, strategy)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(f"lower train: batch, patch or filters; {error.message.splitlines()[0]}") from error
    write_table(output / "history.tsv", HISTORY_COLUMNS, history)
    facts = {"fold": fold, "settings": settings, "versions": versions(), "parameters": model.count_params()}
    facts["validation_dice"] = float([row["val_dice"] for row in history if row["val_dice"]][-1]) if held_out else None
    facts |= {"study": json.loads(study), "threads": threads, "subjects": names, "validation_subjects": held_out}
    write_json(output / "settings.json", facts)
    with whole(output / "model.keras") as partial:
        model.save(partial)
    state.unlink(missing_ok=True)


if __name__ == "__main__":
    train()
