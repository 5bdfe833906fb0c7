"""The report: whole in one file, escaped, worst first, and readable whatever a run lacks."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

import report
from glioseg import page

EVIL = "<script>alert(1)</script>"
COHORT = ("subject", "verdict", "fold", "reason", "has_mask", "tumor_ml", "enhancing_ml", "lost_percent")
SUBJECTS = ("method", "subject", "fold", "region", "metric", "value")
SCORES = ("method", "region", "metric", "n", "mean", "median", "q1", "q3", "ci_low", "ci_high")
REASON = "no file for t1ce; expected flair, t1ce, found flair"


def write(path: Path, columns: tuple, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n")
        table.writerows([columns, *rows])


def make(
    root: Path, dice: dict[str, float], excluded: bool = True, baselines: bool = True, new: bool = True
) -> list[str]:
    """A run's results with one Dice per subject, the same in all regions; returns the command's options."""
    cohort = [(name, "taken", "0", "", "yes", "50.1", "9.9", "2.5") for name in dice]
    cohort += [("unmasked", "taken", "new", "", "no", "", "", "")] * new
    cohort += [("broken", "excluded", "", REASON, "no", "", "", "")] * excluded
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
    write(root / "cohort.tsv", COHORT, cohort)
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
    settings = {"epochs": 2, "note": EVIL}
    training = {"fold": "0", "settings": settings, "versions": {"keras": "3.15.1"}, "parameters": 1234567}
    (root / "settings.json").write_text(json.dumps({**training, "subjects": ["x"], "monitor": []}))
    write(root / "benchmarks/train/0.tsv", ("s", "max_rss"), [(7300.5, 2100.4)])
    write(root / "benchmarks/split.tsv", ("s", "max_rss"), [(0.5, "-")])
    options = {name: root / f"{name}.tsv" for name in ("cohort", "subjects", "scores")}
    options |= {"plots": root / "plots", "settings": root / "settings.json", "config": json.dumps({"note": EVIL})}
    options |= {"benchmarks": root / "benchmarks", "commit": "abc123", "gallery": 3, "output": root / "out/index.html"}
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def written(options: list[str]) -> str:
    result = CliRunner().invoke(report.report, options)
    assert result.exit_code == 0, result.output
    return Path(options[-1]).read_text()


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
        {"dice": {EVIL: 0.4, "good": 0.9}},
    ],
    ids=["usual", "nothing scored", "nothing at all", "one subject", "hostile name"],
)
def test_page_is_well_formed_and_needs_nothing_else(content, tmp_path):
    html = written(make(tmp_path, **content))
    outline = Outline()
    outline.feed(html)
    assert (outline.wrong, outline.open) == ([], [])
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in outline.addresses)
    assert outline.scripts == 1, "only the page's own"
    assert "http://" not in html
    assert "https://" not in html
    assert EVIL not in html


def test_page_says_what_was_excluded_and_why(tmp_path):
    html = written(make(tmp_path, {"good": 0.9}))
    assert REASON in html
    assert "3 subjects found, 2 taken, 1 excluded" in html


def test_page_tells_what_the_crop_cut_off(tmp_path):
    text = re.sub(r"\s|&nbsp;", " ", written(make(tmp_path, {"good": 0.9})))
    assert "part of the tumor in 1 of 1 subjects" in text
    assert "2.50 % in the worst, good" in text


def test_pictures_come_worst_first_and_only_so_many(tmp_path):
    dice = {f"subject_{place}": place / 10 for place in range(9, 0, -1)}
    options = make(tmp_path, dice, new=False)
    headings = re.findall(r"<h4>(.*?)</h4>", written(options))
    assert headings == [f"subject_{place}" for place in (1, 2, 3, 9, 8, 7)]
    options[options.index("--gallery") + 1] = "5"
    assert re.findall(r"<h4>(.*?)</h4>", written(options)) == [f"subject_{place}" for place in range(1, 10)]
    options[options.index("--gallery") + 1] = "0"
    assert "<h4>" not in written(options)


def test_page_without_scores_shows_the_predictions(tmp_path):
    html = written(make(tmp_path, {}))
    assert "this report has no scores" in html
    assert "<h4>unmasked</h4>" in html
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
    longest, other = page.rule_times(rows)
    assert (longest["rule"], longest["memory_mb"]) == ("b", None)
    assert other == {"rule": "a", "jobs": 2, "median_s": 2, "longest_s": 3, "total_s": 4, "memory_mb": 5}


def test_settings_that_differ_between_models_are_all_told():
    trainings = [{"settings": {"seed": 1, "loss": "dice"}}, {"settings": {"seed": 2, "loss": "dice"}}]
    shared = page.shared_settings(trainings)
    assert shared["loss"] == "dice"
    assert re.fullmatch(r"1\W+2", shared["seed"])


@pytest.mark.parametrize(("seconds", "words"), [(0.44, "0.4 s"), (119, "119.0 s"), (600, "10 min"), (9000, "2.5 h")])
def test_duration(seconds, words):
    assert page.duration(seconds) == words
