"""The command `report`: self-contained, escaped, worst cases first, and complete for any run."""

import hashlib
import json
import re
import shutil
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from reports import EVIL, REASON, SCORES, make, scan, script, written
from studies import ledger_of

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS, calibration_rows
from glioseg.evaluate.parts.groups import GROUP_COLUMNS
from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS
from glioseg.evaluate.score_table import DASH
from glioseg.files import read_table, write_table
from glioseg.preprocess.findings import CHECKS
from glioseg.report import gallery, tables
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.volumes.nifti import write_map

EVIL_SUBJECT = "<script>alert(1)<img src=x onerror=alert(2)> \"'&%41#?"  # a file name cannot contain a slash


def test_uncertainty_and_tuned_thresholds_are_shown(tmp_path):
    index = written(make(tmp_path, {"good": 0.9, "bad": 0.3}))
    assert index.count("0.123") == 2, "a column of the subjects' table"
    assert "0.456" in index, "the subject without a mask"
    assert (
        "of the 3 scored subjects, 3 reach theirs" in index
        and cells(index, "Uncertainty and volumes")[1][-1] == "0.500"
    )
    assert re.search(r"for test and new subjects, 0.7&nbsp;ml of enhancing tumor .* \(mean Dice \+0.0123", index)
    assert "for fold 0, 0.7&nbsp;ml" in index and "All values tried" in index
    options = make(tmp_path / "one fold", {"good": 0.9})
    index = written(options[4:])
    assert "Size thresholds" not in index


def test_what_a_model_went_on_from_is_said(tmp_path):
    options = make(tmp_path, {"good": 0.9})
    assert "The training goes on" not in written(options)
    facts = json.loads((tmp_path / "train/0/settings.json").read_text())
    sentences = ["The training goes on from the model 0123.", f"The last layer starts from {EVIL}."]
    (tmp_path / "train/0/settings.json").write_text(json.dumps(facts | {"start": {"sentences": sentences}}))
    index = written(options)
    assert "<p>The training goes on from the model 0123. The last layer starts from &lt;script&gt;" in index
    assert EVIL not in index


class Outline(HTMLParser):
    """Tags left open, images without alternative text, and addresses."""

    EMPTY = ("meta", "img", "br", "input", "link", "hr")

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.addresses, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.scripts += tag == "script"
        self.addresses += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "img" and not attributes.get("alt"):
            self.wrong.append("img without alt")
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize(
    "content",
    [
        {"dice": {"good": 0.9, "bad": 0.3}},
        {"dice": {}},
        {"dice": {}, "excluded": False, "new": False},
        {"dice": {"only": 0.5}, "excluded": False, "baselines": False, "new": False},
        {"dice": {EVIL_SUBJECT: 0.4, "good": 0.9}},
    ],
    ids=["usual", "nothing scored", "nothing at all", "one subject", "hostile name"],
)
def test_page_is_well_formed_and_self_contained(content, tmp_path):
    html = written(make(tmp_path, **content))
    outline = Outline()
    outline.feed(html)
    assert (outline.wrong, outline.open) == ([], [])
    pages = [address for address in outline.addresses if not address.startswith(("data:image/png;base64,", "#"))]
    assert all((tmp_path / "report" / unquote(address.partition("#")[0])).is_file() for address in pages)
    assert outline.scripts == 2, "the page's own, and the check for the subject pages"
    assert "http://" not in html
    assert "https://" not in html
    assert EVIL not in html and EVIL_SUBJECT not in html
    for path in (tmp_path / "report/subjects").glob("*.html"):
        outline = Outline()
        outline.feed(path.read_text())
        assert (outline.wrong, outline.open) == ([], []), path
        assert EVIL_SUBJECT not in path.read_text()
        scripts = [address for address in outline.addresses if address.endswith(".js")]
        assert outline.scripts == 1 + (len(scripts) + 1 if scripts else 0), "only the page's own"
        others = [unquote(address) for address in outline.addresses if not address.startswith(("data:", "#"))]
        assert all((path.parent / address).is_file() for address in others), others


def test_page_says_what_was_excluded_and_why(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}))
    assert REASON in html
    assert "3 subjects found, 2 included, 1 excluded" in html


