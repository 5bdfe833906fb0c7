"""The interactive viewer: volumes that a page carries with it, NiiVue, the server, and all of it in a browser."""

import base64
import gzip
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import urllib.request

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import MODALITIES, ROOT, write_subject
from test_report import make, written

import embed
import preprocess
import view
from glioseg.report import viewer
from glioseg.volumes.nifti import write_map

OBLIQUE = np.array([[0, 0, 2, -7], [-1, 0.1, 0, 27], [0.1, 1, 0, 3], [0, 0, 0, 1]], float)


def scan(folder, affine=None):
    """Preprocess a tiny subject; returns its folder of preprocess and its mask's path, which serves as prediction."""
    case = write_subject(folder / "data", 1, affine)
    options = {"subject": case.name, "labels": "brats2020", "forced": False, "spacing-mm": 1, "crop": "brain"}
    options |= {"normalization": "zscore", "missing": "exclude", "min-tumor-percent": 0, "output": folder / "scan"}
    words = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz", 0)]
    words += [word for name in MODALITIES for word in ("--modalities", name)]
    words += [word for name, value in options.items() for word in (f"--{name}", value)]
    mask = case / f"{case.name}_seg.nii.gz"
    result = CliRunner().invoke(preprocess.main, list(map(str, [*words, "--mask", mask, 0])))
    assert result.exit_code == 0, result.output
    return folder / "scan", mask


def script(folder, prediction, output, *words):
    options = {"scan": folder, "labels": "brats2020", "prediction": prediction, "output": output}
    words = [*map(str, words), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
    result = CliRunner().invoke(embed.embed, words)
    assert result.exit_code == 0, result.output
    return json.loads(re.fullmatch(r"const SCAN = (.*);\n", output.read_text())[1])


def volume(content, name):
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(content["volumes"][name])))


@pytest.mark.parametrize("affine", [None, OBLIQUE], ids=["lps", "oblique"])
def test_volumes_lie_where_the_scan_lies(affine, tmp_path):
    folder, mask = scan(tmp_path, affine)
    content = script(folder, mask, tmp_path / "a.js")
    assert content["images"] == list(MODALITIES)
    assert list(content["layers"]) == ["truth", "prediction", "difference"]
    whole, shown = nib.load(mask), volume(content, "truth")
    assert shown.get_data_dtype() == np.uint8 and shown.shape != whole.shape
    # The middle of the enhancing tumor, in mm: the value 4 on disk, the third class here.
    middles = [
        nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj) == value).mean(axis=0))
        for image, value in ((whole, 4), (shown, 3))
    ]
    np.testing.assert_allclose(*middles, atol=1e-3)
    assert np.count_nonzero(shown.dataobj) == np.count_nonzero(whole.dataobj)
    greys = np.asarray(volume(content, "flair").dataobj)
    assert set(np.unique(greys)) <= set(range(0, 253, 4)) and greys.max() == 252
    assert (greys == 0).any() and np.all(greys[np.asarray(shown.dataobj) > 0] > 0)
    assert not np.asarray(volume(content, "difference").dataobj).any()


def test_nothing_of_a_header_but_its_geometry_is_shown(tmp_path):
    folder, mask = scan(tmp_path)
    for path in mask.parent.glob("*.nii.gz"):
        image = nib.load(path)
        image.header["descrip"] = b"Jane Doe 1950"
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header), path)
    content = script(folder, mask, tmp_path / "a.js")
    assert all(b"Jane" not in volume(content, name).to_bytes() for name in content["volumes"])


@pytest.mark.parametrize("affine", [None, OBLIQUE], ids=["lps", "oblique"])
def test_maps_of_uncertainty_lie_over_the_scan(affine, tmp_path):
    folder, mask = scan(tmp_path, affine)
    whole = nib.load(mask)
    write_map(tmp_path / "entropy.nii.gz", np.asarray(whole.dataobj) / 4, whole.affine)
    content = script(folder, mask, tmp_path / "a.js", "--overlay", tmp_path / "entropy.nii.gz")
    assert content["overlays"] == ["entropy"]
    shown, truth = (np.asarray(volume(content, name).dataobj) for name in ("entropy", "truth"))
    # Enhancing tumor is 4 on disk and 3 here.
    assert shown[truth == 3].min() == 252 and not shown[truth == 0].any() and 120 <= shown[truth == 2].max() <= 132
    assert script(folder, mask, tmp_path / "b.js")["overlays"] == []


def test_difference_by_hand():
    truth, predicted = np.array([0, 1, 2, 3, 0, 4]), np.array([0, 0, 2, 1, 2, 0])
    assert viewer.difference(truth, predicted).tolist() == [0, 1, 0, 3, 2, 3]


def test_without_niivue_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"ipyniivue.*install what envs/requirements\.lock lists"):
        viewer.niivue()


