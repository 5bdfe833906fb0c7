"""Every recipe of docs/extend.md, performed to the letter in a copy of the project, and run on a tiny study."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from studies import ROOT, TINY, write_subject

from glioseg.files import read_table

PAGE = (ROOT / "docs/extend.md").read_text()
RECIPES = {title: body for title, body in re.findall(r"^## (An? .*)\n((?:(?!^## ).*\n)+)", PAGE, re.M)}
COPIED = ("Snakefile", "config.yaml", "rules", "scripts", "envs", "profiles", "presets", "tests", "docs", "containers")
# What a reader is told to do: with a block of text, or with words of the line itself.
STEP = re.compile(
    r"^(?:Write `(?P<new>[^`]+)`"
    r"|In (?:`(?P<file>[^`]+)`|the same file), (?:add (?P<side>above|below) the line `(?P<line>[^`]+)`"
    r"|replace `(?P<old>[^`]+)` with `(?P<by>[^`]+)`))$"
    r"|^```(?P<kind>\w+)\n(?P<block>.*?)^```$",
    re.M | re.S,
)


class Copy:
    """A copy of the project with a tiny study on data of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        for name in ("pyproject.toml", "Makefile", "CITATION.cff"):
            shutil.copy(ROOT / name, folder / name)
        for number in range(1, 6):
            write_subject(folder / "data", number)
        self.flat()
        self.five()
        study = {"results": "results", "data": str(folder / "data"), **TINY}
        (folder / "tiny.yaml").write_text(yaml.safe_dump(study))

    def flat(self):
        """The same subjects as SUBJECT.MODALITY.nii.gz."""
        (self.folder / "flat").mkdir()
        for path in (self.folder / "data").rglob("*.nii.gz"):
            subject, _, part = path.name.partition(".")[0].rpartition("_")
            part = part.replace("seg", "truth")
            (self.folder / f"flat/{subject}.{part}.nii.gz").write_bytes(path.read_bytes())

    def five(self):
        """The same subjects with a fifth modality."""
        shutil.copytree(self.folder / "data", self.folder / "five")
        for path in (self.folder / "five").rglob("*_t2.nii.gz"):
            image = nib.load(path)
            voxels = np.asarray(image.dataobj)
            noise = np.random.default_rng(0).integers(0, 300, voxels.shape)
            fifth = np.where(voxels != 0, 100 + noise, 0).astype(np.int16)
            nib.save(nib.Nifti1Image(fifth, image.affine), path.with_name(path.name.replace("_t2", "_adc")))

    def perform(self, recipe: str) -> list[str]:
        """Do what a recipe says; returns the commands that it runs."""
        file, wait, commands = None, None, []
        for step in STEP.finditer(recipe):
            found = step.groupdict()
            if found["kind"] == "bash":
                commands += found["block"].splitlines()
            elif found["kind"]:
                self.insert(file, wait, found["block"])
                wait = None
            else:
                assert wait is None, f"a block is missing before: {step[0]}"
                file = self.folder / (found["new"] or found["file"] or file.relative_to(self.folder))
                if found["old"]:
                    text = file.read_text()
                    assert text.count(found["old"]) == 1, step[0]
                    file.write_text(text.replace(found["old"], found["by"]))
                else:
                    wait = found
        assert wait is None
        return commands

    def insert(self, file: Path, where: dict, block: str) -> None:
        block = block.replace("/path/to", str(self.folder))
        if where["new"]:
            assert not file.exists(), file
            file.write_text(block)
            return
        lines = file.read_text().splitlines(keepends=True)
        places = [place for place, line in enumerate(lines) if line.rstrip("\n") == where["line"]]
        assert len(places) == 1, f"{file}: {where['line']!r} is there {len(places)} times"
        # A function of its own has two blank lines behind it, as the formatter wants.
        behind = "\n\n" if block.startswith("def ") else ""
        lines.insert(places[0] + (where["side"] == "below"), block + behind)
        file.write_text("".join(lines))

    def run(self, command: str) -> str:
        """What a command prints, on the tiny study."""
        command = command.replace("/path/to", str(self.folder))
        if command.startswith("snakemake"):
            study = "--configfile tiny.yaml"
            command = command.replace("--configfile", study) if "--configfile" in command else f"{command} {study}"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            command.split(), cwd=self.folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def json(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text())

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The copy in which one recipe follows another, after a first run."""
    made = Copy(tmp_path_factory.mktemp("copy"))
    made.run("snakemake --cores 2")
    return made


def metric(copy, printed):
    rows = read_table(copy.folder / "results/summarize/scores.tsv")
    assert {row["region"] for row in rows if row["metric"] == "false_discovery"} >= {"WT", "TC", "ET"}
    assert "False discovery rate" in copy.text("results/report/index.html")
    assert "rule train" not in printed


def figure(copy, printed):
    assert (copy.folder / "results/plot/outlines.png").stat().st_size > 1000
    assert (copy.folder / "results/plot/outlines.svg").exists()
    assert "How far the outlines of the whole tumor lie apart." in copy.text("results/report/index.html")


def network(copy, printed):
    assert copy.json("results/plain/train/all/settings.json")["settings"]["network"] == "plain"
    assert (copy.folder / "results/plain/report/index.html").exists()


def loss(copy, printed):
    assert copy.json("results/brier/train/all/settings.json")["settings"]["losses"] == ["dice_cross_entropy", "brier"]


def normalization(copy, printed):
    for path in (copy.folder / "results/by_maximum/preprocess").glob("*/image.npy"):
        image = np.load(path)
        assert image.max() == 1 and image.min() >= 0


def layout(copy, printed):
    assert re.search(r"layout +flat\n", printed) and re.search(r"subjects +5\n", printed)
    rows = read_table(copy.folder / "results/flat/split/cohort.tsv")
    assert [row["verdict"] for row in rows] == ["included"] * 5


def modality(copy, printed):
    for path in (copy.folder / "results/five/preprocess").glob("*/image.npy"):
        assert np.load(path, mmap_mode="r").shape[-1] == 5


def setting(copy, printed):
    assert "Lowest mean Dice: case_0" in copy.text("results/logs/summarize.log")


OUTCOMES = {
    "A metric": metric,
    "A figure": figure,
    "A network": network,
    "A loss": loss,
    "A normalization of scans": normalization,
    "A layout of data": layout,
    "A modality": modality,
    "A setting": setting,
}


def test_each_recipe_has_its_outcome():
    assert list(RECIPES) == list(OUTCOMES)


@pytest.mark.parametrize("title", OUTCOMES)
def test_a_recipe_works_as_it_is_written(copy, title):
    commands = copy.perform(RECIPES[title])
    assert commands, "a recipe is run"
    OUTCOMES[title](copy, "".join(map(copy.run, commands)))


def test_all_places_agree_once_every_recipe_is_followed(copy):
    words = ("test_schema or test_config or test_each_setting or test_options", "tests/test_agreement.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", *words],
        cwd=copy.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
