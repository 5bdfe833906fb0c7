"""The report: whole in one file, escaped, worst first, and readable whatever a run lacks."""

import csv
import hashlib
import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import report
from glioseg.evaluate.uncertainty import COLUMNS as UNSURE_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.predict.tune_postprocess import COLUMNS as SEARCH_COLUMNS
from glioseg.preprocess.findings import CHECKS
from glioseg.report import pages, strip_plots, tables
from glioseg.split.cohort import COLUMNS

EVIL = "<script>alert(1)</script>"
EVIL_SUBJECT = "<script>alert(1)<img src=x onerror=alert(2)> \"'&%41#?"  # a slash ends no name of a file
SUBJECTS = ("method", "subject", "fold", "region", "metric", "value")
SCORES = ("method", "region", "metric", "n", "mean", "median", "q1", "q3", "ci_low", "ci_high")
REASON = "no file for t1ce; expected flair, t1ce, found flair"


def write(path: Path, columns: tuple, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        table.writerows([columns, *rows])


def make(
    root: Path, dice: dict[str, float], excluded: bool = True, baselines: bool = True, new: bool = True
) -> list[str]:
    """A run's results with one Dice per subject, the same in all regions; returns the command's options."""
    taken = {"verdict": "taken", "fold": "0", "labels": "brats2020", "has_mask": "yes"}
    sizes = {"tumor_ml": "50.1", "enhancing_ml": "9.9", "lost_percent": "2.5"}
    cohort = [{**taken, **sizes, "subject": name} for name in dice]
    cohort += [{**taken, "subject": "unmasked", "fold": "new", "has_mask": "no"}] * new
    broken = {"subject": "broken", "verdict": "excluded", "reason": REASON, "checks": "missing", "labels": "brats2020"}
    cohort += [{**broken, "has_mask": "no"}] * excluded
    subjects, scores = [], []
    metrics = {"hd95_mm": 3, "sensitivity": 0.9, "specificity": 0.99, "truth_ml": 50, "predicted_ml": 40}
    for name, value in dice.items():
        for region in ("WT", "TC", "ET"):
            subjects.append(("network", name, "0", region, "dice", value))
            subjects += [("network", name, "0", region, metric, other) for metric, other in metrics.items()]
            subjects += [("FLAIR threshold", name, "0", region, "dice", 0.2)] * baselines
    for region in ("WT", "TC", "ET", "mean") if dice else ():
        mean = sum(dice.values()) / len(dice)
        interval = ("nan", "nan") if len(dice) < 2 else (0.1, 0.97)
        scores.append(("network", region, "dice", len(dice), mean, mean, mean, mean, *interval))
        scores += [("FLAIR threshold", region, "dice", len(dice), 0.2, 0.2, 0.2, 0.2, *interval)] * baselines
    write_table(root / "cohort.tsv", COLUMNS, cohort)
    unsure = [*((name, 0.123) for name in dice), *[("unmasked", 0.456)] * new]
    common = dict.fromkeys(UNSURE_COLUMNS, "0.5")
    write_table(
        root / "uncertainty.tsv", UNSURE_COLUMNS, [common | {"subject": n, "uncertainty": u} for n, u in unsure]
    )
    tried = {"smallest_enhancing_ml": 0.7, "smallest_component_ml": 0.3, "subjects": 9, "gain": "+0.0123"}
    for fold in ("all", "0"):
        rows = [{**tried, "chosen": "yes"}, {**tried, "smallest_enhancing_ml": 0.8}]
        write_table(root / f"postprocess/{fold}.tsv", SEARCH_COLUMNS, rows)
    write(root / "subjects.tsv", SUBJECTS, subjects)
    write(root / "scores.tsv", SCORES, scores)
    for name in (
        "cohort",
        "scores",
        "curves",
        "network",
        *(f"subjects/{name}/planes" for name in ("unmasked", "bad", "good")),
    ):
        (root / f"plots/{name}.png").parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(root / f"plots/{name}.png")
    settings = {"epochs": 2, "seed": 42, "note": EVIL}
    training = {
        "fold": "0",
        "settings": settings,
        "versions": {"keras": "3.15.1"},
        "parameters": 1234567,
        "monitored_dice": 0.8125,
    }
    (root / "settings.json").write_text(json.dumps({**training, "subjects": ["x"], "monitor": []}))
    (root / "train/0").mkdir(parents=True, exist_ok=True)
    (root / "train/0/model.keras").write_bytes(b"weights")
    (root / "preprocess/good").mkdir(parents=True, exist_ok=True)
    (root / "preprocess/good/scan.json").write_text(json.dumps({"hashes": {"t1": "0123abcd"}}))
    (root / "report/volumes").mkdir(parents=True, exist_ok=True)
    (root / "report/volumes/good.js").write_text("")
    write(root / "benchmarks/train/0.tsv", ("s", "max_rss"), [(7300.5, 2100.4)])
    write(root / "benchmarks/split.tsv", ("s", "max_rss"), [(0.5, "-")])
    options = {name: root / f"{name}.tsv" for name in ("cohort", "subjects", "scores", "uncertainty")}
    options |= {"plots": root / "plots", "settings": root / "settings.json", "config": json.dumps({"note": EVIL})}
    options |= {"benchmarks": root / "benchmarks", "commit": "abc123", "gallery": 3, "viewer": "all"}
    options |= {"preprocess": root / "preprocess", "models": root / "train/0/model.keras"}
    options |= {name: root / "report" / path for name, path in (("volumes", "volumes"), ("pages", "subjects"))}
    options["output"] = root / "report/index.html"
    searches = [word for fold in ("all", "0") for word in ("--search", str(root / f"postprocess/{fold}.tsv"))]
    return [*searches, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]


def written(options: list[str]) -> str:
    result = CliRunner().invoke(report.report, options)
    assert result.exit_code == 0, result.output
    return Path(options[-1]).read_text()


def test_uncertainty_and_searched_volumes_are_shown(tmp_path):
    index = written(make(tmp_path, {"good": 0.9, "bad": 0.3}))
    assert index.count("0.123") == 2, "a column of the subjects' table"
    assert "0.456" in index, "the subject without a mask"
    assert re.search(r"for test and new subjects, enhancing tumor below 0.7&nbsp;ml .* \(mean Dice \+0.0123", index)
    assert "for fold 0, enhancing" in index and "All that was tried" in index
    options = make(tmp_path / "one fold", {"good": 0.9})
    index = written(options[4:])
    assert "below which tumor is dropped" not in index


class Outline(HTMLParser):
    """Tags left open, pictures without alternative text, and addresses."""

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
def test_page_is_well_formed_and_needs_nothing_else(content, tmp_path):
    html = written(make(tmp_path, **content))
    outline = Outline()
    outline.feed(html)
    assert (outline.wrong, outline.open) == ([], [])
    pages = [address for address in outline.addresses if not address.startswith(("data:image/png;base64,", "#"))]
    assert all((tmp_path / "report" / unquote(address)).is_file() for address in pages)
    assert outline.scripts == 2, "only the page's own, and whether the subjects' pages are there"
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
    assert "3 subjects found, 2 taken, 1 excluded" in html


def change(root: Path, rows: dict[str, dict], more: tuple = ()) -> None:
    """Change rows of the cohort that `make` wrote, by subject; `more` columns may be added."""
    cohort = read_table(root / "cohort.tsv")
    write_table(root / "cohort.tsv", (*COLUMNS, *more), [row | rows.get(row["subject"], {}) for row in cohort])


def cells(html: str, start: str) -> list[list[str]]:
    """The cells of the first table after `start`."""
    table = html[html.index(start) :].split("<table", 1)[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.S)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def test_page_counts_what_the_checks_found(tmp_path):
    options = make(tmp_path, {name: 0.9 for name in ("good", "odd", "forced", "twin")})
    change(
        tmp_path,
        {
            "odd": {"verdict": "warned", "checks": "far_spacing,flipped", "reason": "thick; t1 is mirrored"},
            "forced": {"verdict": "warned", "checks": "spacing", "reason": "the voxels of t1 measure 2 mm"},
            "twin": {"verdict": "warned", "checks": "duplicate", "reason": "its t1 has the voxels of good's"},
            "broken": {"checks": "missing,far_spacing"},
        },
    )
    html = written(options)
    assert "6 subjects found, 5 taken (3 with a warning), 1 excluded" in html
    assert cells(html, "<h3>Excluded</h3>")[1:] == [["broken", "missing, far_spacing", REASON]]
    assert cells(html, "<h3>Taken with a warning</h3>")[1:] == [
        ["odd", "far_spacing, flipped", "thick; t1 is mirrored"],
        ["forced", "spacing", "the voxels of t1 measure 2 mm"],
        ["twin", "duplicate", "its t1 has the voxels of good&#39;s"],
    ]
    # Check, excluded, warned of; in the order in which they look, what stands elsewhere after them.
    assert cells(html, "<h3>Checks</h3>")[1:] == [
        ["missing", "1", "0"],
        ["spacing", "0", "1"],
        ["far_spacing", "0", "2"],
        ["flipped", "0", "1"],
        ["duplicate", "0", "1"],
    ]
    (silent,) = re.findall(r"Found in no subject: (.*?)\.", html)
    assert silent.split(", ") == [
        name for name in CHECKS if name not in ("missing", "spacing", "far_spacing", "flipped")
    ]


def test_page_without_findings_names_the_checks(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}, excluded=False))
    assert "2 subjects found, 2 taken, 0 excluded" in html
    assert "Taken with a warning" not in html and "Subjects warned of" not in html
    assert f"Found in no subject: {', '.join(CHECKS)}." in html


