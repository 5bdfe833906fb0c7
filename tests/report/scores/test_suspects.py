"""The report lists the subjects and places whose truth contradicts the predictions most."""

from reports import make, scan, script, written

from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.report.scores.suspects import place_address, suspects


def rows(count, depth=""):
    return [
        {"subject": f"s{number:02d}", "shortfall": f"{number / 100 - 0.05:.2f}", "contradicted_mm": depth}
        for number in range(count)
    ]


def names(found):
    return [row["subject"] for row in found["subjects"]]


def test_subjects_are_ranked_by_depth_or_else_by_shortfall():
    unscored = [{"subject": "new", "shortfall": "", "contradicted_mm": ""}]
    assert names(suspects([*rows(20), *unscored], [])) == ["s19", "s18", "s17"]
    deep = [row | {"contradicted_mm": str(20 - place)} for place, row in enumerate(rows(20))]
    assert names(suspects([*deep, *unscored], [])) == ["s00", "s01", "s02"]
    # The largest place counts as much as the depth.
    places = [{"subject": "s11", "place_ml": "3"}, {"subject": "s00", "place_ml": "2"}]
    assert names(suspects([*deep, *unscored], places)) == ["s00", "s11", "s01"]
    # One subject without a depth: all by the same measure.
    assert names(suspects([*deep[:-1], rows(20)[-1]], [])) == ["s19", "s18", "s17"]
    assert names(suspects(rows(9), [])) == [], "too few for a rank"
    assert names(suspects(rows(10), [])) == ["s09", "s08"]
    assert names(suspects(rows(10, "0"), [])) == [], "only those with a contradiction"


def test_each_subject_has_its_largest_place():
    places = [{"subject": name, "place_ml": ml} for name, ml in (("s19", "3"), ("s17", "2"), ("s19", "1"))]
    found = suspects(rows(20), places)
    assert [row["place"] and row["place"]["place_ml"] for row in found["subjects"]] == ["3", None, "2"]
    assert found["places"] == places
    assert place_address("a%20b.html", {"x_mm": "-9.5", "y_mm": "2.0", "z_mm": "30.0"}) == "a%20b.html#at=-9.5,2.0,30.0"


def test_the_report_shows_them_with_pictures_and_links_to_the_voxel(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.1, **{f"case_{place:02d}": 0.8 for place in range(8)}})
    table = read_table(tmp_path / "uncertainty.tsv")
    depth = {"bad": "2.5", "good": "1.5"}
    table = [row | {"contradicted_mm": depth.get(row["subject"], "0.1"), "shortfall": "0.2"} for row in table[:10]]
    write_table(tmp_path / "uncertainty.tsv", tuple(table[0]), table)
    index = written(options)
    part = index[index.index("<h3>Masks worth a look</h3>") : index.index("<h3>Lesions</h3>")]
    assert part.index(">bad</a>") < part.index(">2.50<") < part.index(">good</a>") < part.index(">1.50<")
    assert part.count('href="subjects/bad.html#at=-9.5,20.0,30.0"') == 2, "of the subject and of the place"
    assert part.count("<img") == 2 and "false negative" in part and "The 1 largest places" in part
    write_table(tmp_path / "suspects.tsv", SUSPECT_COLUMNS, [])
    write_table(tmp_path / "uncertainty.tsv", tuple(table[0]), table[:9])
    assert "Masks worth a look" not in written(options)


def test_a_subject_page_links_its_lesions_to_its_viewer(tmp_path):
    options = make(tmp_path, {"bad": 0.1})
    written(options)
    page = tmp_path / "report/subjects/bad.html"
    assert "#at=" not in page.read_text(), "it has no viewer"
    folder, mask = scan(tmp_path)
    script(folder, mask, tmp_path / "report/volumes/bad.js")
    written(options)
    assert page.read_text().count('href="#at=-9.5,20.0,30.0"') == 4
