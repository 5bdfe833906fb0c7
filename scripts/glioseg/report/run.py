"""The data of a run that the report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Run:
    """The tables and facts of a run.

    cohort, subjects, scores, uncertainty, volumes, lesions, confusion, groups, suspects, calibration: rows of the
    tables of these names, such as cohort.tsv; trainings: settings.json of each model; tunings: fold -> rows of its
    table of tune_postprocess; chosen: fold -> what it chose; benchmarks: rule -> rows of Snakemake's benchmark
    files; config: the configuration; commit: version of the code; hashes: subject -> modality -> hash of its
    voxels; models: model (its folder, if it is a finished one) -> hash of its file; failures: rows of the ledger of
    failed jobs whose subjects the run skipped; notes: sentences on what the layouts left out;
    registered: the result of `read_registered`.
    """

    cohort: Rows
    subjects: Rows
    scores: Rows
    uncertainty: Rows
    volumes: Rows
    lesions: Rows
    confusion: Rows
    groups: Rows
    suspects: Rows
    calibration: Rows
    trainings: Sequence[Mapping]
    tunings: Mapping[str, Rows]
    chosen: Mapping[str, Mapping]
    benchmarks: Mapping[str, Rows]
    config: Mapping
    commit: str
    hashes: Mapping[str, Mapping[str, str]]
    models: Mapping[str, str]
    failures: Rows
    notes: Sequence[str]
    registered: Mapping[str, Mapping] = field(default_factory=dict)