def test_page_shows_covariates_and_labels_where_they_differ(tmp_path):
    options = make(tmp_path, {"good": 0.9, "old": 0.8}, new=False, excluded=False)
    heading = "subjects taken</summary>"
    assert "Labels" not in str(cells(written(options), heading)[0])
    covariates = {"good": {"grade": "HGG", "age": "61.5"}, "old": {"labels": "msd", "grade": "LGG"}}
    change(tmp_path, covariates, ("grade", "age", "nothing"))
    names, *rows = cells(written(options), heading)
    assert names == ["Subject", "Fold", "Labels", "Tumor, ml", "Enhancing, ml", "Cut off, %", "grade", "age"]
    dash = "\N{EN DASH}"
    assert [[row[place] for place in (0, 2, 6, 7)] for row in rows] == [
        ["good", "brats2020", "HGG", "61.5"],
        ["old", "msd", "LGG", dash],
    ]
    assert tables.covariates(read_table(tmp_path / "cohort.tsv")) == {"grade": False, "age": True}


def test_a_cavity_has_its_columns_where_it_was_scored(tmp_path):
    options = make(tmp_path, {"operated": 0.5, "other": 0.75})
    assert "cavity" not in written(options)
    metrics = {"dice": 0.25, "hd95_mm": 7, "sensitivity": 0.3, "specificity": 0.98, "truth_ml": 5, "predicted_ml": 6}
    with (tmp_path / "subjects.tsv").open("a") as lines:
        lines.writelines(f"network\toperated\t0\tRC\t{name}\t{value}\n" for name, value in metrics.items())
    with (tmp_path / "scores.tsv").open("a") as lines:
        lines.write("network\tRC\tdice\t1\t0.25\t0.25\t0.25\t0.25\tnan\tnan\n")
    html = written(options)
    outline = Outline()
    outline.feed(html)
    assert (outline.wrong, outline.open) == ([], [])
    assert re.search(r"Mean Dice, resection cavity</dt><dd>0\.250<small>no interval\s+\(of 1\)", html)
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
    assert network[-1].split("]")[1].startswith(" of 1")


