"""The page that segments scans, in a browser: it does what `segment` does, and nothing leaves the computer."""

import base64
import json
import socket
import threading

import nibabel as nib
import numpy as np
import pytest
from browsers import chromium, close_clean
from click.testing import CliRunner
from segmenters import PREDICT, drop, embedded, mistake, needs_runtime, said, segmented
from studies import MODALITIES, SETTINGS, TINY, write_subject
from test_onnx_page import AFFINE, COARSE, save_network

import segment
from glioseg.layouts.modalities import names_of
from glioseg.preprocess.normalize import NORMALIZATIONS as KNOWN
from glioseg.preprocess.scan import preprocess_scan
from glioseg.report.segmenter.page import NORMALIZATIONS, PAGE, WORKER, script
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import to_lps

OBLIQUE = np.array([[0, 0, 1.2, -7], [-0.995, 0.1, 0, 27], [0.1, 0.995, 0, 3], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    needs_runtime()
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """A function that opens a page, which must log no error and request nothing outside."""
    opened = []

    def open_path(path, *words):
        opened.append(browser.open(path, *words))
        return opened[-1]

    yield open_path
    for page in opened:
        close_clean(page)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The page of a model that learned from a scan, and the folder of the scan."""
    needs_runtime()
    root = tmp_path_factory.mktemp("small")
    scan = write_subject(root / "data", 3)
    save_network(root / "A/train/all", scan, "classes", 24)
    return embedded([root / "A"], root / "segment.html"), scan


@pytest.fixture(scope="module")
def scripts(browser, tmp_path_factory):
    """A page without content, in which all functions of the workers and of the page are known."""
    empty = tmp_path_factory.mktemp("empty") / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    page = browser.open(empty)
    page.value("\n".join(map(script, [*WORKER[:-1], PAGE[0]])) + ";true")
    yield page
    page.close()


def files_of(scan, names=MODALITIES):
    return [scan / f"{scan.name}_{name}.nii.gz" for name in names]


def ours(models, files, output, settings):
    """What `segment` writes for the same files."""
    words = [word for model in models for word in ("--model", model)]
    words += [word for name, path in files.items() for word in ("--image", name, path)]
    for name, value in (PREDICT | settings).items():
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", one]
    done = CliRunner().invoke(segment.segment, list(map(str, [*words, "--output", output])))
    assert done.exit_code == 0, done.output
    return output


CASES = {
    "two models, mirrored": ("classes", AFFINE, 2, {"flips": ["x", "z"]}, {}, MODALITIES),
    "regions, resampled": ("regions", COARSE, 1, {"threshold_et": 0.7}, {"normalization": "zscore_robust"}, MODALITIES),
    "without t2, cut": (
        "classes", OBLIQUE, 1, {"smallest_component_ml": 0.05, "overlap": 0.25, "smallest_enhancing_ml": 5},
        {"crop": [[4, 36], [2, 99], [5, 30]], "missing": "zeros", "spacing_mm": 1.5}, MODALITIES[:3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_page_segments_like_the_command(case, open_page, tmp_path):
    targets, affine, count, settings, prepared, names = CASES[case]
    scan = write_subject(tmp_path / "data", 3, affine)
    models = [tmp_path / f"A/train/{number}" for number in range(count)]
    for model in models:
        save_network(model, scan, targets, 24, **prepared)
    page = open_page(embedded(models, tmp_path / "segment.html", **settings))
    files = dict(zip(names, files_of(scan, names), strict=True))
    drop(page, list(files.values()))
    if names != MODALITIES:
        assert said(page) == "Ready, without t2."
        page.value("document.getElementById('start').click()")
    (tmp_path / "theirs.nii.gz").write_bytes(segmented(page))
    theirs, expected = (
        nib.load(path) for path in (tmp_path / "theirs.nii.gz", ours(models, files, tmp_path / "ours.nii.gz", settings))
    )
    found, wanted = np.asarray(theirs.dataobj), np.asarray(expected.dataobj)
    assert found.dtype == wanted.dtype == np.uint8 and found.shape == wanted.shape
    assert np.count_nonzero(wanted) > 1000
    assert (found == wanted).mean() >= 0.999
    assert {name: theirs.header[name].tolist() for name in theirs.header if "scl" not in name} == {
        name: expected.header[name].tolist() for name in expected.header if "scl" not in name
    }
    assert page.value("document.getElementById('download').download") == f"{scan.name}_segmentation.nii.gz"
    page.wait("document.getElementById('canvas').viewer?.volumes.length === 2")


def test_a_scan_is_prepared_as_by_preprocess(scripts, tmp_path):
    scan = write_subject(tmp_path, 5, COARSE)
    files = files_of(scan)
    contents = {
        name: base64.b64encode(path.read_bytes()).decode() for name, path in zip(MODALITIES, files, strict=True)
    }
    scripts.value(
        f"""(async () => {{
            globalThis.scans = {{}};
            for (const [name, text] of Object.entries({json.dumps(contents)})) {{
                scans[name] = await readScan(name, Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
            }}
        }})()"""
    )
    assert set(NORMALIZATIONS) <= set(KNOWN)
    studies = [SETTINGS | {"normalization": name} for name in NORMALIZATIONS]
    studies += [SETTINGS | {"spacing_mm": 1.5, "crop": crop} for crop in ("brain", [[3, 20], [10, 60], [0, 36]])]
    for study in studies:
        images = {name: (path, 0) for name, path in zip(MODALITIES, files, strict=True)}
        facts, arrays = preprocess_scan("case", images, None, study)
        crop, text = scripts.value(
            f"""(() => {{
                const image = prepare(scans, {json.dumps(study)}), values = new Float32Array(4 * product(image.size));
                image.channels.forEach((channel, at) => values.set(channel, at * channel.length));
                let text = "";
                for (const byte of new Uint8Array(values.buffer)) text += String.fromCharCode(byte);
                return [image.crop, btoa(text)];
            }})()"""
        )
        assert crop == facts["crop"]
        wanted = np.moveaxis(arrays["image"], -1, 0)
        found = np.frombuffer(base64.b64decode(text), np.float32).reshape(wanted.shape)
        # All values are those of half precision; a few are rounded to the other neighbor.
        assert np.array_equal(found, found.astype(np.float16))
        assert (found == wanted).mean() > 0.999, study
        np.testing.assert_allclose(found, wanted, atol=2e-3)


def variants():
    """Files of many kinds, by name, of one volume that is not symmetric along any axis."""
    volume = np.arange(5 * 6 * 7).reshape(5, 6, 7) % 120
    affines = {"oblique": OBLIQUE, "mirrored": np.diag([-1.0, 1, 2, 1]), "turned": AFFINE}
    for kind in ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">i2", ">f4"):
        header = nib.Nifti1Header().as_byteswapped(">") if ">" in kind else None
        yield kind, nib.Nifti1Image(volume.astype(kind), OBLIQUE, header, dtype=kind)
    for name, affine in affines.items():
        for form in ("sform", "qform"):
            image = nib.Nifti1Image(volume.astype("i2"), affine)
            image.header["sform_code" if form == "qform" else "qform_code"] = 0
            image.header["qform_code" if form == "qform" else "sform_code"] = 1
            yield f"{name} {form}", image
    scaled = nib.Nifti1Image(volume.astype("i2"), OBLIQUE)
    scaled.header.set_slope_inter(0.37, -4.5)
    yield "scaled", scaled
    yield "NIfTI-2", nib.Nifti2Image(volume.astype("f4"), OBLIQUE)
    bare = nib.Nifti1Image(volume.astype("i2"), None)
    bare.header["pixdim"][1:4] = 1, 2, 3
    yield "no form", bare


def test_files_are_read_as_by_the_library(scripts, tmp_path):
    seen = 0
    for name, image in variants():
        for ending in (".nii", ".nii.gz"):
            path = tmp_path / f"{seen}{ending}"
            image.to_filename(path)
            wanted, affine = to_lps(*read_volume(path))
            text = base64.b64encode(path.read_bytes()).decode()
            found = scripts.value(
                f"""readScan("a", Uint8Array.from(atob("{text}"), letter => letter.charCodeAt(0)).buffer).then(scan =>
                    [[...scan.voxels], scan.lps, scan.spacing, scan.affine])"""
            )
            assert found[1] == list(wanted.shape), name
            assert np.array_equal(np.float32(found[0]).reshape(wanted.shape), wanted), name
            np.testing.assert_allclose(found[2], np.linalg.norm(affine[:3, :3], axis=0), atol=1e-5, err_msg=name)
            np.testing.assert_allclose(found[3], nib.load(path).affine[:3], atol=1e-5, err_msg=name)
            seen += 1
    assert seen == 42


NAMES = {
    "BraTS20_Training_001_t1ce.nii.gz": "t1ce",
    "BraTS-GLI-00000-000-t2f.nii.gz": "flair",
    "BraTS-GLI-00000-000-t1n.nii": "t1",
    "VSD.Brain.XX.O.MR_T1c.54514.nii.gz": "t1ce",
    "T2 FLAIR.nii.gz": "flair",
    "sub-01_ce-gadolinium_T1w.nii.gz": "t1ce",
    "sub-01_T2w.nii.gz": "t2",
    "patient_adc.nii.gz": "adc",
    "BraTS20_Training_001_seg.nii.gz": "",
    "scan.nii.gz": "",
}


def test_modalities_are_recognized_by_the_names_of_files(scripts):
    names = names_of([*MODALITIES, "adc"])
    found = {name: scripts.value(f"modalityOf({json.dumps(name)}, {json.dumps(names)})") for name in NAMES}
    assert found == NAMES


def test_a_modality_that_no_name_tells_is_chosen(small, open_page, tmp_path):
    path, scan = small
    page, odd = open_page(path), tmp_path / "scan.nii.gz"
    odd.write_bytes(files_of(scan)[0].read_bytes())
    drop(page, [odd, *files_of(scan)[1:]])
    assert said(page) == (
        "Expected a file for flair, t1, t1ce, t2; flair is missing: add a file, or choose what each file shows"
    )
    assert page.value("document.getElementById('start').disabled")
    page.value(
        """(() => { const select = document.querySelector("select[aria-label^='What scan.nii.gz']");
            select.value = "flair"; select.dispatchEvent(new Event("change"));
            document.getElementById("start").click(); })()"""
    )
    assert len(segmented(page)) > 200
    assert page.value("document.getElementById('download').download") == "segmentation.nii.gz"


def test_errors_name_the_file_and_what_to_do(small, open_page, tmp_path):
    path, scan = small
    others = files_of(scan)[1:]

    def refused(change):
        image = nib.load(files_of(scan)[0])
        made = tmp_path / "other_flair.nii.gz"
        change(image, made)
        page = open_page(path)
        drop(page, [made, *others])
        words = mistake(page)
        assert "_flair.nii.gz" in words or "_t1.nii.gz" in words
        return words

    def moved(image, made):
        nib.Nifti1Image(np.asarray(image.dataobj), image.affine + np.eye(4, k=3) * 9).to_filename(made)

    assert "found an affine that differs by up to 9" in refused(moved)
    smaller = refused(lambda image, made: image.slicer[:-1].to_filename(made))
    assert (
        "expected 39 x 44 x 36 voxels as in other_flair.nii.gz, found 40 x 44 x 36; export all on the same" in smaller
    )

    def several(image, made):
        nib.Nifti1Image(np.stack([np.asarray(image.dataobj)] * 3, axis=3), image.affine).to_filename(made)

    assert refused(several) == (
        "other_flair.nii.gz: expected one volume, found 3; export each volume as a file of its own"
    )
    assert "expected a NIfTI file, .nii or .nii.gz, found another kind of file" in refused(
        lambda image, made: made.write_bytes(b"text" * 100)
    )
    assert "expected one complete gzip file" in refused(
        lambda image, made: made.write_bytes(files_of(scan)[0].read_bytes()[:-99])
    )

    def spoiled(image, made):
        voxels = np.asarray(image.dataobj, np.float32)
        voxels[20, 22, 18] = 1e7
        nib.Nifti1Image(voxels, image.affine).to_filename(made)

    assert "found that 99 % of the brain lies within 0.0" in refused(spoiled)
    copied = refused(lambda image, made: made.write_bytes(others[0].read_bytes()))
    assert "found the same voxels; replace the wrong file" in copied


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_a_file_of_several_volumes_is_refused_before_a_modality_is_chosen(ending, small, open_page, tmp_path):
    path, scan = small
    volumes = [np.asarray(nib.load(file).dataobj) for file in files_of(scan)]
    made = tmp_path / f"BRATS_001.{ending}"
    nib.Nifti1Image(np.stack(volumes, axis=3), np.diag([-1.0, -1, 1, 1])).to_filename(made)
    page = open_page(path)
    drop(page, [made])
    assert mistake(page) == (
        f"BRATS_001.{ending}: expected one volume, found 4; export each volume as a file of its own"
    )
    # The four files instead of it are segmented.
    drop(page, files_of(scan))
    assert len(segmented(page)) > 200


def test_a_segmentation_can_be_canceled(small, open_page):
    path, scan = small
    page = open_page(path)
    drop(page, files_of(scan))
    page.value("document.getElementById('cancel').click()")
    assert said(page) == "Canceled."
    page.value("document.getElementById('start').click()")
    assert len(segmented(page)) > 200


def test_the_files_of_a_second_scan_replace_those_of_the_first(small, open_page, tmp_path):
    path, scan = small
    page, found = open_page(path), []
    for case in (scan, write_subject(tmp_path, 4)):
        contents = {file.name: base64.b64encode(file.read_bytes()).decode() for file in files_of(case)}
        page.value(
            f"""(() => {{
                const data = new DataTransfer();
                for (const [name, text] of Object.entries({json.dumps(contents)})) {{
                    data.items.add(new File([Uint8Array.from(atob(text), letter => letter.charCodeAt(0))], name));
                }}
                const how = {{dataTransfer: data, bubbles: true, cancelable: true}};
                document.getElementById("drop").dispatchEvent(new DragEvent("drop", how));
            }})()"""
        )
        page.wait("!document.getElementById('result').shown")
        found.append(segmented(page))
        assert page.value("document.getElementById('download').download") == f"{case.name}_segmentation.nii.gz"
        assert page.value("document.querySelectorAll('#files tbody tr').length") == 4
    assert found[0] != found[1]
    # The crosshair is where the tumor is, and the arrow keys move it.
    page.wait("document.getElementById('canvas').viewer?.volumes.length === 2")
    place = "(({viewer}) => [...viewer.frac2mm(viewer.scene.crosshairPos)])(document.getElementById('canvas'))"
    at = page.value(place)
    assert np.abs(np.subtract(at[:3], [-20, -22, 18])).max() < 6
    page.value(
        """document.getElementById("canvas").dispatchEvent(
            new KeyboardEvent("keydown", {key: "PageUp", bubbles: true}))"""
    )
    assert page.value(place)[2] == pytest.approx(at[2] + 1, abs=0.6)


def test_nothing_leaves_the_computer(small, open_page):
    path, _ = small
    with socket.create_server(("127.0.0.1", 0)) as server:
        called = []
        threading.Thread(target=lambda: called.append(server.accept()), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        page = open_page(path)
        refused = page.value(
            f"""(async () => {{
                const code = `fetch("{address}").then(() => postMessage("sent"), () => postMessage("refused"))`;
                const worker = new Worker(URL.createObjectURL(new Blob([code])));
                const image = new Image(), loaded = new Promise(done => {{
                    image.onload = () => done("sent"); image.onerror = () => done("refused");
                }});
                image.src = "{address}a.png";
                return [
                    await fetch("{address}").then(() => "sent", () => "refused"), await loaded,
                    await new Promise(done => {{ worker.onmessage = ({{data}}) => done(data); }}),
                ];
            }})()"""
        )
        assert refused == ["refused"] * 3
        assert called == []
        # The policy refused them, and said so.
        assert any("Content Security Policy" in error for error in page.errors)
        page.errors.clear()
        page.addresses.clear()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_has_no_serious_violation_and_does_not_scroll_sideways(small, open_page, width, dark):
    path, scan = small
    page = open_page(path, width, dark)
    assert page.serious() == []
    drop(page, files_of(scan))
    segmented(page)
    assert page.serious() == []
    assert page.value("document.scrollingElement.scrollWidth") <= width


def test_the_report_of_a_study_has_the_page_and_links_to_it(workflow, cohort_folder, open_page, tmp_path):
    needs_runtime()
    # In float32, since this network, which is hardly trained, is sure of nothing.
    settings = {"train": TINY["train"] | {"precision": "float32"}}
    run = workflow(cohort_folder, report={"gallery": 1, "viewer": "none", "model": True}, **settings)
    done = run.run()
    assert done.returncode == 0, done.stderr[-3000:]
    page = open_page(run / "report/index.html")
    links = page.value("[...document.querySelectorAll('a[href$=\"segment.html\"]')].map(link => link.href)")
    assert links == [(run / "report/segment.html").as_uri()] * 2
    assert "report/segment.html" in (run / "ro-crate-metadata.json").read_text()
    subject = min(path.name for path in (run / "predict").glob("case_*.nii.gz"))
    page = open_page(run / "report/segment.html")
    drop(page, files_of(cohort_folder / subject.partition(".")[0]))
    (tmp_path / "theirs.nii.gz").write_bytes(segmented(page))
    found, wanted = (
        np.asarray(nib.load(path).dataobj) for path in (tmp_path / "theirs.nii.gz", run / f"predict/{subject}")
    )
    assert (found == wanted).mean() >= 0.999
    # Without the setting, the report has no link, even if the file is still there.
    run.settings.write_text(run.settings.read_text().replace("model: true", "model: false"))
    assert run.run().returncode == 0
    assert "segment.html" not in (run / "report/index.html").read_text()
    assert "segment.html" not in (run / "ro-crate-metadata.json").read_text()
