"""Renew the pictures of README and docs from a finished run, so that they show what the code does: `make pictures`."""

import io
import shutil
import tempfile
from pathlib import Path

import click
from browsers import Browser
from PIL import Image

FOLDER = Path(__file__).parent.parent / "docs/pictures"
WIDTH, HEIGHT = 1100, 1030
READY = "(document.getElementById('place')?.textContent ?? 'no viewer').startsWith('Loading') === false"


def renew(browser: Browser, results: Path, folder: Path) -> None:
    """Write the pictures of a finished run: two figures, the top of its report, and the viewer of its worst subject."""
    index = browser.open(results / "report/index.html", WIDTH)
    subject = index.value("document.querySelector('article h4').textContent")
    _save(index.picture(0, 0, WIDTH, HEIGHT), folder / "report.png")
    index.close()
    page = browser.open(results / f"report/subjects/{subject}.html", WIDTH)
    page.wait(READY)
    box = page.value("(({x, y, width, height}) => [x, y + scrollY, width, height])"
                     "(document.getElementById('viewer').getBoundingClientRect())")  # fmt: skip
    _save(page.picture(*box), folder / "viewer.png")
    page.close()
    shutil.copy(results / f"plot/subjects/{subject}/planes.png", folder / "planes.png")
    shutil.copy(results / "plot/calibration.png", folder / "calibration.png")


def _save(drawn: bytes, path: Path) -> None:
    """Write a PNG in its own colors, since a palette may merge two of the legend."""
    Image.open(io.BytesIO(drawn)).convert("RGB").save(path, optimize=True)


@click.command(help=__doc__)
@click.option("--results", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(results: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(Path(profile))
        try:
            renew(browser, results.resolve(), FOLDER)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