def test_a_subject_without_a_mask_is_shown_whatever_its_fold(tmp_path):
    """A twin without a mask has the fold of the other."""
    options = make(tmp_path, {"good": 0.9})
    change(tmp_path, {"unmasked": {"fold": "0"}})
    assert ">unmasked</a></h4>" in written(options)


def test_page_tells_what_the_crop_cut_off(tmp_path):
    text = re.sub(r"\s|&nbsp;", " ", written(make(tmp_path, {"good": 0.9})))
    assert "part of the tumor in 1 of 1 subjects" in text
    assert '2.50 % in the worst, <a href="subjects/good.html">good</a>' in text


def test_pictures_come_worst_first_and_only_so_many(tmp_path):
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


def test_interval_of_a_single_subject_is_not_made_up(tmp_path):
    html = written(make(tmp_path, {"only": 0.5}))
    assert "no interval" in html
    assert not re.search(r"\bnan\b", html)


def test_times_and_provenance(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}))
    for words in ("2.0 h", "2100", "abc123", "1,234,567", "3.15.1"):
        assert words in html


def test_rule_times_by_hand():
    rows = {"a": [{"s": "1", "max_rss": "5"}, {"s": "3", "max_rss": "-"}], "b": [{"s": "9", "max_rss": "-"}]}
    longest, other = tables.rule_times(rows)
    assert (longest["rule"], longest["memory_mb"]) == ("b", None)
    assert other == {"rule": "a", "jobs": 2, "median_s": 2, "longest_s": 3, "total_s": 4, "memory_mb": 5}


def test_settings_that_differ_between_models_are_all_told():
    trainings = [{"settings": {"seed": 1, "loss": "dice"}}, {"settings": {"seed": 2, "loss": "dice"}}]
    shared = tables.shared_settings(trainings)
    assert shared["loss"] == "dice"
    assert re.fullmatch(r"1\W+2", shared["seed"])


