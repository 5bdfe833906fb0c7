"""Segment scans with the page of a report in a headless Chromium, and compare the label maps with those of `segment`.

Prints, for each scan, the wall time that the page states, the CPU time of all processes of the browser until then, the
wall time of `segment`, and how many voxels of the label maps are equal. Needs Chromium.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import browsers  # noqa: E402
import click  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
from segmenters import drop, segmented  # noqa: E402

from glioseg.api import segment  # noqa: E402
from glioseg.model_files import models_in  # noqa: E402
from glioseg.predict.one_scan import find_scan  # noqa: E402
from glioseg.workflow.commands import FILE, FOLDER  # noqa: E402

browsers.PATIENCE_S = 1800


@click.command(help=__doc__)
@click.option("--page", required=True, type=FILE, help="report/segment.html of a study.")
@click.option("--model", required=True, type=click.Path(path_type=Path), help="Its models, as for segment.")
@click.option("--subject", "subjects", required=True, multiple=True, type=FOLDER, help="Folder of a scan (repeatable).")
def main(page: Path, model: Path, subjects: tuple[Path, ...]) -> None:
    click.echo(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")
    for subject in subjects:
        files = [path for path, _ in find_scan(subject, models_in([model]), None).files.values()]
        start = time.perf_counter()
        ours = segment(subject, model).segmentation
        seconds = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu = in_browser(page, files, Path(folder, "theirs.nii.gz"), Path(folder))
            theirs = np.asarray(nib.load(Path(folder, "theirs.nii.gz")).dataobj)
        differ, tumor = np.count_nonzero(ours != theirs), np.count_nonzero((ours > 0) | (theirs > 0))
        click.echo(
            f"{subject.name}: page {wall:.0f} s ({cpu:.0f} CPU seconds), segment {seconds:.1f} s; {ours.size} voxels, "
            f"{100 * (1 - differ / ours.size):.4f} % equal; {differ} differ, of {tumor} in either tumor"
        )


def in_browser(path: Path, files: list[Path], output: Path, folder: Path) -> tuple[float, float]:
    """Segment files in a new browser; returns the wall time and the CPU time of the browser (s)."""
    browser = browsers.Browser(folder / "profile")
    try:
        page = browser.open(path)
        before = cpu_seconds(browser.process.pid)
        drop(page, files)
        page.wait("document.getElementById('result').seconds || !document.getElementById('mistake').hidden")
        cpu = cpu_seconds(browser.process.pid) - before
        output.write_bytes(segmented(page))
        return page.value("document.getElementById('result').seconds"), cpu
    finally:
        browser.close()


def cpu_seconds(root: int) -> float:
    """CPU time of a process and of all below it that still run."""
    parents, times = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        parents[int(stat.parent.name)] = int(words[1])
        times[int(stat.parent.name)] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    inside = {root}
    while more := {child for child, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return sum(times[child] for child in inside if child in times)


if __name__ == "__main__":
    main()
