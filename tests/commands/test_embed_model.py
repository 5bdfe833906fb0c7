"""The command `embed_model`: the page is whole, its policy is tight, and what cannot be embedded is refused."""

import base64
import gzip
import hashlib
import json
import re

import pytest
from click.testing import CliRunner
from segmenters import PREDICT, embedded, needs_runtime
from studies import write_subject
from test_onnx_page import save_network

import embed_model
from glioseg.export.onnx import onnx_networks
from glioseg.model_files import models_of
from glioseg.report.segmenter import page


@pytest.fixture
def models(tmp_path):
    """A results folder with two models."""
    scan = write_subject(tmp_path / "data", 3)
    for name in ("0", "1"):
        save_network(tmp_path / "A/train" / name, scan, "classes", 24)
    return tmp_path / "A"


def test_the_page_is_whole_and_only_its_own_scripts_run(models, tmp_path):
    needs_runtime()
    text = embedded([models], tmp_path / "segment.html").read_text()
    blocks = dict(re.findall(r'<script type="text/plain" id="([\w-]+)">(.*?)</script>', text))
    assert list(blocks) == ["model-0", "model-1", "wasm", "worker"]
    content = {name: gzip.decompress(base64.b64decode(block)) for name, block in blocks.items()}
    assert [content["model-0"], content["model-1"]] == onnx_networks(models_of(models))[0]
    assert content["wasm"].startswith(b"\0asm")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert len(scripts) == 2 and "class" in scripts[0] and "modalityOf" in scripts[1]
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', text)[1].replace("&#39;", "'")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert rules["default-src"] == "'none'" and rules["worker-src"] == "blob:"
    assert rules["form-action"] == rules["base-uri"] == "'none'" and rules["connect-src"] == "data: blob:"
    assert rules["script-src"].split() == [*(f"'sha256-{digest}'" for digest in digests), "'wasm-unsafe-eval'"]
    assert not re.search(r"""<(script|link|img)[^>]*\b(src|href)=|@import|url\(['"]?http""", text.split("<script>")[0])
    assert "It is for research and no diagnosis" in text and "No file leaves this computer" in text


def test_the_thresholds_that_the_study_chose_count(models):
    chosen = PREDICT | {"smallest_component_ml": 0.125}
    assert page.segmenter_facts(models_of(models), chosen)["smallest_component_ml"] == 0.125
    tuned = {"smallest_enhancing_ml": 0.75, "smallest_component_ml": 0.25}
    (models / "tune_postprocess").mkdir()
    (models / "tune_postprocess/all.json").write_text(json.dumps(tuned))
    facts = page.segmenter_facts(models_of(models), chosen)
    assert {name: facts[name] for name in tuned} == tuned and facts["overlap"] == 0.5
    assert facts["values"] == [0, 1, 2, 4, 0, 1] and facts["models"] == 2


def refused(place, output):
    words = ["--model", str(place), "--predict", json.dumps(PREDICT), "--title", "", "--output", str(output)]
    done = CliRunner().invoke(embed_model.embed_model, words)
    assert done.exit_code and not output.exists()
    return done.output


def test_models_that_a_browser_cannot_use_are_refused(models, tmp_path, monkeypatch):
    settings = models / "train/1/settings.json"
    monkeypatch.setattr(page, "onnx_networks", lambda models: ([], "the network has a layer of type Odd"))
    output = tmp_path / "segment.html"
    assert "but the network has a layer of type Odd; set report: model to false" in refused(models, output)
    facts = json.loads(settings.read_text())
    facts["study"]["preprocess"]["normalization"] = "by_maximum"
    settings.write_text(json.dumps(facts))
    expected = "knows the normalizations zscore, zscore_robust, percentile, minmax, minmax_slice, found by_maximum"
    assert expected in refused(models / "train/1", output)


def test_scripts_cannot_end_the_element_that_holds_them():
    code = page.in_html("const a = '</SCRIPT><!-- <script>', b = 1 < 2;")
    assert code == r"const a = '\x3c/SCRIPT>\x3c!-- \x3cscript>', b = 1 < 2;"
