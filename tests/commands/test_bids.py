"""The command `bids` describes the data set of the subjects that a study segmented."""

from click.testing import CliRunner
from studies import ledger_of

from bids import bids
from glioseg.files import read_json, read_table, write_table
from glioseg.split.cohort import COHORT_COLUMNS

FILES = ["README.md", "dataset_description.json", "dseg.json", "dseg.tsv", "participants.json", "participants.tsv"]


def cohort_of(path):
    facts = [("a_1", "test"), ("a_2", "new"), ("b", "train"), ("c", ""), ("d", "test"), ("e", "test")]
    rows = [{"subject": name, "patient": name.partition("_")[0], "fold": fold} for name, fold in facts]
    write_table(path, COHORT_COLUMNS, rows)
    return path


def run(folder, *words):
    given = ["--cohort", cohort_of(folder / "cohort.tsv"), "--output", folder / "bids", *words]
    done = CliRunner().invoke(bids, list(map(str, given)))
    assert done.exit_code == 0, done.output
    return folder / "bids"


def test_the_participants_are_the_patients_of_the_segmented_subjects(tmp_path):
    failed = ("predict", "d", 1, "killed", "", "d.nii.gz"), ("bids_subject", "sub-e", 1, "killed", "", "sub-e")
    ledger = ledger_of(tmp_path / "failures.tsv", *failed)
    for words, names in ((), ["sub-a", "sub-d", "sub-e"]), (("--failures", ledger), ["sub-a"]):
        found = run(tmp_path, "--labels", "brats2020", *words)
        assert [row["participant_id"] for row in read_table(found / "participants.tsv")] == names
        assert sorted(path.name for path in found.iterdir()) == FILES


def test_several_dialects_have_no_common_table(tmp_path):
    found = run(tmp_path, "--labels", "brats2020", "--labels", "msd", "--source", tmp_path / "none")
    assert sorted(path.name for path in found.iterdir()) == [name for name in FILES if not name.startswith("dseg")]
    assert "SourceDatasets" not in read_json(found / "dataset_description.json")