def change(root: Path, rows: dict[str, dict], more: tuple = ()) -> None:
    """Change rows of the cohort that `make` wrote, by subject; `more`: additional columns."""
    cohort = read_table(root / "cohort.tsv")
    write_table(root / "cohort.tsv", (*COHORT_COLUMNS, *more), [row | rows.get(row["subject"], {}) for row in cohort])


def cells(html: str, start: str) -> list[list[str]]:
    """The cells of the first table after `start`."""
    table = html[html.index(start) :].split("<table", 1)[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.S)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def test_page_counts_what_the_checks_found(tmp_path):
    options = make(tmp_path, {name: 0.9 for name in ("good", "odd", "forced", "copy")})
    change(
        tmp_path,
        {
            "odd": {"verdict": "warned", "checks": "far_spacing,flipped", "reason": "thick; t1 is mirrored"},
            "forced": {"verdict": "warned", "checks": "spacing", "reason": "the voxels of t1 measure 2 mm"},
            "copy": {"verdict": "warned", "checks": "duplicate", "reason": "its t1 has the voxels of good's"},
            "broken": {"checks": "missing,far_spacing"},
        },
    )
    html = written(options)
    assert "6 subjects found, 5 included (3 with warnings), 1 excluded" in html
    assert cells(html, "<h3>Excluded</h3>")[1:] == [["broken", "missing, far_spacing", REASON]]
    assert cells(html, "<h3>Included with warnings</h3>")[1:] == [
        ["odd", "far_spacing, flipped", "thick; t1 is mirrored"],
        ["forced", "spacing", "the voxels of t1 measure 2 mm"],
        ["copy", "duplicate", "its t1 has the voxels of good&#39;s"],
    ]
    # Check, excluded subjects, subjects with warnings; in the order of CHECKS, then checks from elsewhere.
    assert cells(html, "<h3>Checks</h3>")[1:] == [
        ["missing", "1", "0"],
        ["spacing", "0", "1"],
        ["far_spacing", "0", "2"],
        ["flipped", "0", "1"],
        ["duplicate", "0", "1"],
    ]
    (silent,) = re.findall(r"Checks without findings: (.*?)\.", html)
    assert silent.split(", ") == [
        name for name in CHECKS if name not in ("missing", "spacing", "far_spacing", "flipped")
    ]


def test_page_without_findings_names_the_checks(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}, excluded=False))
    assert "2 subjects found, 2 included, 0 excluded" in html
    assert "Included with warnings" not in html and "Subjects with warnings" not in html
    assert f"Checks without findings: {', '.join(CHECKS)}." in html


def test_page_shows_covariates_and_label_dialects_that_differ(tmp_path):
    options = make(tmp_path, {"good": 0.9, "old": 0.8}, new=False, excluded=False)
    heading = "included subjects</summary>"
    assert "Label dialect" not in str(cells(written(options), heading)[0])
    covariates = {"good": {"grade": "HGG", "age": "61.5"}, "old": {"labels": "msd", "grade": "LGG"}}
    change(tmp_path, covariates, ("grade", "age", "nothing"))
    names, *rows = cells(written(options), heading)
    volumes = ["Tumor, ml", "Enhancing, ml", "Lost to cropping, %"]
    assert names == ["Subject", "Fold", "Label dialect", *volumes, "grade", "age"]
    dash = "\N{EN DASH}"
    assert [[row[place] for place in (0, 2, 6, 7)] for row in rows] == [
        ["good", "brats2020", "HGG", "61.5"],
        ["old", "msd", "LGG", dash],
    ]
    assert tables.covariates(read_table(tmp_path / "cohort.tsv")) == {"grade": False, "age": True}


