"""The code of docs/onnx.md, as it stands there, segments a scan like `segment`, without anything of glioseg."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from examples import TISSUES, score
from studies import MODALITIES, ROOT, SETTINGS, write_subject
from test_documented_commands import blocks

import export
import segment
from glioseg.labels import REGIONS, region, to_classes
from glioseg.preprocess.scan import preprocess_scan

BLOCKS = blocks(ROOT / "docs/onnx.md", "python")
# Blocks of which the reader takes one, by a word in each.
WAYS = {"patches": "gaussian(", "whole": "-length % side", "classes": "argmax", "regions": "> 0.5"}
# Axes in another order than the network's, and one of them in steps of 1 or of 1.5 mm.
AFFINE = np.array([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
COARSE = AFFINE * [1, 1, 1.5, 1]


def save_network(folder, scan, targets, patch=48, **prepared):
    """Write a network that knows the mean intensity of each tissue in a scan, and what training writes beside it.

    It looks one voxel to the right and one to the top, so that axes in another order or direction change its output.
    patch: its side; prepared: settings that override those of `SETTINGS`.
    """
    import keras

    prepared = SETTINGS | prepared
    images = {name: (scan / f"{scan.name}_{name}.nii.gz", 0) for name in MODALITIES}
    mask = (scan / f"{scan.name}_seg.nii.gz", 0)
    _, arrays = preprocess_scan(scan.name, images, mask, prepared)
    means = np.array([arrays["image"][arrays["mask"] == tissue].mean(0, dtype=float) for tissue in range(4)])
    image = keras.Input((patch, patch, patch, 4))
    # The nearest mean has the largest scalar product, less half of the mean's own.
    nearest = keras.layers.Conv3D(4, 3, activation="softmax", padding="same")
    tissues = output = nearest(image)
    kernel = np.zeros((3, 3, 3, 4, 4))
    kernel[0, 1, 2] = 20 * means.T
    nearest.set_weights([kernel, -10 * (means**2).sum(1)])
    if targets == "regions":
        inside = np.array([[name in REGIONS[key] for key in ("WT", "TC", "ET")] for name in TISSUES], float)
        join = keras.layers.Conv3D(3, 1, activation="sigmoid")
        output = join(tissues)
        join.set_weights([20 * inside.reshape(1, 1, 1, 4, 3), np.full(3, -10.0)])
    folder.mkdir(parents=True)
    keras.Model(image, output).save(folder / "model.keras")
    settings = {"classes": list(TISSUES), "targets": targets, "network": "unet", "filters": [4, 8], "seed": 1}
    settings["patch"] = [patch] * 3
    study = {"modalities": list(MODALITIES), "labels": "brats2020", "preprocess": prepared}
    facts = {"fold": folder.name, "parameters": 20, "subjects": [], "validation_subjects": []}
    (folder / "settings.json").write_text(json.dumps({"settings": settings, "study": study, **facts}))


def call(command, *words):
    done = CliRunner().invoke(command, list(map(str, words)))
    assert done.exit_code == 0, done.output


def code_of_the_page(*ways):
    """All Python of the page, but only these of its alternatives."""
    left_out = [word for way, word in WAYS.items() if way not in ways]
    kept = [block for block in BLOCKS if not any(word in block for word in left_out)]
    assert len(kept) == len(BLOCKS) - len(left_out)
    return "".join(kept)


@pytest.mark.parametrize(
    ("targets", "how", "affine"),
    [
        ("classes", "patches", AFFINE),
        ("regions", "patches", COARSE),
        ("classes", "whole", COARSE),
        ("regions", "whole", AFFINE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_code_of_the_page_segments_a_scan(targets, how, affine, tmp_path):
    scan = write_subject(tmp_path / "data", 3, affine)
    for model in ("0", "1"):
        save_network(tmp_path / "A/train" / model, scan, targets)
    bundle = tmp_path / "models.glioseg.zip"
    call(export.export, tmp_path / "A", "--output", bundle)
    call(segment.segment, "--model", bundle, "--subject", scan, "--output", tmp_path / "ours.nii.gz")
    for name in MODALITIES:
        (tmp_path / f"{name}.nii.gz").symlink_to(scan / f"{scan.name}_{name}.nii.gz")
    # Isolated: neither this folder nor the tests' paths can be imported from.
    done = subprocess.run(
        [sys.executable, "-I", "-c", code_of_the_page(targets, how)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"(1, {4 if targets == 'classes' else 3}, 48, 48, 48)" in done.stdout
    images = [nib.load(path) for path in (tmp_path / "segmentation.nii.gz", tmp_path / "ours.nii.gz")]
    assert np.allclose(images[0].affine, images[1].affine)
    found, ours = (to_classes(np.asarray(image.dataobj), "brats2020") for image in images)
    truth = to_classes(np.asarray(nib.load(scan / f"{scan.name}_seg.nii.gz").dataobj), "brats2020")
    for name in ("WT", "TC", "ET"):
        inside = [region(classes, name) for classes in (found, ours, truth)]
        assert score("dice", inside[1], inside[0]) > 0.99
        assert score("dice", inside[2], inside[0]) > 0.7
    assert np.asarray(images[0].dataobj).dtype == np.uint8