def test_how_far_seeds_stand_apart():
    trainings = [{"fold": fold, "monitored_dice": dice} for fold, dice in (("0", 0.8), ("0", 0.9), ("1", 0.5))]
    assert tables.seeds_apart(trainings) == pytest.approx(0.1 / 2**0.5)
    twice = [*trainings, {"fold": "1", "monitored_dice": 0.5}]
    assert tables.seeds_apart(twice) == pytest.approx(0.05 / 2**0.5)
    assert tables.seeds_apart(trainings[1:]) is None
    assert tables.seeds_apart([{"fold": "all", "monitored_dice": None}] * 2) is None


@pytest.mark.parametrize(("seconds", "words"), [(0.44, "0.4 s"), (119, "119.0 s"), (600, "10 min"), (9000, "2.5 h")])
def test_duration(seconds, words):
    assert pages.duration(seconds) == words


def test_subject_pages_tell_scores_findings_hashes_and_their_neighbors(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.3, "middle": 0.5}, new=False)
    written(options)
    pages = {path.stem: path.read_text() for path in (tmp_path / "report/subjects").glob("*.html")}
    assert set(pages) == {"good", "bad", "middle", "broken"}
    assert REASON in pages["broken"] and "Why it is excluded" in pages["broken"]
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
def test_pages_have_the_viewer_where_it_was_asked_for(viewer, shown, tmp_path):
    options = make(tmp_path, {"a": 0.1, "b": 0.5, "c": 0.9})
    for name in ("a", "b", "c", "unmasked"):
        (tmp_path / f"report/volumes/{name}.js").write_text("")
    options[options.index("--gallery") + 1] = "1"
    options[options.index("--viewer") + 1] = viewer
    written(options)
    pages = {path.stem: path.read_text() for path in (tmp_path / "report/subjects").glob("*.html")}
    assert {name for name, page in pages.items() if "<canvas" in page} == shown
    assert (tmp_path / "report/subjects/niivue.js").exists() == (viewer != "none")
    with pytest.raises(ValueError, match="expected one of all, gallery, none, found best"):
        tables.viewed("best", [], [], [], 1)


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


def test_boxes_and_points_by_hand():
    table = [
        {"subject": name, "dice": {"WT": value}}
        for name, value in zip("abcdef", (0, 0.8, 0.85, 0.9, 0.9, float("nan")), strict=True)
    ]
    (plot,) = strip_plots.strip_plots(table, ["WT", "TC"])
    (group,) = plot["groups"]
    # 260 pixels from 0 at 290 to 1 at 30; quartiles of five are the second, third and fourth; 0 is beyond the whisker.
    assert [point["y"] for point in group["points"]] == [290, 82, 69, 56, 56]
    assert group["box"] == {"q1": 82, "q3": 56, "low": 82, "high": 56} and group["median"] == 69
    assert abs(group["points"][4]["x"] - group["points"][3]["x"]) == 9, "two of the same value stand side by side"
    assert strip_plots.swarm([0, 0, 0, 50], radius=1, half=1) == pytest.approx([0, -0.7, 0.7, 0], abs=0.05)


def test_hundreds_of_subjects_fit_a_small_page(tmp_path):
    subjects = {f"subject_{place:03d}": place % 97 / 97 for place in range(400)}
    options = make(tmp_path, subjects)
    noise = np.random.default_rng(0).integers(0, 256, (300, 700), np.uint8)  # 210 kB, as much as a real one
    for name in sorted(subjects, key=subjects.get)[:12] + sorted(subjects, key=subjects.get)[-12:]:
        folder = tmp_path / f"plots/subjects/{name}"
        folder.mkdir(parents=True)
        for picture in ("planes", "modalities", "sample"):
            Image.fromarray(noise).save(folder / f"{picture}.png", compress_level=1)
    options[options.index("--gallery") + 1] = "12"
    start = time.monotonic()
    html = written(options)
    assert time.monotonic() - start < 60
    assert len(html) < 30e6
    assert html.count("<circle") == 2400
    assert len(list((tmp_path / "report/subjects").glob("*.html"))) == 402


def test_scores_without_absent_regions_stand_beside_the_convention(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.3})
    assert "that have it" not in written(options)
    scores = read_table(tmp_path / "scores.tsv")
    for row in scores:
        absent = row["region"] == "ET"
        row |= {"present_n": "1" if absent else row["n"], "present_mean": "0.25" if absent else row["mean"]}
    write_table(tmp_path / "scores.tsv", (*SCORES, "present_n", "present_mean"), scores)
    network = cells(written(options), 'aria-label="Scores"')[2]
    assert ["that have it" in cell for cell in network] == [False, False, False, False, True, False]
    assert network[4].endswith("0.250 of 1 that have it")