def test_a_cavity_has_columns_if_it_was_scored(tmp_path):
    options = make(tmp_path, {"operated": 0.5, "other": 0.75})
    assert "cavity" not in written(options)
    metrics = {"dice": 0.25, "hd95_mm": 7, "sensitivity": 0.3, "specificity": 0.98, "truth_ml": 5, "predicted_ml": 6}
    with (tmp_path / "subjects.tsv").open("a") as lines:
        lines.writelines(f"network\toperated\toperated\t0\tRC\t{name}\t{value}\n" for name, value in metrics.items())
    with (tmp_path / "scores.tsv").open("a") as lines:
        lines.write("network\tRC\tdice\t1\t1\t0.25\t0.25\t0.25\t0.25\tnan\tnan\n")
    html = written(options)
    outline = Outline()
    outline.feed(html)
    assert (outline.wrong, outline.open) == ([], [])
    assert re.search(r"Mean Dice, resection cavity</dt><dd>0\.250<small>no interval\s+\(n = 1\)", html)
    names, *rows = cells(html, 'aria-label="Scores per subject"')
    dash = "\N{EN DASH}"
    assert names[2:] == [
        *("Dice WT", "Dice TC", "Dice ET", "Dice mean", "Dice RC"),
        *("HD95 WT", "HD95 TC", "HD95 ET", "HD95 RC", "Truth, ml", "Predicted, ml", "Uncertainty"),
    ]
    assert rows[0][:1] + rows[0][2:11] == ["operated", *["0.500"] * 4, "0.250", "3.0", "3.0", "3.0", "7.0"]
    assert (rows[1][0], rows[1][6], rows[1][10]) == ("other", dash, dash)
    header, _, network, baseline = cells(html, 'aria-label="Scores"')[:4]
    assert header[-1] == "resection cavity" and baseline[-1] == dash
    assert network[-1].split("]")[1].startswith(" (n = 1)")


def test_a_subject_without_a_mask_is_shown_whatever_its_fold(tmp_path):
    """A scan without a mask can have a numbered fold: that of a duplicate with a mask."""
    options = make(tmp_path, {"good": 0.9})
    change(tmp_path, {"unmasked": {"fold": "0"}})
    assert ">unmasked</a></h4>" in written(options)


def test_a_subject_for_training_only_is_named_but_has_no_page(tmp_path):
    options = make(tmp_path, {"good": 0.9})
    rows = read_table(tmp_path / "cohort.tsv")
    learned = {**rows[0], "subject": "learned", "patient": "learned", "fold": "train"}
    write_table(tmp_path / "cohort.tsv", COHORT_COLUMNS, [*rows, {**learned, "verdict": "warned", "reason": "thick"}])
    page = written(options)
    assert page.count("learned</th>") == 2 and "learned.html" not in page, "in the tables of warnings and of the cohort"
    assert {path.stem for path in (tmp_path / "report/subjects").glob("*.html")} == {"good", "unmasked", "broken"}


def test_page_shows_tumor_lost_to_cropping(tmp_path):
    text = re.sub(r"\s|&nbsp;", " ", written(make(tmp_path, {"good": 0.9})))
    assert "part of the tumor in 1 of 1 subjects" in text
    assert 'largest is 2.50 % (<a href="subjects/good.html">good</a>)' in text


def test_gallery_shows_worst_and_best_up_to_its_size(tmp_path):
    dice = {f"subject_{place}": place / 10 for place in range(9, 0, -1)}
    options = make(tmp_path, dice, new=False)
    headings = re.findall(r"<h4><a[^>]*>(.*?)</a></h4>", written(options))
    assert headings == [f"subject_{place}" for place in (1, 2, 3, 9, 8, 7)]
    options[options.index("--gallery") + 1] = "5"
    assert re.findall(r"<h4><a[^>]*>(.*?)</a></h4>", written(options)) == [f"subject_{place}" for place in range(1, 10)]
    options[options.index("--gallery") + 1] = "0"
    assert "<h4>" not in written(options)


def test_page_without_scores_shows_the_predictions(tmp_path):
    html = written(make(tmp_path, {}))
    assert "this report has no scores" in html
    assert ">unmasked</a></h4>" in html
    assert 'id="scores"' not in html
    cells = [f'<td class="num">{volume}</td>' for volume in ("7.2", "6.1", "0.0")]
    assert "unmasked</a></th>" + "".join(cells) in html, "volumes of WT, TC and ET"


def test_a_single_subject_has_no_interval(tmp_path):
    html = written(make(tmp_path, {"only": 0.5}))
    assert "no interval" in html
    assert not re.search(r"\bnan\b", html)


def test_times_and_provenance(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}))
    for words in ("2.0 h", "2100", "abc123", "1,234,567", "3.15.1"):
        assert words in html


