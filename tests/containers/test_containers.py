"""Check that results are bit-identical in a venv, in a podman container, and with Apptainer for each rule.

`make test-containers` runs these tests; `make test` does not.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from machine import WORK, base, need, pip_settings, podman_image, project, run
from studies import ROOT

# --configfile takes every word up to the next option, so targets must follow --cores.
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", "2")
VENV = Path(sys.executable).parent
LOCKS = {"light": "envs/requirements-light.lock", "full": "envs/requirements.lock"}


def results(study: Path) -> dict[str, bytes]:
    """Results that must be equal, by name: arrays, weights, predictions and scores."""
    folder = study / "results"
    found = {}
    for pattern in ("preprocess/*/*.npy", "predict/*.nii.gz", "evaluate/*.json", "summarize/*.tsv", "split/cohort.tsv"):
        found |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob(pattern)}
    with zipfile.ZipFile(folder / "train/all/model.keras") as archive:
        found["weights"] = archive.read("model.weights.h5")
    return found


def packages(text: str) -> dict[str, str]:
    """Versions by package, from a lock file or `pip freeze`, without pip, setuptools and wheel."""
    pairs = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M)
    found = {re.sub(r"[._-]+", "-", name.lower()): version for name, version in pairs}
    return {name: found[name] for name in found if name not in ("pip", "setuptools", "wheel")}


@pytest.fixture(scope="session")
def in_venv():
    study = project("venv")
    run(*SNAKEMAKE, cwd=study, path=VENV)
    return study


@pytest.fixture(scope="session", params=LOCKS)
def image(request):
    return request.param, podman_image(request.param, LOCKS[request.param])


@pytest.fixture(scope="session")
def sif():
    """A project with the Apptainer images of `make containers`, built on our base system."""
    need("apptainer", "mksquashfs", "mmdebstrap")
    root = WORK / "base"
    if not root.exists():
        root.with_name("base.part").mkdir()
        run("tar", "--extract", "--file", base(), "--directory", root.with_name("base.part"))
        root.with_name("base.part").rename(root)
    ours = f"--bind {pip_settings()}:/mnt --build-arg BOOTSTRAP=localimage --build-arg BASE={root}"
    folder = project("apptainer")
    run("make", "containers", f"APPTAINER={ours}", cwd=folder)
    return folder


def test_image_has_the_packages_of_its_lock(image):
    kind, name = image
    facts = json.loads(run("podman", "image", "inspect", name))[0]
    assert facts["Labels"]["org.opencontainers.image.title"] == "glioseg"
    assert LOCKS[kind] in facts["Labels"]["org.opencontainers.image.description"]
    inside = ("podman", "run", "--rm", "--network", "none", name)
    assert f"{'with' if kind == 'full' else 'without'} TensorFlow" in run(*inside, "python", "/opt/smoke.py")
    user, *left = run(*inside, "sh", "-c", "id -u; find /mnt /run/secrets -type f -size +0 2>/dev/null || true").split()
    assert user != "0"
    assert not left
    assert packages(run(*inside, "pip", "freeze")) == packages((ROOT / LOCKS[kind]).read_text())


def test_whole_workflow_in_one_container_without_network(in_venv):
    name = podman_image("full", LOCKS["full"])
    study = project("podman")
    # The user of the image is not root.
    run("chown", "--recursive", "1000:1000", study)
    inside = ("podman", "run", "--rm", "--network", "none", "--volume", f"{study}:/study", name)
    run(*inside, "snakemake", "--cores", "2", "--configfile", "study.yaml")
    assert results(study) == results(in_venv)
    assert (study / "results/report/index.html").stat().st_uid == 1000


def test_each_rule_in_its_own_container(in_venv, sif):
    # A job outside of its container finds this python, which fails.
    trap = WORK / "trap"
    trap.mkdir(exist_ok=True)
    (trap / "python").write_text("#!/bin/sh\necho 'this job runs outside of its container' >&2\nexit 1\n")
    (trap / "python").chmod(0o755)
    run(*SNAKEMAKE, "--sdm", "apptainer", cwd=sif, path=trap)
    assert results(sif) == results(in_venv)
    for image in ("light", "full"):
        inside = ("apptainer", "exec", f"containers/{image}.sif", "python", "-c", "import tensorflow")
        if image == "full":
            run(*inside, cwd=sif)
        else:
            with pytest.raises(AssertionError, match="No module named 'tensorflow'"):
                run(*inside, cwd=sif)
        labels = run("apptainer", "inspect", f"containers/{image}.sif", cwd=sif)
        assert f"from {LOCKS[image]}" in labels


def test_the_packages_of_the_conda_environments(in_venv):
    """Tests the conda environments without conda, which only provides Python 3.11 and pip; a script does the rest."""
    study = project("conda")
    locks = {"light": LOCKS["light"], "tensorflow": LOCKS["full"]}
    for name, target in (("light", ["prepare"]), ("tensorflow", ["predict_all"]), ("light", [])):
        folder = WORK / f"environment-{name}"
        installed = (ROOT / f"envs/{name}.post-deploy.sh").read_text()
        if not (folder / "installed").exists() or (folder / "installed").read_text() != installed:
            run(sys.executable, "-m", "venv", "--clear", folder)
            run("bash", ROOT / f"envs/{name}.post-deploy.sh", path=folder / "bin")
            (folder / "installed").write_text(installed)
        frozen = run("python", "-m", "pip", "freeze", path=folder / "bin")
        assert packages(frozen) == packages((ROOT / locks[name]).read_text())
        run(*SNAKEMAKE, *target, cwd=study, path=folder / "bin")
    assert results(study) == results(in_venv)


def test_the_predictions_are_not_empty(in_venv):
    # Otherwise the results could be equal only because they are empty.
    predicted = [nib.load(path) for path in (in_venv / "results/predict").glob("*.nii.gz")]
    assert predicted
    assert all(len(np.unique(label_map.dataobj)) > 1 for label_map in predicted)