def test_the_report_is_served_to_this_machine_alone(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/index.html").write_text("here it is")
    command = [sys.executable, ROOT / "scripts/view.py", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as server:
        try:
            address = server.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.read() == b"here it is"
        finally:
            server.terminate()
    result = CliRunner().invoke(view.view, [str(tmp_path / "report")])
    assert result.exit_code == 1 and "holds no index.html; make it" in result.output


# What the browser is asked to do, and to say in the page's title.
IN_INDEX = """
const said = [], table = document.querySelector('[aria-label="Scores per subject"] table');
const names = () => [...table.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[0].textContent);
said.push(names()[0]);
table.querySelectorAll("th button")[5].click();
said.push(names()[0]);
const box = document.querySelector("#subjects .filter input");
box.value = "subject_3"; box.dispatchEvent(new Event("input"));
said.push(names().join());
const points = [...document.querySelectorAll("svg [data-points] a")];
points[0].focus(); points[0].dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
said.push(document.activeElement === points[1], points[1].getAttribute("href"));
document.title = JSON.stringify(said);
"""
IN_PAGE = """
(async () => {
  const canvas = document.querySelector("canvas"), wait = ms => new Promise(done => setTimeout(done, ms));
  for (let tries = 0; tries < 100 && !canvas.viewer; tries++) await wait(100);
  const picture = () => {
    canvas.viewer.drawScene();
    const gl = canvas.viewer.gl, bytes = new Uint8Array(4 * canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    let lit = 0, colored = 0;
    for (let at = 0; at < bytes.length; at += 4) {
      lit += bytes[at] > 40;
      colored += Math.abs(bytes[at] - bytes[at + 2]) > 40;
    }
    return [lit, colored];
  };
  const before = picture(), slider = document.querySelectorAll("form input[type=range]")[1];
  const rims = document.querySelector("form input[type=checkbox]");
  rims.click();
  const outlined = picture();
  rims.click();
  slider.value = 0; slider.dispatchEvent(new Event("input"));
  const place = document.getElementById("place").textContent;
  canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "PageUp", bubbles: true}));
  const moved = place !== document.getElementById("place").textContent;
  const without = picture(), last = [...document.querySelectorAll("form input[type=range]")].at(-1);
  last.value = 1; last.dispatchEvent(new Event("input"));
  const said = document.getElementById("place").textContent;
  document.title = JSON.stringify([before, outlined, without, picture(), moved, said]);
})();
"""


def browse(page, code):
    """What a browser makes of a page: the title that the code, added at its end, wrote; no error may be told."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium is installed")
    page.write_text(page.read_text().replace("</body>", f"<script>{code}</script></body>"))
    words = ["--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--window-size=500,700"]
    words += ["--enable-unsafe-swiftshader", "--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom"]
    profile = f"--user-data-dir={page.parent}/profile"
    result = subprocess.run([browser, *words, profile, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert not re.findall(r"CONSOLE.*(?:Error|Refused|violates).*", result.stderr)
    title = re.search(r"<title>(.*?)</title>", result.stdout, re.S)[1]
    return json.loads(title.replace("&quot;", '"').replace("&amp;", "&"))


def test_tables_sort_and_filter_and_points_are_reached_by_keys_in_a_browser(tmp_path):
    options = make(tmp_path, {f"subject_{place}": place / 10 for place in range(9, 0, -1)})
    written(options)
    said = browse(tmp_path / "report/index.html", IN_INDEX)
    assert said == ["subject_1", "subject_9", "subject_3", True, "subjects/subject_2.html"]


ALONE = """
const links = document.querySelectorAll('a[href$=".html"]').length;
document.title = JSON.stringify([links, document.getElementById("alone").hidden]);
"""


def test_a_report_without_its_pages_has_no_links_that_lead_nowhere(tmp_path):
    written(make(tmp_path, {"good": 0.9, "bad": 0.3}))
    (tmp_path / "sent").mkdir()
    shutil.copy(tmp_path / "report/index.html", tmp_path / "sent")
    links, hidden = browse(tmp_path / "report/index.html", ALONE)
    assert links > 10 and hidden
    assert browse(tmp_path / "sent/index.html", ALONE) == [0, False]


def test_the_viewer_draws_in_a_browser(tmp_path):
    folder, mask = scan(tmp_path)
    written(make(tmp_path, {"good": 0.9}))
    whole = nib.load(mask)
    write_map(tmp_path / "entropy.nii.gz", np.full(whole.shape, 0.8), whole.affine)
    script(folder, mask, tmp_path / "report/volumes/good.js", "--overlay", tmp_path / "entropy.nii.gz")
    (lit, colored), (_, outlined), (_, without), (_, unsure), moved, said = browse(
        tmp_path / "report/subjects/good.html", IN_PAGE
    )
    assert lit > 5000, "the brain is there"
    assert colored > 500 and without < colored / 10, "the overlay is there, and goes"
    assert without < outlined < 0.8 * colored, "outlines color less"
    assert unsure > 5 * colored, "the map of uncertainty is there once it is asked for"
    assert "entropy 0.79" in said
    assert moved, "keys move the crosshair"
