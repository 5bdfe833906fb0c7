"""Shared by the container tests: copies of the project, a base image without a registry, and running commands."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from studies import ROOT

# Kept between runs, since it takes long to make: the base system and the images of podman and Apptainer.
WORK = Path(__file__).parent / ".work"
APPTAINER = WORK / "tools/usr/bin"

# A study that runs every rule: six phantoms, coarse enough to take one or two minutes.
STUDY = {
    "synthesize": {"subjects": 6},
    "preprocess": {"spacing_mm": 3.0},
    "train": {"filters": [8, 16], "patch": [32, 32, 32], "epochs": 50, "steps_per_epoch": 10, "warmup_steps": 5},
    "summarize": {"bootstrap": 50},
}

# For podman as root on machines where ulimits cannot be raised, with the runtime that works there.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
"""


def need(*programs: str) -> None:
    """Skip the test if a program is missing or the user is not root."""
    missing = [name for name in programs if shutil.which(name, path=f"{APPTAINER}:{os.environ['PATH']}") is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: tests/containers/install-tools {WORK / 'tools'}")
    if os.geteuid() != 0:
        pytest.skip("needs root: mmdebstrap makes the base system of the images")


def environment(first: Path) -> dict[str, str]:
    """The same few environment variables for each study, with the folder `first` at the start of PATH."""
    WORK.mkdir(exist_ok=True)
    (WORK / "tmp").mkdir(exist_ok=True)
    (WORK / "containers.conf").write_text(CONTAINERS_CONF)
    site = {name: value for name, value in os.environ.items() if name in ("PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE")}
    return site | {
        "PATH": f"{first}:{APPTAINER}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(WORK / "tmp"),
        "LANG": "C.UTF-8",
        "CONTAINERS_CONF": str(WORK / "containers.conf"),
        # For machines whose root lacks CAP_SYS_RESOURCE.
        "APPTAINER_DROP_CAPS": "CAP_SYS_RESOURCE",
        "APPTAINER_TMPDIR": str(WORK / "tmp"),
        "APPTAINER_CACHEDIR": str(WORK / "tmp"),
    }


def run(*command: object, cwd: Path = ROOT, path: Path = APPTAINER, within_s: int = 1800) -> str:
    """Run a command and return its output; the test fails if the command fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within_s,
    )
    assert done.returncode == 0, f"{command[:3]} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


def project(name: str) -> Path:
    """Copy the project's files (tracked or not ignored) and the study's settings; delete results of earlier tests."""
    folder = WORK / name
    shutil.rmtree(folder / "results", ignore_errors=True)
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for path in listed:
        if (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            # Keep the modification time, so that make builds an image again only if its sources changed.
            shutil.copy2(ROOT / path, folder / path)
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return folder


def base() -> Path:
    """The archive of a Debian 12 root file system with Python, its venv module and make, made without a registry."""
    need("mmdebstrap", "tar")
    archive = WORK / "base.tar"
    if not archive.exists():
        unfinished = archive.with_name("base.part.tar")
        environment(APPTAINER)
        run("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3-venv,make", "bookworm", unfinished)
        unfinished.rename(archive)
    return archive


def pip_settings() -> Path:
    """A folder with the pip settings of this machine (certificates, index), mounted as /mnt while an image is built."""
    folder = WORK / "pip"
    folder.mkdir(exist_ok=True, parents=True)
    lines = ["[global]", "timeout = 180"]
    certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    (folder / "ca.crt").write_bytes(Path(certificates).read_bytes() if certificates else b"")
    if certificates:
        lines.append("cert = /mnt/ca.crt")
    if "PIP_INDEX_URL" in os.environ:
        lines.append(f"index-url = {os.environ['PIP_INDEX_URL']}")
    (folder / "pip.conf").write_text("\n".join([*lines, ""]))
    return folder


def podman_base() -> str:
    """The base system as an image of podman."""
    need("podman", "runc", "mmdebstrap")
    if not run("podman", "images", "--quiet", "glioseg-test-base").strip():
        run("podman", "import", "--quiet", base(), "glioseg-test-base")
    return "localhost/glioseg-test-base"


def podman_image(kind: str, lock: str) -> str:
    """Build an image with containers/Containerfile from a lock file, on our base system."""
    start, site, tag = podman_base(), pip_settings(), f"glioseg-test-{kind}"
    run(
        *("podman", "build", "--network", "host", "--file", "containers/Containerfile", "--tag", tag),
        *("--build-arg", f"BASE={start}", "--build-arg", f"LOCK={lock}"),
        *("--secret", f"id=pip.conf,src={site}/pip.conf", "--secret", f"id=ca.crt,src={site}/ca.crt"),
        ".",
        cwd=project("image"),
    )
    return f"localhost/{tag}"
