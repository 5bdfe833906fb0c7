"""The report in a browser: at three widths, light and dark, whatever the reader does with it."""

import json
import re
import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from browsers import chromium, close_clean
from pictures_of_docs import FOLDER, renew
from PIL import Image
from reports import make, scan, script, written

from glioseg.volumes.nifti import write_map

WIDTHS = (1440, 1024, 390)
PAGES = ("index.html", "subjects/good.html", "subjects/case_11.html", "subjects/broken.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report on twenty subjects with figures of the usual size, one of them with a viewer."""
    root = tmp_path_factory.mktemp("report")
    names = ["good", "bad", *(f"case_{number}" for number in range(11, 29))]
    options = make(root, {name: 0.95 - place / 40 for place, name in enumerate(names)})
    for name in names:
        (root / f"plots/subjects/{name}").mkdir(exist_ok=True)
        for figure in ("planes", "modalities", "sample"):
            Image.new("L", (1000, 560), 40).save(root / f"plots/subjects/{name}/{figure}.png")
    for name in ("cohort", "scores", "agreement", "curves", "network"):
        Image.new("L", (1056, 430), 250).save(root / f"plots/{name}.png")
    folder, mask = scan(root)
    whole = nib.load(mask)
    for name in ("WT", "TC"):
        write_map(root / f"{name}.nii.gz", np.full(whole.shape, 0.8), whole.affine)
    overlays = [word for name in ("WT", "TC") for word in ("--overlay", root / f"{name}.nii.gz")]
    script(folder, mask, root / "report/volumes/good.js", *overlays)
    written(options)
    return root / "report"


@pytest.fixture
def page(browser, report):
    """A function that opens a page of the report; every page opened must log no error and request nothing outside."""
    opened = []

    def open_page(name="index.html", width=1440, dark=False):
        opened.append(browser.open(report / name, width, dark))
        if "good" in name:
            opened[-1].wait("document.querySelector('#viewer canvas').viewer !== undefined || "
                            "document.getElementById('place').textContent.includes('could not')")  # fmt: skip
        return opened[-1]

    yield open_page
    for page in opened:
        close_clean(page)
        assert all(address.startswith(report.as_uri()) for address in page.addresses if address.startswith("file"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_or_has_a_serious_violation(page, name, width, dark):
    opened = page(name, width, dark)
    for _ in range(2):
        wide = opened.value("document.scrollingElement.scrollWidth")
        outside = opened.value(
            "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right"
            f" > {width} + 1 && !one.closest('.scroll, pre, .skip')).map(one => one.outerHTML.slice(0, 90)).slice(0, 5)"
        )
        assert wide <= width and not outside, outside
        opened.value("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert opened.serious() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_links_at_the_top_land_on_their_heading(page, width):
    count = page(width=width).value("document.querySelectorAll('nav a[href^=\"#\"]').length")
    assert count > 4
    for place in range(count):
        top, bar, end = page(width=width).value(
            f"""(async () => {{
                const link = document.querySelectorAll('nav a[href^="#"]')[{place}];
                link.click();
                await new Promise(done => setTimeout(done, 400));
                const bar = getComputedStyle(document.querySelector("nav")).position === "sticky"
                    ? document.querySelector("nav").getBoundingClientRect().bottom : 0;
                const page = document.scrollingElement;
                return [document.querySelector(link.hash + " h2").getBoundingClientRect().top, bar,
                    page.scrollTop + innerHeight >= page.scrollHeight - 2];
            }})()"""
        )
        assert bar <= top, "the heading is not below the bar"
        assert top < bar + 90 or end


def test_images_keep_their_place_before_they_are_loaded(page):
    sizes = page().value("[...document.images].map(one => [one.getAttribute('width'), one.getAttribute('height')])")
    assert sizes.count(["1000", "560"]) == 21 and ["1056", "430"] in sizes
    assert [None, None] not in sizes


@pytest.mark.parametrize("name", ["index.html", "subjects/good.html"])
def test_figures_open_large_on_a_phone(page, name):
    opened = page(name, 390)
    opened.value(
        "(() => { const button = document.querySelector('figure button'); button.focus(); button.click(); })()"
    )
    shown, wide = opened.value(
        "(async () => { const image = document.querySelector('dialog[open] img'); await image.decode();"
        " return [image.getBoundingClientRect().width, image.naturalWidth]; })()"
    )
    assert shown >= wide > 900
    assert opened.serious() == []
    opened.key("Escape")
    opened.wait("!document.querySelector('dialog[open]')")
    assert opened.value("document.activeElement.matches('figure button')"), "the focus returns"


def test_a_table_of_twenty_rows_has_no_scroll_box(page):
    heights = page(width=1024).value(
        "[...document.querySelectorAll('.scroll')].filter(one => !one.closest('details'))"
        ".map(one => [one.querySelectorAll('tbody tr').length, one.clientHeight, one.scrollHeight])"
    )
    assert max(heights)[0] == 20
    assert all(inner <= outer for rows, outer, inner in heights if rows <= 30)


@pytest.mark.parametrize("name", PAGES)
def test_tables_show_all_columns_on_a_phone(page, name):
    opened = page(name, 390)
    opened.value("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    wide = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth)"
    assert opened.value(f"{wide}.map(one => one.getAttribute('aria-label'))") == []
    # Each cell with a heading says it, and lies within the window.
    cells = opened.value(
        """[...document.querySelectorAll('.scroll tbody td')].map(one => {
            const head = one.closest('table').tHead.rows[0].cells[one.cellIndex].textContent;
            const box = one.getBoundingClientRect();
            return [head, getComputedStyle(one, '::before').content, box.left, box.right];
        })"""
    )
    assert cells or name.startswith("subjects/broken")
    for head, said, left, right in cells:
        assert said == json.dumps(head, ensure_ascii=False) and 0 <= left < right <= 390


def test_tables_stay_tables_on_paper(page):
    # A4 with the margins of Chromium is 717 pixels wide.
    opened = page(width=717)
    layout = "[...new Set([...document.querySelectorAll('.scroll table')].map(one => getComputedStyle(one).display))]"
    assert opened.value(layout) == ["block"]
    opened.ask("Emulation.setEmulatedMedia", media="print")
    assert opened.value(layout) == ["table"]


def test_a_table_is_sorted_by_keyboard_and_says_so(page):
    opened = page()
    table = "document.querySelector('[aria-label=\"Scores per subject\"] table')"
    state = f"""(() => {{
        const heads = [...{table}.tHead.rows[0].cells], rows = [...{table}.tBodies[0].rows];
        return [heads.map(one => one.getAttribute("aria-sort")).filter(Boolean), rows[0].cells[0].textContent];
    }})()"""
    assert opened.value(state)[0] == ["ascending"], "the table begins with the lowest mean"
    opened.value(f"{table}.querySelectorAll('th button')[2].focus()")
    opened.key("Enter")
    assert opened.value(state) == [["ascending"], "case_28"], "by Dice"
    opened.key("Enter")
    assert opened.value(state) == [["descending"], "good"]
    assert opened.value(f"document.activeElement === {table}.querySelectorAll('th button')[2]"), "the focus stays"
    opened.value(f"{table}.querySelectorAll('th button')[0].focus()")
    opened.key("Enter")
    assert opened.value(state) == [["ascending"], "bad"], "by name, and no other column says that it is sorted"


def test_a_link_to_a_voxel_opens_the_viewer_there(page, report):
    link = """document.querySelector('[aria-label="Places worth a look"] a[href*="#at"]')"""
    href = page().value(f"{link}.getAttribute('href')")
    assert href == "subjects/bad.html#at=-9.5,20.0,30.0"
    opened = page("subjects/good.html")
    before = text(opened)
    opened.value("location.hash = '#at=-3,4,6'")
    opened.wait(f"document.getElementById('place').textContent !== {json.dumps(before)}")
    assert text(opened).startswith("-3, 4, 6 mm")
    assert opened.value("document.querySelector('#viewer canvas').getBoundingClientRect().top < innerHeight")
    opened.load()
    opened.wait("document.getElementById('place').textContent.startsWith('-3, 4, 6 mm')")


def test_a_page_opens_by_its_path_from_the_current_folder(browser, report, monkeypatch):
    monkeypatch.chdir(report.parent)
    opened = browser.open(Path("report/index.html"))
    assert opened.value("location.href") == (report / "index.html").as_uri()
    close_clean(opened)


def test_a_long_table_scrolls_in_its_box(page):
    opened = page(width=1024)
    high = opened.value(
        """(() => {
            const box = document.querySelector('[aria-label="Scores per subject"]'), body = box.querySelector("tbody");
            for (let count = 0; count < 60; count++) body.append(body.rows[0].cloneNode(true));
            return box.clientHeight;
        })()"""
    )
    assert high < 700


def text(page):
    return page.value("document.getElementById('place').textContent")


def middle(page):
    """The middle of the viewer, scrolled into view."""
    page.value("document.querySelector('#viewer canvas').scrollIntoView({block: 'center'})")
    return page.value(
        "(() => { const box = document.querySelector('#viewer canvas').getBoundingClientRect();"
        " return [box.x + box.width / 3, box.y + box.height / 4]; })()"
    )


def test_the_viewer_names_slices_classes_probabilities_and_intensities(page):
    opened = page("subjects/good.html")
    # The tiny scan has 40 x 44 x 36 voxels, and the greys of enhancing tumor in FLAIR are about 650.
    found = re.search(r"slice sagittal (\d+) of 40, coronal (\d+) of 44, axial (\d+) of 36\. (.*)", text(opened))
    assert all(5 < int(number) < 35 for number in found.groups()[:3])
    intensity = float(re.search(r"flair about ([\d.]+)", found[4])[1])
    assert 350 < intensity < 750
    assert "truth: " in found[4] and "probability of whole tumor 0.79" in found[4]
    labels = opened.value("[...document.querySelectorAll('#viewer label')].map(one => one.textContent)")
    assert "probability of tumor core" in labels


def test_the_truth_is_told_from_the_prediction_in_the_viewer(page):
    shades = page("subjects/good.html").value(
        """(() => {
            const [truth, prediction] = ["truth", "prediction"].map(name =>
                document.querySelector("#viewer canvas").viewer.volumes.find(volume => volume.name === name));
            const count = ({img}) => [img.filter(value => value > 0).length, img.filter(value => value === 9).length];
            return [...count(truth), ...count(prediction), truth.opacity, prediction.opacity];
        })()"""
    )
    outline, white, filled, none, truth, prediction = shades
    assert outline < 0.8 * filled and 0.3 * outline < white < 0.7 * outline and none == 0
    assert truth > 0 and prediction > 0


def test_reset_brings_the_viewer_back(page):
    opened = page("subjects/good.html")
    state = "[...document.querySelectorAll('#viewer input, #viewer select')].map(one => one.value + one.checked)"
    before = [opened.value(state), text(opened)]
    opened.value(
        """(() => {
            for (const slider of document.querySelectorAll("#viewer input[type=range]")) {
                slider.value = 0.3; slider.dispatchEvent(new Event("input"));
            }
            const view = [...document.querySelectorAll("#viewer select")].at(-1);
            view.value = 1; view.dispatchEvent(new Event("change"));
            const canvas = document.querySelector("#viewer canvas");
            canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "PageUp", bubbles: true}));
            canvas.viewer.volumes[0].cal_max = 99;
        })()"""
    )
    assert opened.value(state) != before[0] and text(opened) != before[1]
    opened.value("[...document.querySelectorAll('#viewer button')].find(one => one.textContent === 'Reset').click()")
    assert [opened.value(state), text(opened)] == before
    shown = "document.querySelector('#viewer canvas').viewer.volumes"
    assert opened.value(f"[{shown}[0].cal_max > 200, {shown}.map(one => one.opacity)]") == [True, [1, 1, 0.5, 0, 0, 0]]


def test_a_screenshot_is_saved(page, tmp_path):
    opened = page("subjects/good.html")
    opened.browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened.value("[...document.querySelectorAll('#viewer button')].at(-1).click()")
    for _ in range(100):
        if (tmp_path / "good.png").is_file():
            break
        time.sleep(0.1)
    image = np.asarray(Image.open(tmp_path / "good.png").convert("L"))
    assert image.shape[1] > 500 and image.std() > 5


def test_the_wheel_scrolls_the_page_unless_the_viewer_has_the_focus(page):
    opened = page("subjects/good.html", 1024)
    x, y = middle(opened)
    at, before = opened.value("scrollY"), text(opened)
    opened.wheel(x, y, 200)
    opened.wait(f"Math.abs(scrollY - {at}) > 50")
    assert text(opened) == before
    x, y = middle(opened)
    opened.value("document.querySelector('#viewer canvas').focus({preventScroll: true})")
    at = opened.value("scrollY")
    opened.wheel(x, y, 200)
    opened.wait(f"document.getElementById('place').textContent !== {json.dumps(before)}")
    assert opened.value("scrollY") == at


def test_the_pictures_of_the_docs_are_renewed_from_a_finished_run(browser, report, tmp_path):
    # The report of a run shows the worst subject first; here it gets the page with a viewer.
    results = tmp_path / "results"
    shutil.copytree(report, results / "report")
    index = results / "report/index.html"
    worst = re.search(r"<article>\s*<h4><a [^>]*>(.*?)</a>", index.read_text())[1]
    shutil.copy(report / "subjects/good.html", results / f"report/subjects/{worst}.html")
    shutil.copytree(report.parent / "plots", results / "plot")
    shutil.copy(results / "plot/scores.png", results / "plot/calibration.png")
    (tmp_path / "pictures").mkdir()
    renew(browser, results, tmp_path / "pictures")
    sizes = {path.name: Image.open(path).size for path in (tmp_path / "pictures").iterdir()}
    assert sizes.keys() == {path.name for path in FOLDER.iterdir()} - {"curve.png"}, "bench-curve writes the curve"
    assert sizes["report.png"] == (1100, 1030) and sizes["planes.png"] == (1000, 560)
    assert np.asarray(Image.open(tmp_path / "pictures/viewer.png").convert("L")).std() > 10