def test_subject_pages_show_scores_findings_hashes_and_neighbors(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.3, "middle": 0.5}, new=False)
    written(options)
    pages = {path.stem: path.read_text() for path in (tmp_path / "report/subjects").glob("*.html")}
    assert set(pages) == {"good", "bad", "middle", "broken"}
    assert REASON in pages["broken"] and "Reason for exclusion" in pages["broken"]
    rows = cells(pages["good"], 'aria-label="Scores"')
    assert rows[0] == ["Metric", "whole tumor", "tumor core", "enhancing tumor", "mean"]
    assert rows[1] == ["Dice", "0.900", "0.900", "0.900", "0.900"]
    assert rows[2][:2] == ["95 % Hausdorff distance, mm", "3.0"]
    assert "0123abcd" in pages["good"] and "0123abcd" not in pages["bad"]
    neighbors = {name: re.findall(r'rel="(\w+)" href="(.*?)"', page) for name, page in pages.items()}
    assert neighbors["bad"] == [("next", "middle.html")]
    assert neighbors["middle"] == [("prev", "bad.html"), ("next", "good.html")]
    assert neighbors["broken"] == [("prev", "good.html")]
    assert '<script src="../volumes/good.js">' in pages["good"] and '<canvas tabindex="0"' in pages["good"]
    assert "<canvas" not in pages["bad"]


@pytest.mark.parametrize(
    ("viewer", "shown"), [("all", {"a", "b", "c", "unmasked"}), ("gallery", {"a", "c", "unmasked"}), ("none", set())]
)
def test_pages_have_the_viewer_if_requested(viewer, shown, tmp_path):
    options = make(tmp_path, {"a": 0.1, "b": 0.5, "c": 0.9})
    for name in ("a", "b", "c", "unmasked"):
        (tmp_path / f"report/volumes/{name}.js").write_text("")
    options[options.index("--gallery") + 1] = "1"
    options[options.index("--viewer") + 1] = viewer
    written(options)
    pages = {path.stem: path.read_text() for path in (tmp_path / "report/subjects").glob("*.html")}
    assert {name for name, page in pages.items() if "<canvas" in page} == shown
    assert (tmp_path / "report/subjects/niivue.js").exists() == (viewer != "none")
    with pytest.raises(ValueError, match="viewer: 'best' is not known; expected one of all, gallery, none"):
        gallery.viewed("best", [], [], [], 1)


def test_provenance_names_data_and_models_by_their_hashes(tmp_path):
    options = make(tmp_path, {"good": 0.9})
    html = written(options)
    assert hashlib.sha256(b"weights").hexdigest() in html
    before = re.search(r"<th scope=\"row\">Data</th><td><span class=\"hash\">(\w{64})", html)[1]
    (tmp_path / "preprocess/good/scan.json").write_text(json.dumps({"hashes": {"t1": "ffff"}}))
    after = re.search(r"<th scope=\"row\">Data</th><td><span class=\"hash\">(\w{64})", written(options))[1]
    assert before != after


def test_every_subject_is_a_point_that_links_to_its_page(tmp_path):
    html = written(make(tmp_path, {"good": 0.9, "bad": 0.3}, new=False))
    points = re.findall(r'<a href="([^"]*)" aria-label="([^"]*)"><circle', html)
    assert len(points) == 12, "two subjects, three regions, two metrics"
    assert points[:2] == [("subjects/bad.html", "bad, WT 0.300"), ("subjects/good.html", "good, WT 0.900")]
    assert html.count("<title>bad: ET 0.300</title>") == 1


