"""Choose the size thresholds for removing small tumor, by the Dice of held-out subjects.

The thresholds for the subjects of one fold are chosen on the subjects of all other folds, each predicted by a model not
trained on it. Test subjects are in no fold; their thresholds are chosen on all folds ("all").
"""

from pathlib import Path

import click

from glioseg.files import read_json, read_table, write_json, write_table
from glioseg.labels import MASK, known_classes, to_classes
from glioseg.layouts.folders import File
from glioseg.layouts.table import listed_files
from glioseg.model_files import SMALLEST
from glioseg.predict.tune_postprocess import TUNING_COLUMNS, Case, count, tune
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.split.models import tuning_subjects
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.commands import FILE, FOLDER, JSON, OPTIONAL, TABLE, Command
from glioseg.workflow.failures import failed_subjects, read_failures

VOLUME = click.FloatRange(min=0)


@click.command(cls=Command, help=__doc__)
@click.option("--fold", required=True, help="The fold to choose thresholds for, which is left out; or all.")
@click.option("--cohort", type=FILE, required=True, help="Cohort table written by split.")
@click.option("--subjects", required=True, type=FILE, help="Table written by layouts: the files of each subject.")
@click.option("--preprocess", type=FOLDER, required=True, help="Folder written by preprocess.")
@click.option("--predictions", type=FOLDER, required=True, help="Folder of label maps as the networks predicted them.")
@click.option("--configured", type=(VOLUME, VOLUME), required=True, help="Both thresholds as configured in predict.")
@click.option(
    "--failures", multiple=True, type=OPTIONAL, help="Table of failed jobs, whose subjects are left out (repeatable)."
)
@click.option(
    "--smallest-enhancing-ml",
    type=VOLUME,
    multiple=True,
    help="Threshold to try for the total of enhancing tumor, in ml (repeatable).",
)
@click.option(
    "--smallest-component-ml",
    type=VOLUME,
    multiple=True,
    help="Threshold to try for connected components, in ml (repeatable).",
)
@click.option("--table", type=TABLE, required=True, help="Table to write: the mean Dice of every value tried.")
@click.option("--output", type=JSON, required=True, help="JSON file to write: the chosen values.")
def tune_postprocess(
    fold,
    cohort,
    subjects,
    preprocess,
    predictions,
    configured,
    failures,
    smallest_enhancing_ml,
    smallest_component_ml,
    table,
    output,
):
    left_out = failed_subjects(read_failures(failures), "predict")
    included = read_table(cohort, COHORT_COLUMNS)
    names = [name for name in tuning_subjects(included, fold) if name not in left_out]
    patient_of = {row["subject"]: row["patient"] for row in included}
    truths = listed_files(subjects, names, [MASK])
    cases = (_case(preprocess / name, truths[name][MASK], predictions / f"{name}.nii.gz") for name in names)
    chosen, rows = tune(
        cases, smallest_enhancing_ml, smallest_component_ml, configured, [patient_of[name] for name in names]
    )
    write_table(table, TUNING_COLUMNS, rows)
    write_json(output, chosen | {"fold": fold, "subjects": names})
    words = ", ".join(f"{name} {chosen[name]:g}" for name in SMALLEST)
    gain = next(row["gain"] for row in rows if row["chosen"])
    click.echo(f"{words} (mean Dice of {len(names)} subjects {gain})")


def _case(preprocessed: Path, mask: File, prediction: Path) -> Case:
    scan = read_json(preprocessed / "scan.json")
    truth, _ = read_volume(*mask)
    predicted, _ = read_volume(prediction)
    return count(
        to_classes(predicted, scan["labels"]), known_classes(truth, scan["labels"]), voxel_ml(scan["spacing_mm"])
    )


if __name__ == "__main__":
    tune_postprocess()
