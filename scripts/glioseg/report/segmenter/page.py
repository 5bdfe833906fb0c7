"""The page of the report that holds the models and segments scans in the browser, with onnxruntime-web.

A page that is opened from disk may not load other files, so this one holds everything: the networks and the runtime as
blocks of base64, and all code. Only code with one of the hashes in its policy runs, and workers that it starts itself.
"""

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from glioseg.colors import TISSUES
from glioseg.export.onnx import onnx_networks
from glioseg.labels import CLASSES, REGION_NAMES, REGIONS, regions_of, to_values
from glioseg.layouts.modalities import names_of
from glioseg.model_files import ModelFile, by_region, size_thresholds
from glioseg.predict.decide import HALF
from glioseg.predict.keras_file import input_shape
from glioseg.predict.model_facts import read_facts
from glioseg.predict.one_scan import insist_on_study
from glioseg.predict.postprocess import LEAST_SHARE
from glioseg.predict.sliding_window import AXES
from glioseg.report.pages import pages_under
from glioseg.report.segmenter.runtime import onnxruntime_web
from glioseg.report.viewer import niivue

# In the order in which they need each other.
WORKER = ("unpack.js", "nifti.js", "prepare.js", "windows.js", "restore.js", "worker.js")
PAGE = ("files.js", "unpack.js", "nifti.js", "steer.js", "show.js", "page.js")
# What these scripts know of `glioseg.preprocess.normalize`.
NORMALIZATIONS = ("zscore", "zscore_robust", "percentile", "minmax", "minmax_slice")
# `data:` is for the letters that NiiVue draws, `wasm-unsafe-eval` for the network.
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src {hashes} 'wasm-unsafe-eval'; "
    "worker-src blob:; connect-src data: blob:; form-action 'none'; base-uri 'none'"
)


def segmenter_page(models: Sequence[ModelFile], predict: Mapping, title: str) -> str:
    """The page, as HTML. predict: the configuration section `predict`; title: of the report.

    The thresholds that the models' study chose count more than those of `predict`, as in the command `segment`. Raises
    ValueError if the models cannot be used in a browser, or if onnxruntime-web is not installed.
    """
    how = segmenter_facts(models, predict)
    networks, why = onnx_networks(models)
    if why:
        raise ValueError(
            f"report: model needs networks that can be written as ONNX, but {why}; set report: model to false"
        )
    runtime, wasm, version = onnxruntime_web()
    blocks = {f"model-{number}": packed(network) for number, network in enumerate(networks)}
    blocks |= {"wasm": packed(wasm), "worker": packed("\n".join([runtime, *map(script, WORKER)]).encode())}
    scripts = [in_html(text) for text in (niivue(), "\n".join(map(script, PAGE)))]
    digests = [base64.b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    policy = POLICY.format(hashes=" ".join(f"'sha256-{digest}'" for digest in digests))
    templates = pages_under("")
    templates.policies["json.dumps_kwargs"] = {"sort_keys": False}
    page = templates.get_template("segment/segment.html.j2").render(
        title=title, how=how, blocks=blocks, scripts=scripts, policy=policy, version=version
    )
    first, *others = page.split("<script></script>")
    return first + "".join(f"<script>{text}</script>{rest}" for text, rest in zip(scripts, others, strict=True))


def segmenter_facts(models: Sequence[ModelFile], predict: Mapping) -> dict:
    """What the page needs to know of the models to segment a scan as `segment` does, for its scripts.

    Raises ValueError if the models do not fit each other, or prepare scans in a way that the page does not know.
    """
    facts = read_facts(models)
    study = insist_on_study(facts, models[0])
    prepared = study["preprocess"]
    if prepared["normalization"] not in NORMALIZATIONS:
        raise ValueError(
            f"report: model knows the normalizations {', '.join(NORMALIZATIONS)}, found {prepared['normalization']}; "
            "set report: model to false"
        )
    settings = {**predict, **size_thresholds(models)}
    return {
        "models": len(models),
        "modalities": study["modalities"],
        "names": names_of(list(study["modalities"])),
        **{name: prepared[name] for name in ("spacing_mm", "crop", "normalization", "missing")},
        "patch": input_shape(models[0])[:3],
        "overlap": settings["overlap"],
        "flips": sorted({AXES.index(name) for name in settings["flips"]}),
        "targets": facts.targets,
        "outputs": facts.channels,
        # A region without a threshold, such as RC, has that of `decide`.
        "thresholds": {name: by_region(settings).get(name, HALF) for name in REGIONS},
        "smallest_enhancing_ml": settings["smallest_enhancing_ml"],
        "smallest_component_ml": settings["smallest_component_ml"],
        "least_share": LEAST_SHARE,
        "classes": CLASSES,
        "colors": TISSUES,
        "labels": study["labels"],
        "values": to_values(np.arange(len(CLASSES)), study["labels"]).tolist(),
        "regions": {name: REGIONS[name] for name in regions_of([study["labels"]])},
        "region_names": REGION_NAMES,
    }


def script(name: str) -> str:
    """The text of a script of the page."""
    return (Path(__file__).parents[1] / "templates/segment" / name).read_text(encoding="utf-8")


def packed(content: bytes) -> str:
    """The content of a block of the page: compressed, as base64."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def in_html(code: str) -> str:
    """JavaScript that means the same, and in which a page finds neither the end of its script nor a comment."""
    return re.sub(r"<(?=/script|!--|script)", r"\\x3c", code, flags=re.IGNORECASE)
