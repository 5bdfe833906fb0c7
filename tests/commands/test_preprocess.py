"""The command `preprocess` writes complete files and rejects unknown names."""

from click.testing import CliRunner
from studies import write_subject

from glioseg.files import write_json
from preprocess import preprocess


def test_the_command_writes_complete_files_and_rejects_unknown_names(tmp_path):
    folder = write_subject(tmp_path, 6)
    words = ["--subject", "case_06", "--labels", "brats2020", "--spacing-mm", "1", "--crop", "brain"]
    words += ["--min-tumor-percent", "0", "--output", str(tmp_path / "out"), "--modalities", "flair"]
    words += ["--image", "flair", str(folder / "case_06_flair.nii.gz"), "0"]
    words += ["--mask", str(folder / "case_06_seg.nii.gz"), "0", "--forced", "False", "--missing"]
    done = CliRunner().invoke(preprocess, [*words, "exclude", "--normalization", "zscore"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image.npy", "mask.npy", "scan.json"]
    # A subject that is now excluded keeps no arrays of an earlier run.
    wanting = [*words, "exclude", "--normalization", "zscore", "--min-tumor-percent", "90"]
    assert "case_06: excluded: " in CliRunner().invoke(preprocess, wanting).output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scan.json"]
    refused = CliRunner().invoke(preprocess, [*words, "exclude", "--normalization", "histogram"])
    assert refused.exit_code == 1
    assert "'histogram' is not known; expected one of zscore, zscore_robust, percentile, minmax" in refused.output
    refused = CliRunner().invoke(preprocess, [*words, "ignore", "--normalization", "zscore"])
    assert refused.exit_code == 1
    assert "missing: 'ignore' is not known; expected one of exclude, zeros" in refused.output


def test_the_command_passes_on_what_register_refused_and_doubted(tmp_path):
    folder = write_subject(tmp_path, 6)
    words = ["--subject", "case_06", "--labels", "brats2020", "--spacing-mm", "1", "--crop", "brain"]
    words += ["--min-tumor-percent", "0", "--output", str(tmp_path / "out"), "--missing", "exclude"]
    words += ["--normalization", "zscore", "--registered", str(tmp_path / "register.json"), "--modalities", "flair"]
    words += ["--image", "flair", str(folder / "case_06_flair.nii.gz"), "0"]
    facts = {"refused": {}, "warnings": ["flair was turned by 40 degrees"]}
    write_json(tmp_path / "register.json", facts)
    warned = CliRunner().invoke(preprocess, [*words, "--forced", "False"])
    assert warned.output == "case_06: warned: flair was turned by 40 degrees\n"
    # There is no file of what was refused, so that not even its name in `include` helps.
    write_json(tmp_path / "register.json", facts | {"refused": {"flair": "flair is empty"}})
    (folder / "case_06_flair.nii.gz").unlink()
    refused = CliRunner().invoke(preprocess, [*words, "--forced", "True"])
    assert refused.output == "case_06: excluded: flair is empty; flair was turned by 40 degrees\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scan.json"]