def test_hundreds_of_subjects_fit_a_small_page(tmp_path):
    subjects = {f"subject_{place:03d}": place % 97 / 97 for place in range(400)}
    options = make(tmp_path, subjects)
    noise = np.random.default_rng(0).integers(0, 256, (300, 700), np.uint8)  # 210 kB, as large as a real figure
    for name in sorted(subjects, key=subjects.get)[:12] + sorted(subjects, key=subjects.get)[-12:]:
        folder = tmp_path / f"plots/subjects/{name}"
        folder.mkdir(parents=True)
        for figure in ("planes", "modalities", "sample"):
            Image.fromarray(noise).save(folder / f"{figure}.png", compress_level=1)
    options[options.index("--gallery") + 1] = "12"
    # Sixty masks are worth a look, with figures of the first twelve, and there are bins of three regions.
    uncertain = read_table(tmp_path / "uncertainty.tsv")
    uncertain = [row | {"contradicted_mm": f"{place / 100:.2f}"} for place, row in enumerate(uncertain)]
    write_table(tmp_path / "uncertainty.tsv", tuple(uncertain[0]), uncertain)
    where = {"error": "false negative", "place_ml": "1", "probability": "0", "x_mm": "1", "y_mm": "2", "z_mm": "3"}
    places = [where | {"subject": name, "region": region} for name in subjects for region in ("WT", "TC")]
    write_table(tmp_path / "suspects.tsv", SUSPECT_COLUMNS, places)
    bins = {"voxels": [9] * 10, "probability": [5.0] * 10, "squared": [1.0] * 10, "true": [5] * 10}
    each = {"calibration": dict.fromkeys(("WT", "TC", "ET"), bins)}
    rows = calibration_rows({"subject": name, "uncalibrated": each["calibration"], **each} for name in subjects)
    write_table(tmp_path / "calibration.tsv", CALIBRATION_COLUMNS, rows)
    start = time.monotonic()
    html = written(options)
    assert time.monotonic() - start < 60
    assert len(html) < 30e6
    assert html.count("<circle") == 2400
    assert len(list((tmp_path / "report/subjects").glob("*.html"))) == 402


def test_scores_without_absent_regions_are_shown_as_well(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.3})
    assert "with this region" not in written(options)
    scores = read_table(tmp_path / "scores.tsv")
    for row in scores:
        absent = row["region"] == "ET"
        row |= {"present_n": "1" if absent else row["n"], "present_mean": "0.25" if absent else row["mean"]}
    write_table(tmp_path / "scores.tsv", (*SCORES, "present_n", "present_mean"), scores)
    network = cells(written(options), 'aria-label="Scores"')[2]
    assert ["with this region" in cell for cell in network] == [False, False, False, False, True, False]
    assert network[4].endswith("0.250 (n = 1 with this region)")


def test_report_lists_failed_jobs_and_the_mean_if_they_count_as_zero(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.5})
    assert "failed, and the run continued" not in written(options)
    cohort = (tmp_path / "cohort.tsv").read_text().splitlines()
    good = next(line for line in cohort if line.startswith("good\t"))
    (tmp_path / "cohort.tsv").write_text("\n".join([*cohort, good.replace("good", "failed", 1)]) + "\n")
    rows = [("predict", "failed", 3, "Error: <b>out of memory", "failed.log", "nowhere/failed.nii.gz")]
    rows += [("embed", "good", 1, "Error: the disk is full", "good.log", "nowhere/good.js")]
    page = written(["--failures", str(ledger_of(tmp_path / "failures.tsv", *rows)), *options])
    assert "2 jobs failed, and the run continued without them" in page
    assert "The scores cover 2 of the 3 subjects to be scored. If the failed subject counts as 0" in page
    assert f"{1.4 / 3:.3f} (mean" in page
    assert "Error: &lt;b&gt;out of memory" in page
    assert "<b>out of memory" not in page


# Scripts for the browser, which write their results into the title of the page.
IN_INDEX = """
const shown = [], table = document.querySelector('[aria-label="Scores per subject"] table');
const names = () => [...table.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[0].textContent);
shown.push(names()[0]);
table.querySelectorAll("th button")[5].click();
shown.push(names()[0]);
const box = document.querySelector("#subjects .filter input");
box.value = "subject_3"; box.dispatchEvent(new Event("input"));
shown.push(names().join());
const points = [...document.querySelectorAll("svg [data-points] a")];
points[0].focus(); points[0].dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
shown.push(document.activeElement === points[1], points[1].getAttribute("href"));
document.title = JSON.stringify(shown);
"""
IN_PAGE = """
(async () => {
  const canvas = document.querySelector("canvas"), wait = ms => new Promise(done => setTimeout(done, ms));
  for (let tries = 0; tries < 100 && !canvas.viewer; tries++) await wait(100);
  const pixels = () => {
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
  const [truth, slider] = document.querySelectorAll("form input[type=range]");
  truth.value = 0; truth.dispatchEvent(new Event("input"));
  const before = pixels();
  const rims = document.querySelector("form input[type=checkbox]");
  rims.click();
  const outlined = pixels();
  rims.click();
  slider.value = 0; slider.dispatchEvent(new Event("input"));
  const place = document.getElementById("place").textContent;
  canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "PageUp", bubbles: true}));
  const moved = place !== document.getElementById("place").textContent;
  const without = pixels(), last = [...document.querySelectorAll("form input[type=range]")].at(-1);
  last.value = 1; last.dispatchEvent(new Event("input"));
  const shown = document.getElementById("place").textContent;
  document.title = JSON.stringify([before, outlined, without, pixels(), moved, shown]);
})();
"""


