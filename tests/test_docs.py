"""Check that the reference covers every setting and option, that versions agree, and that named files exist."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from studies import ROOT
from test_agreement import CONFIG, SCHEMA, command

from glioseg.split.cohort import COHORT_COLUMNS

spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/hooks/reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def test_every_setting_is_in_the_reference_with_its_default_and_its_comment():
    page = reference.settings()
    for name, value in CONFIG.items():
        keys = [(name, key) for key in value] if isinstance(value, dict) else [(name,)]
        assert (f"## {name}\n" in page) == isinstance(value, dict)
        for key in keys:
            assert page.count(f"{{ #{'-'.join(key)} }}") == 1, key
    for group, comment in reference.commented((ROOT / "config.yaml").read_text()):
        assert comment, f"{group}: config.yaml has no comment"
    patch = page.split("{ #train-patch }")[1].split("###")[0]
    assert '**Default** `"auto"` · `auto`, or a list of 3 whole numbers from 8' in patch
    assert "Larger sees more context" in patch


def test_allowed_values_of_a_setting_are_described_in_words():
    expected = {
        "layout": "one of `auto`, `brats`,",
        "seed": "whole number from 0",
        "modalities": "a list of 1 or more text",
    }
    for name, words in expected.items():
        assert reference.allowed(SCHEMA["properties"][name], SCHEMA).startswith(words)
    preprocess = SCHEMA["properties"]["preprocess"]["properties"]
    assert reference.allowed(preprocess["crop"], SCHEMA) == (
        "`brain`, or a list of 3 (a list of 2 whole numbers from 0)"
    )
    assert reference.allowed(preprocess["spacing_mm"], SCHEMA) == "number more than 0"


def test_every_command_and_option_is_in_the_reference():
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", reference.commands(), re.M | re.S))
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert set(sections) == names
    for name in names:
        for option in command(name).params:
            for spelled in option.opts:
                assert f"| `{spelled}`" in sections[name] or f" `{spelled}` |" in sections[name], (name, spelled)
    assert "Setting [`train: flip`](settings.md#train-flip)." in sections["train"]


def test_prose_escapes_all_markup_except_code():
    assert reference.prose("a_b *c* <d> [e] `f_g`") == r"a\_b \*c\* &lt;d&gt; \[e\] `f_g`"


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.findall(r"^## \[([\d.]+)\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == (citation["version"], str(citation["date-released"]))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == citation["version"]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A fenced block: its language and its text.
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def commands_of(text):
    """Return the commands of a page's bash blocks: one per line, continued lines joined, without comments."""
    blocks = "".join(block for language, block in BLOCK.findall(text) if language == "bash")
    lines = (re.sub(r"(?:^|  )#.*$", "", line).strip() for line in blocks.replace("\\\n", " ").splitlines())
    return [line for line in lines if line]


def inline_code(text):
    return re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_targets_and_options_named_in_a_page_exist(page):
    text = page.read_text()
    made = re.findall(r"^Write `([^`]+)`", text, re.M)
    for path in re.findall(r"\b((?:scripts|presets|envs|rules|profiles)/[\w/.-]+\.\w+)\b", text):
        # RULE, MODULE and the like stand for any name.
        assert path in made or re.search("[A-Z]{4}", path) or (ROOT / path).exists(), path
    makefile = re.findall(r"^([\w-]+(?: [\w-]+)*):", (ROOT / "Makefile").read_text(), re.M)
    targets = {target for line in makefile for target in line.split()}
    smk = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    rules = re.findall(r"^ *(?:rule|checkpoint) (\w+):", smk, re.M)
    for words in (one.split() for one in commands_of(text) + inline_code(text)):
        first, second = [*words, "", ""][:2]
        if first == "make" and second:
            assert second in targets, words
        if first == "snakemake" and re.fullmatch("[a-z_]+", second):
            assert second in rules, words
        if first == "python" and second.startswith("scripts/"):
            known = {spelled for option in command(Path(second).stem).params for spelled in option.opts}
            assert {word for word in words if word.startswith("--")} <= known | {"--help"}, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_a_page_is_in_fenced_blocks(page):
    text = page.read_text()
    assert {language for language, _ in BLOCK.findall(text)} <= {"bash", "yaml", "text", "python"}
    assert not re.findall(r"\n\n    \w.*", re.sub(r"^!!! .*\n(?:    .*\n)+", "", BLOCK.sub("", text), flags=re.M))
    for line in commands_of(text):
        assert not line.startswith("$ "), line
        # These options take every word that follows, so a target must come before them.
        for values in re.findall(r" --(?:config|configfile|rerun-triggers) ([^-].*?)(?= --|$)", line):
            assert all(re.search(r"=|\.yaml$|^mtime$", word) for word in values.split()), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#\s]+)", BLOCK.sub("", page.read_text())):
        made = page.parent.name == "docs" and target.startswith("reference/")
        assert made or target.startswith("https:") or (page.parent / target).exists(), target


def test_the_page_of_result_files_names_every_column():
    named = set(re.findall(r"`([^`]+)`", (ROOT / "docs/results.md").read_text()))
    assert set(yaml.safe_load((ROOT / "scripts/glioseg/columns.yaml").read_text())) - named == set()


def test_actions_are_pinned_and_run_the_same_checks():
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    assert "bash .ci/run" in workflows and "make docs" in workflows
    used = re.findall(r"uses: (\S+)", workflows)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_the_page_on_large_cohorts_reads_the_column_of_folds():
    column = COHORT_COLUMNS.index("fold") + 1
    assert f"""awk -F'\\t' '${column} == "test" """ in (ROOT / "docs/scale.md").read_text()


def test_pages_name_the_scores_of_the_model_that_were_measured():
    table = (ROOT / "docs/benchmarks.md").read_text().split("## The model of this project, on patients")[1]
    of = {
        who: re.search(rf"^\| {who} of BraTS 20\d\d \|.* (0\.\d+) \[[\d., ]+\] \|$", table, re.M)[1]
        for who in ("six", "five")
    }
    readme, page, data = ((ROOT / name).read_text() for name in ("README.md", "docs/external.md", "docs/data.md"))
    rounded = {who: f"{float(score):.2f}" for who, score in of.items()}
    assert f"mean Dice is {rounded['six']} on six patients of BraTS 2013 and {rounded['five']} on five" in readme
    assert f"mean Dice of {of['six']}, and on five with four modalities {of['five']}" in page
    assert f"the model that it went on from has [{of['six']} and {of['five']}]" in data
