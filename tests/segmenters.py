"""The page of the report that segments scans: models for it, and a browser that drops files onto it."""

import base64
import json
from pathlib import Path

import pytest
from browsers import Page
from click.testing import CliRunner

import embed_model
from glioseg.report.segmenter.runtime import insist_on_runtime

PREDICT = {"overlap": 0.5, "flips": [], "smallest_enhancing_ml": 0.2, "smallest_component_ml": 0.5}
PREDICT |= {"threshold_wt": 0.5, "threshold_tc": 0.5, "threshold_et": 0.5}


def needs_runtime() -> None:
    """Skip the test if onnxruntime-web is not installed."""
    try:
        insist_on_runtime()
    except ValueError as error:
        pytest.skip(str(error))


def embedded(models: list[Path], output: Path, **settings) -> Path:
    """Write the page for models; settings override those of `PREDICT`."""
    words = [word for model in models for word in ("--model", str(model))]
    words += ["--predict", json.dumps(PREDICT | settings), "--title", "", "--output", str(output)]
    done = CliRunner().invoke(embed_model.embed_model, words)
    assert done.exit_code == 0, done.output
    return output


def drop(page: Page, files: list[Path]) -> None:
    """Give files to the page, as its button does."""
    picker = page.ask("Runtime.evaluate", expression="document.getElementById('picker')")["result"]["objectId"]
    page.ask("DOM.setFileInputFiles", files=[str(path.resolve()) for path in files], objectId=picker)


def said(page: Page) -> str:
    return page.value("document.getElementById('status').textContent")


def mistake(page: Page) -> str:
    """Wait for the sentence that says why the files are not segmented."""
    page.wait("!document.getElementById('mistake').hidden")
    return page.value("document.getElementById('mistake').textContent")


def segmented(page: Page) -> bytes:
    """Wait for the segmentation; returns the file that the page offers."""
    page.wait("document.getElementById('result').shown || !document.getElementById('mistake').hidden")
    assert page.value("document.getElementById('mistake').textContent") == ""
    text = page.value(
        """fetch(document.getElementById("download").href).then(answer => answer.blob()).then(content =>
            new Promise(done => {
                const reader = new FileReader();
                reader.onload = () => done(reader.result.split(",")[1]);
                reader.readAsDataURL(content);
            }))"""
    )
    return base64.b64decode(text)