def browse(page, code):
    """Run code at the end of a page in a browser; returns the title that it wrote, and fails on any console error."""
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
    shown = browse(tmp_path / "report/index.html", IN_INDEX)
    assert shown == ["subject_1", "subject_9", "subject_3", True, "subjects/subject_2.html"]


LINKS = """
const links = document.querySelectorAll('a[href$=".html"], a[download][href]').length;
document.title = JSON.stringify([links, document.getElementById("no-pages").hidden]);
"""


COPY = """
const shown = [];
document.execCommand = () => { shown.push(document.activeElement.value); return true; };
const table = document.querySelector('[aria-label="Scores per subject"] table');
table.querySelectorAll("th button")[5].click();
const box = document.querySelector("#subjects .filter input");
box.value = "subject_3"; box.dispatchEvent(new Event("input"));
const button = table.closest(".scroll").nextElementSibling;
button.click();
shown.push(button.textContent, document.querySelectorAll("textarea").length);
box.value = ""; box.dispatchEvent(new Event("input"));
button.click();
shown.push(document.querySelectorAll("table.sort").length - document.querySelectorAll("button.copy").length);
document.title = JSON.stringify(shown);
"""


def test_a_table_is_copied_as_it_is_shown_in_a_browser(tmp_path):
    written(make(tmp_path, {f"subject_{place}": place / 10 for place in range(9, 0, -1)}))
    filtered, words, left, whole, without = browse(tmp_path / "report/index.html", COPY)
    rows = [line.split("\t") for line in filtered.splitlines()]
    assert [row[0] for row in rows] == ["Subject", "subject_3"] and {len(row) for row in rows} == {len(rows[0])}
    assert rows[0][:3] == ["Subject", "Fold", "Dice WT"] and rows[1][:3] == ["subject_3", "0", "0.300"]
    assert (words, left) == ("Copied", 0)
    assert [line.split("\t")[0] for line in whole.splitlines()][1] == "subject_9", "sorted by the click"
    assert without <= 0, "each table has a button"


