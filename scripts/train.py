"""Train one fold's network, or continue where a killed run stopped."""

from pathlib import Path

import click

from glioseg.arrays import allow_open_files
from glioseg.cohort import monitored_subjects, training_subjects
from glioseg.commands import Command
from glioseg.device import PRECISIONS, choose_precision, use_threads
from glioseg.outputs import read_table, whole, write_json


@click.command(cls=Command, help=__doc__)
@click.option("--fold", required=True)
@click.option("--cohort", type=Path, required=True)
@click.option("--preprocess", type=Path, required=True, help="Folder with a folder per subject.")
@click.option("--classes", multiple=True, required=True, help="Tissue classes to tell apart, background first.")
@click.option("--network", required=True)
@click.option("--filters", type=int, multiple=True, required=True, help="Width of each level, top down.")
@click.option("--backbone", required=True, help="Encoder of sm_unet.")
@click.option("--deep-supervision", type=bool, required=True, help="Coarser levels learn too.")
@click.option("--patch", type=int, multiple=True, required=True)
@click.option("--batch", type=int, required=True)
@click.option("--epochs", type=int, required=True)
@click.option("--steps-per-epoch", type=int, required=True)
@click.option("--losses", multiple=True, required=True)
@click.option("--optimizer", required=True)
@click.option("--learning-rate", type=float, required=True)
@click.option("--schedule", required=True)
@click.option("--warmup-steps", type=int, required=True)
@click.option("--clip-norm", type=float, required=True, help="Largest gradient norm; 0: any.")
@click.option("--foreground", type=float, required=True, help="Share of patches centered on tumor.")
@click.option("--flip", type=float, required=True)
@click.option("--scale", type=float, required=True)
@click.option("--intensity", type=float, required=True)
@click.option("--noise", type=float, required=True)
@click.option("--modality-dropout", type=float, required=True, help="Chance of a patch's channel to be zeros.")
@click.option("--precision", type=click.Choice(PRECISIONS), required=True)
@click.option("--monitor-subjects", type=int, required=True)
@click.option("--monitor-every", type=int, required=True)
@click.option("--seed", type=int, required=True)
@click.option("--threads", type=int, required=True)
@click.option("--code", required=True, help="What identifies the code: a state made by another is not continued.")
@click.option(
    "--state", type=Path, required=True, help="File that lets a killed run continue; kept until the model is written."
)
@click.option("--output", type=Path, required=True, help="Folder for model.keras, history.csv and settings.json.")
def main(fold, cohort, preprocess, precision, threads, code, state, output, **settings):
    settings["precision"] = choose_precision(precision)
    use_threads(threads)
    import keras
    import tensorflow as tf

    from glioseg.batches import fingerprint, load_subject
    from glioseg.training import identify, train_network, versions, write_history

    keras.mixed_precision.set_global_policy(settings["precision"])
    rows = read_table(cohort, ("subject", "fold", "has_mask"))
    names = training_subjects(rows, fold)
    monitored = monitored_subjects(rows, fold)[: settings["monitor_subjects"]]
    identity = identify(settings, [code, *(fingerprint(preprocess / name) for name in names)])
    click.echo(f"{len(names)} subjects, {settings['network']}, {settings['precision']}, {threads} threads")
    allow_open_files()
    subjects = [load_subject(preprocess / name) for name in names]
    watched = [load_subject(preprocess / name) for name in monitored]
    try:
        model, history = train_network(subjects, watched, state, identity, settings, click.echo)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(f"lower train: batch or patch; {error.message.splitlines()[0]}") from error
    write_history(output / "history.csv", history)
    facts = {"fold": fold, "settings": settings, "versions": versions(), "parameters": model.count_params()}
    write_json(output / "settings.json", {**facts, "threads": threads, "subjects": names, "monitor": monitored})
    with whole(output / "model.keras") as partial:
        model.save(partial)
    state.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
