"""The three ways to bring the software end in the same bits: venv, a podman container, Apptainer for each rule.

`make test-containers` runs this; `make test` doesn't.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from machine import WORK, base, need, pip_settings, podman_image, project, run
from studies import ROOT

# --configfile takes every word up to the next option, so that targets come after --cores.
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", "2")
VENV = Path(sys.executable).parent
LOCKS = {"light": "envs/requirements-light.lock", "full": "envs/requirements.lock"}


def results(study: Path) -> dict[str, bytes]:
    """What must be equal, by name: arrays, weights, predictions and scores."""
    folder = study / "results"
    found = {}
    for pattern in ("preprocess/*/*.npy", "predict/*.nii.gz", "evaluate/*.json", "summarize/*.tsv", "split/cohort.tsv"):
        found |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob(pattern)}
    with zipfile.ZipFile(folder / "train/all/model.keras") as archive:
        found["weights"] = archive.read("model.weights.h5")
    return found


def packages(text: str) -> dict[str, str]:
    """Package and version, of a lock or of what pip says is there; but for what pip itself is made of."""
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
    """Apptainer's images as `make containers` makes them, from our base."""
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


def test_image_is_what_its_lock_says(image):
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
    # As the image's own user, who isn't root.
    run("chown", "--recursive", "1000:1000", study)
    inside = ("podman", "run", "--rm", "--network", "none", "--volume", f"{study}:/study", name)
    run(*inside, "snakemake", "--cores", "2", "--configfile", "study.yaml")
    assert results(study) == results(in_venv)
    assert (study / "results/report/index.html").stat().st_uid == 1000


def test_each_rule_in_its_own_container(in_venv, sif):
    # Whatever doesn't run in an image finds this python, which fails.
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


def test_what_pip_installs_in_the_environments_of_conda(in_venv):
    """Where conda can't be reached: it brings Python 3.11 and pip, and all else is what its pip installs."""
    study = project("conda")
    for name, target in (("light", ["prepare"]), ("tensorflow", ["predict_all"]), ("light", [])):
        folder = WORK / f"environment-{name}"
        if not (folder / "finished").exists():
            pins = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"][-1]["pip"]
            run(sys.executable, "-m", "venv", folder)
            run("pip", "install", "--quiet", *pins, path=folder / "bin")
            script = ROOT / f"envs/{name}.post-deploy.sh"
            if script.exists():
                run("bash", script, path=folder / "bin")
            (folder / "finished").touch()
        run(*SNAKEMAKE, *target, cwd=study, path=folder / "bin")
    assert results(study) == results(in_venv)


def test_the_study_predicts_something(in_venv):
    # Lest the bits be equal for want of any.
    predicted = [nib.load(path) for path in (in_venv / "results/predict").glob("*.nii.gz")]
    assert predicted
    assert all(len(np.unique(label_map.dataobj)) > 1 for label_map in predicted)