def test_the_page_of_a_subject_links_to_its_files(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.1})
    for name in ("predict/good.nii.gz", "predict/maps/good/WT.nii.gz", "logs/predict/good.log", "logs/report.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    write_table(tmp_path / "summarize/scores.tsv", SCORES, [])
    page = written(options)
    files = page[page.index('<section id="downloads"') :]
    for name in ("summarize/scores.tsv", "plots/scores.png", "logs/report.log", "predict/good.nii.gz"):
        assert f'<a href="../{name}" download>' in files, name
    assert "predict/bad" not in files and "subjects.tsv" not in files, "only what exists"
    page = (tmp_path / "report/subjects/good.html").read_text()
    for name in ("predict/good.nii.gz", "predict/maps/good/WT.nii.gz", "logs/predict/good.log"):
        assert f'<a href="../../{name}" download>' in page, name


def test_a_report_without_its_pages_has_no_broken_links(tmp_path):
    written(make(tmp_path, {"good": 0.9, "bad": 0.3}))
    (tmp_path / "sent").mkdir()
    shutil.copy(tmp_path / "report/index.html", tmp_path / "sent")
    links, hidden = browse(tmp_path / "report/index.html", LINKS)
    assert links > 10 and hidden
    assert browse(tmp_path / "sent/index.html", LINKS) == [0, False]


def test_the_viewer_draws_in_a_browser(tmp_path):
    folder, mask = scan(tmp_path)
    written(make(tmp_path, {"good": 0.9}))
    whole = nib.load(mask)
    write_map(tmp_path / "entropy.nii.gz", np.full(whole.shape, 0.8), whole.affine)
    script(folder, mask, tmp_path / "report/volumes/good.js", "--overlay", tmp_path / "entropy.nii.gz")
    (lit, colored), (_, outlined), (_, without), (_, uncertain), moved, shown = browse(
        tmp_path / "report/subjects/good.html", IN_PAGE
    )
    assert lit > 5000, "the brain is shown"
    assert colored > 500 and without < colored / 10, "the overlay can be shown and hidden"
    assert without < outlined < 0.8 * colored, "outlines have fewer colored pixels"
    assert uncertain > 5 * colored, "the uncertainty map is shown on request"
    assert "entropy 0.79" in shown
    assert moved, "keys move the crosshair"


def test_notes_of_the_layouts_are_listed(tmp_path):
    options = make(tmp_path, {"good": 0.9})
    assert "Left out when the data sets were read" not in written(options)
    (tmp_path / "notes.tsv").write_text("note\n3 folders hold <b>odd</b> images\n")
    assert "<li>3 folders hold &lt;b&gt;odd&lt;/b&gt; images</li>" in written(options)


def test_the_confusion_of_classes_is_shown_in_percent_of_the_truth(tmp_path):
    page = written(make(tmp_path, {"good": 0.9, "bad": 0.1}))
    table = page[page.index("<h3>Confusion of tissue classes</h3>") :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")], re.S)
    cells = [re.findall(r">([^<>]+)<", row) for row in rows]
    assert cells[0][:3] == ["Truth", "no tumor", "necrosis"]
    assert cells[1] == ["necrosis", "0.0 %", "0.0 ml", "75.0 %", "6.0 ml", "25.0 %", "2.0 ml", "0.0 %", "0.0 ml", "8.0"]
    assert cells[2] == ["no tumor", DASH, "0.0 ml", "1.0 ml", "0.0 ml", DASH]
    assert "<h3>Tissue classes</h3>" not in page, "no scores of classes in this run"
    assert "Confusion" not in written(make(tmp_path / "unscored", {}))


def test_scores_of_classes_and_of_groups_are_shown(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.1})
    scores = read_table(tmp_path / "scores.tsv")
    row = {**scores[0], "region": "necrosis", "mean": "0.321", "ci_low": "0.2", "ci_high": "0.4"}
    write_table(tmp_path / "scores.tsv", SCORES, [*scores, row])
    names = ("covariate", "group", "region", "metric", "n", "mean", "ci_low", "ci_high")
    groups = [("site", EVIL, "mean", "dice", 7, 0.71, 0.6, 0.8), ("site", "B", "mean", "dice", 8, 0.52, 0.4, 0.6)]
    groups += [("site", EVIL, "mean", "hd95_mm", 7, 12.34, 9, 15)]
    write_table(tmp_path / "groups.tsv", GROUP_COLUMNS, [dict(zip(names, group, strict=True)) for group in groups])
    page = written(options)
    table = page[page.index("<h3>Tissue classes</h3>") :]
    assert '<th scope="row">necrosis</th><td class="num">0.321 <span>[0.200, 0.400]</span></td>' in table
    table = page[page.index("<h3>Scores by covariate</h3>") :]
    assert "0.710 <span>[0.600, 0.800]</span>" in table and ">12.3<" in table and "&lt;script&gt;" in table
    assert EVIL not in page and "Groups of fewer than 5 subjects are left out" in table


def test_false_negative_and_false_positive_lesions_are_counted_and_listed(tmp_path):
    page = written(make(tmp_path, {"good": 0.9, "bad": 0.1}))
    lesions = page[page.index("<h3>Lesions</h3>") :]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", lesions[: lesions.index("</table>")])
    assert cells == [
        "2<small>40.5 ml</small>", "1<small>40.0 ml</small>", "1<small>0.5 ml</small>", "1<small>0.2 ml</small>", "1",
        "1<small>0.03 ml</small>",
    ]  # fmt: skip
    assert "All 2 false negative and false positive lesions" in lesions
    subject = (tmp_path / "report/subjects/bad.html").read_text()
    assert subject.count("not counted (50 mm³ or less)") == 1
    assert "Lesions" not in (tmp_path / "report/subjects/good.html").read_text()
