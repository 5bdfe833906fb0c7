"""From a trained network to a segmentation: runtimes, windows, flips, ensembles, decisions, maps, and the commands."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import MODALITIES, ROOT, SETTINGS, tiny_subject, write_subject

import segment
from glioseg.labels import CLASSES, region
from glioseg.predict import decide as deciding
from glioseg.predict.model_facts import read_facts
from glioseg.predict.runtime import Network, choose_runtime, load_networks
from glioseg.predict.sliding_window import gaussian_weight, predict_probabilities, window_corners
from glioseg.preprocess.scan import preprocess_scan
from glioseg.train import device
from glioseg.volumes.nifti import read_volume, write_map

TISSUES = ("background", "necrosis", "edema", "enhancing")
STUDY = {"modalities": list(MODALITIES), "labels": "brats2020", "preprocess": {}}
STUDY["preprocess"] = {name: SETTINGS[name] for name in ("spacing_mm", "crop", "normalization", "min_tumor_percent")}
STUDY["preprocess"]["missing"] = "exclude"


@pytest.mark.parametrize(
    ("name", "filters", "backbone", "normalization"),
    [
        ("unet", (4, 8, 16), "", "instance"),
        ("unet", (4, 8, 16), "", "none"),
        ("original", (4, 8, 16), "", "none"),
        ("sm_unet", (4, 8, 8, 16, 16), "resnet18", "none"),
        ("sm_unet", (4, 8, 8, 16, 16), "vgg16", "none"),
    ],
)
def test_openvino_and_tensorflow_predict_alike(name, filters, backbone, normalization, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "use_threads", lambda threads: None)  # TensorFlow runs already
    import keras

    from glioseg.train.networks import build_network

    keras.utils.set_random_seed(1)
    model = build_network(name, (32, 32, 32), 2, 4, filters, backbone, normalization)
    random = np.random.default_rng(0)
    # Not all the weights it starts with: those leave normalizations and biases without effect.
    weights = model.get_weights()
    model.set_weights([value + random.uniform(0, 0.1, value.shape) * (value.ndim == 1) for value in weights])
    path = tmp_path / "model.keras"
    model.save(path)
    assert choose_runtime("auto", [path]) == "openvino"
    patches = random.normal(size=(7, 2, 32, 32, 32)).astype(np.float32)
    found = {}
    for runtime in ("openvino", "tensorflow"):
        (network,) = load_networks([path], runtime, 2)
        assert (tuple(network.patch), network.channels) == ((32, 32, 32), 2)
        found[runtime] = np.array([softmax.copy() for softmax in network.predict(patches)])
    assert found["openvino"].shape == (7, 4, 32, 32, 32)
    assert found["openvino"] == pytest.approx(found["tensorflow"], abs=1e-4)
    assert found["openvino"].std() > 0.01
    # Several at once, and still in their order; and as many threads as there are give the same bits.
    (alone,) = load_networks([path], "openvino", 1)
    for patch, one in zip(patches, found["openvino"], strict=True):
        assert (next(alone.predict([patch])) == one).all()


@pytest.mark.parametrize("has", [True, False])
def test_what_was_trained_in_bfloat16_predicts_in_it_where_the_processor_has_it(has, tmp_path, monkeypatch):
    import keras

    from glioseg.predict import openvino
    from glioseg.train.networks import build_network

    if has and not device.has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    monkeypatch.setattr(openvino, "has_bfloat16", lambda: has)
    found, patch = {}, np.random.default_rng(0).normal(size=(2, 32, 32, 32)).astype(np.float32)
    for policy in ("float32", "mixed_bfloat16"):
        keras.mixed_precision.set_global_policy(policy)
        keras.utils.set_random_seed(1)
        build_network("unet", (32, 32, 32), 2, 4, (4, 8, 16), "").save(tmp_path / f"{policy}.keras")
        keras.mixed_precision.set_global_policy("float32")
        compiled = openvino.compile_network(tmp_path / f"{policy}.keras", 2)
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        assert hint == ("bf16" if has and policy == "mixed_bfloat16" else "f32")
        found[policy] = next(openvino.stream(compiled, [patch])).copy()
    # The softmax is float32 all the same: its sums are as near to 1 as that has it.
    assert found["mixed_bfloat16"].sum(0) == pytest.approx(1, abs=1e-6)
    assert found["mixed_bfloat16"] == pytest.approx(found["float32"], abs=0.03)
    assert (found["mixed_bfloat16"] == found["float32"]).all() != has


def test_a_layer_that_openvino_is_not_taught_is_left_to_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "use_threads", lambda threads: None)  # TensorFlow runs already
    from glioseg.train.networks import build_network

    path = tmp_path / "model.keras"
    build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16, 16), "mobilenet").save(path)
    assert choose_runtime("auto", [path]) == "tensorflow"
    with pytest.raises(
        ValueError, match=r"has a layer of the kind ReLU; known here are .*; predict with runtime: tensorflow"
    ):
        list(load_networks([path], "openvino", 2))
    path.write_bytes(b"no network")
    for runtime in ("openvino", "tensorflow"):
        with pytest.raises(ValueError, match=r"model.keras cannot be read as a network .* delete it and run again"):
            list(load_networks([path], runtime, 2))
    with pytest.raises(ValueError, match="known are auto, openvino, tensorflow"):
        choose_runtime("abacus", [path])


def test_little_enhancing_tumor_becomes_necrosis():
    from glioseg.predict.postprocess import drop_small_enhancing

    classes = np.array([0, 1, 2, 3, 3], np.uint8)
    assert drop_small_enhancing(classes, 0.001, 0.0021).tolist() == [0, 1, 2, 1, 1]
    assert drop_small_enhancing(classes, 0.001, 0.0021).dtype == np.uint8
    assert drop_small_enhancing(classes, 0.001, 0.002).tolist() == [0, 1, 2, 3, 3]
    assert drop_small_enhancing(classes, 0.001, 0).tolist() == [0, 1, 2, 3, 3]


def test_small_connected_tumor_becomes_background():
    from glioseg.predict.postprocess import drop_small, drop_small_components

    classes = np.zeros((8, 8, 8), np.uint8)
    classes[:2, :2, :2] = 2
    classes[2, 2, 2] = 3  # it shares a corner with the first
    classes[6, 6, 5:7] = 1, 3
    classes[4, 0, 0] = 4  # a cavity is no tumor
    kept = drop_small_components(classes, 0.001, 0.0021)
    assert kept[6, 6].sum() == 0 and kept[2, 2, 2] == 3 and kept[4, 0, 0] == 4 and (kept[:2, :2, :2] == 2).all()
    assert classes[6, 6, 6] == 3, "the array that was given stays as it is"
    assert (drop_small_components(classes, 0.001, 0.002) == classes).all()
    # The component goes first: what enhances in it doesn't count for the rest.
    assert drop_small(classes, 0.001, 0.0015, 0.0021)[2, 2, 2] == 1
    assert drop_small(classes, 0.001, 0.0015, 0)[2, 2, 2] == 3
    empty = np.zeros((3, 3, 3), np.uint8)
    assert (drop_small_components(empty, 1.0, 5.0) == empty).all()


def test_windows_cover_the_brain_and_weights_peak_in_the_middle():
    corners = window_corners(np.ones((40, 16, 33), bool), (16, 16, 16), 0.5)
    seen = np.zeros((40, 16, 33), int)
    for x, y, z in corners:
        seen[x : x + 16, y : y + 16, z : z + 16] += 1
    assert seen.min() >= 1
    assert max(corner[0] for corner in corners) == 24
    assert len(corners) == 4 * 1 * 4
    # A ball needs fewer windows than its box, and each voxel of it is within one.
    grid = np.stack(np.meshgrid(*[np.arange(80) - 39.5] * 3, indexing="ij"), -1)
    ball = np.linalg.norm(grid, axis=-1) < 40
    corners = window_corners(ball, (16, 16, 16), 0.5)
    seen = np.zeros(ball.shape, bool)
    for corner in corners:
        assert all(0 <= start <= 64 for start in corner)
        seen[tuple(slice(start, start + 16) for start in corner)] = True
    assert seen[ball].all()
    assert len(corners) < 0.85 * len(window_corners(np.ones_like(ball), (16, 16, 16), 0.5))
    assert window_corners(np.zeros((16, 16, 16), bool), (16, 16, 16), 0.5) == [(0, 0, 0)]
    weight = gaussian_weight((16, 16, 16))
    assert weight.min() > 0
    assert weight[8, 8, 8] == weight.max()


def network(function, patch=(16, 16, 16), channels=2):
    """A network that makes of each patch what a function of it says."""
    return Network(patch, channels, lambda patches: map(function, patches))


# It returns its first channel as the probability of class 1.
COPY = network(lambda patch: np.stack([1 - patch[0], patch[0]]))
TWO = (("background", "edema"), "classes")


@pytest.mark.parametrize("flips", [(), ("x",), ("x", "y", "z")])
@pytest.mark.parametrize("shape", [(16, 16, 16), (30, 17, 40), (10, 40, 12)])
def test_sliding_window_puts_every_voxel_back(shape, flips):
    image = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    result = predict_probabilities([COPY, COPY], image, *TWO, 0.5, flips, False).probabilities
    assert result.shape == (*shape, 2)
    assert result[..., 1] == pytest.approx(image[..., 0], abs=1e-5)


def test_flips_make_a_lopsided_network_even():
    # It says how far a voxel lies along its window's first axis: of that, its mirror leaves nothing.
    ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32)[:, None, None], (16, 16, 16))
    lopsided = network(lambda patch: np.stack([1 - ramp, ramp]))
    image = np.ones((16, 16, 16, 2), np.float32)
    image[:4] = 0
    alone, even, other = (
        predict_probabilities([lopsided], image, *TWO, 0, flips, False).probabilities for flips in ((), ("x",), ("y",))
    )
    assert alone[0, 0, 0, 1] == 0
    assert even[..., 1] == pytest.approx(0.5)
    assert (other == alone).all()


def test_an_ensemble_is_the_mean_and_tells_disagreement_from_doubt():
    def says(share):
        return network(lambda patch: np.stack([np.full(patch.shape[1:], 1 - share), np.full(patch.shape[1:], share)]))

    image = np.random.default_rng(0).random((20, 20, 20, 2)).astype(np.float32)
    for shares, undecided, disagreement in (((0.5, 0.5), 1, 0), ((1e-9, 1 - 1e-9), 1, 1), ((1e-9, 1e-9), 0, 0)):
        found = predict_probabilities(map(says, np.float32(shares)), image, *TWO, 0.5, (), True)
        assert found.probabilities[..., 1] == pytest.approx(np.mean(shares), abs=1e-5)
        whole = deciding.entropy(found.probabilities, "classes")
        assert whole == pytest.approx(undecided, abs=1e-4)
        assert whole - found.single_entropy == pytest.approx(disagreement, abs=1e-4)


def test_where_no_window_reaches_there_is_background():
    image = np.zeros((64, 16, 16, 2), np.float32)
    image[2:10, 4:12, 4:12] = np.random.default_rng(0).random((8, 8, 8, 2))
    sure = network(lambda patch: np.stack([np.zeros(patch.shape[1:]), np.ones(patch.shape[1:])]))
    found = predict_probabilities([sure], image, *TWO, 0.5, (), False).probabilities
    classes = deciding.decide(found, *TWO)
    assert set(np.unique(classes[:16])) == {CLASSES.index("edema")}
    assert not classes[16:].any()
    assert found.sum(axis=-1) == pytest.approx(1)


def test_networks_that_do_not_fit_are_refused():
    image = np.random.default_rng(0).random((16, 16, 16, 2)).astype(np.float32)
    with pytest.raises(ValueError, match=r"takes 2 modalities in windows of .* expected 1 \(the image's\)"):
        predict_probabilities([COPY], image[..., :1], *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="tells 2 classes apart, expected 4"):
        predict_probabilities([COPY], image, TISSUES, "classes", 0.5, (), False)
    with pytest.raises(ValueError, match="train all with one list of modalities and one patch"):
        predict_probabilities([COPY, COPY._replace(patch=(8, 8, 8))], image, *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="'w' is not known; known are x, y, z"):
        predict_probabilities([COPY], image, *TWO, 0.5, ("w",), False)
    with pytest.raises(ValueError, match="no model was given"):
        predict_probabilities([], image, *TWO, 0.5, (), False)


def test_networks_are_loaded_one_after_the_other():
    alive = []

    def load():
        for number in range(3):
            alive.append(number)
            yield COPY
            assert alive == [number], "one at a time"
            alive.remove(number)

    predict_probabilities(load(), np.ones((16, 16, 16, 2), np.float32), *TWO, 0.5, (), False)
    assert alive == []


def test_decisions_by_hand():
    softmax = np.array([[0.5, 0.1, 0.3, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]], np.float32)
    assert deciding.decide(softmax, TISSUES, "classes").tolist() == [0, 3, 0]
    assert deciding.decide(softmax[:, [0, 3]], ("background", "enhancing"), "classes").tolist() == [0, 3, 0]
    random = np.random.default_rng(0).dirichlet(np.ones(4), (5, 6, 7)).astype(np.float32)
    assert (deciding.decide(random, TISSUES, "classes") == random.argmax(axis=-1)).all()
    with pytest.raises(ValueError, match="known are classes, regions"):
        deciding.decide(softmax, TISSUES, "boxes")


def test_regions_nest_by_hand():
    sigmoids = np.array(
        [[0.4, 0.9, 0.9], [0.6, 0.4, 0.9], [0.6, 0.6, 0.4], [0.6, 0.6, 0.6], [0.5, 0.5, 0.5]], np.float32
    )[:, None, None]
    # Background outside of WT whatever is said inside; edema; necrosis; enhancing; 0.5 is not more than half.
    expected = [CLASSES.index(name) for name in ("background", "edema", "necrosis", "enhancing", "background")]
    found = deciding.regions_to_classes(sigmoids, ["WT", "TC", "ET"])
    assert found.dtype == np.uint8 and found.shape == (5, 1, 1)
    assert found[:, 0, 0].tolist() == expected
    # In any order, and back: the regions of these classes are the thresholds' nested ones.
    assert (deciding.regions_to_classes(sigmoids[..., ::-1], ["ET", "TC", "WT"]) == found).all()
    assert (region(found, "TC") == ((sigmoids[..., 0] > 0.5) & (sigmoids[..., 1] > 0.5))).all()
    cavity = np.array([[0.1, 0, 0, 0.9], [0.9, 0, 0, 0.9]], np.float32)[:, None, None]
    assert deciding.regions_to_classes(cavity, ["WT", "TC", "ET", "RC"])[:, 0, 0].tolist() == [4, 2]


def test_region_probabilities_and_certainty_by_hand():
    softmax = np.zeros((10, 10, 10, 4), np.float32)
    softmax[..., 0] = 1
    softmax[:5, :, :] = (0, 0.25, 0.25, 0.5)
    probabilities = {name: deciding.region_probabilities(softmax, TISSUES, "classes", name) for name in ("WT", "TC")}
    assert probabilities["WT"][0, 0, 0] == 1 and probabilities["TC"][0, 0, 0] == 0.75
    found = deciding.certainty(softmax, TISSUES, "classes", 1.0)
    small = deciding.CERTAIN_ML
    # 500 voxels: WT sure; TC 0.75 each: 2 · 375 / (500 + 375); ET 0.5 each and not predicted.
    assert found["expected_dice"]["WT"] == pytest.approx(1)
    assert found["expected_dice"]["TC"] == pytest.approx((750 + small) / (875 + small))
    assert found["expected_dice"]["ET"] == pytest.approx(small / (250 + small))
    assert found["uncertainty"] == pytest.approx(1 - np.mean(list(found["expected_dice"].values())))
    assert found["entropy"] == pytest.approx(1.5 / 2)
    nothing = softmax.copy()
    nothing[...] = (1, 0, 0, 0)
    assert deciding.certainty(nothing, TISSUES, "classes", 0.001)["uncertainty"] == 0
    sigmoids = np.full((2, 2, 2, 3), 0.5, np.float32)
    assert deciding.entropy(sigmoids, "regions") == pytest.approx(1)
    with pytest.raises(ValueError, match="knows no RC"):
        deciding.region_probabilities(softmax, TISSUES, "classes", "RC")


def test_a_map_is_small_and_reads_as_floating_point(tmp_path):
    values = np.linspace(-0.1, 1.1, 1000, dtype=np.float32).reshape(10, 10, 10)
    write_map(tmp_path / "map.nii.gz", values, np.diag([1.0, 2, 3, 1]))
    image = nib.load(tmp_path / "map.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert image.header.get_zooms() == (1, 2, 3)
    for read in (np.asarray(image.dataobj), read_volume(tmp_path / "map.nii.gz")[0]):
        assert read == pytest.approx(np.clip(values, 0, 1), abs=0.5 / 255 + 1e-6)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two models that were never trained, with what stands beside them, and a subject with its folder of preprocess."""
    import keras

    from glioseg.train.networks import build_network

    folder = tmp_path_factory.mktemp("study")
    for name in ("0", "1"):
        keras.utils.set_random_seed(int(name) + 3)
        (folder / name).mkdir()
        build_network("unet", (16, 16, 16), 4, 4, (4, 8), "").save(folder / name / "model.keras")
        facts = {"settings": {"classes": list(TISSUES)}, "study": STUDY}
        (folder / name / "settings.json").write_text(json.dumps(facts))
    case = write_subject(folder / "data", 3, np.array([[0, 0, 1.5, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    images = {name: (case / f"{case.name}_{name}.nii.gz", 0) for name in MODALITIES}
    scan, arrays = preprocess_scan(case.name, images, None, SETTINGS)
    (folder / "scan").mkdir()
    np.save(folder / "scan" / "image.npy", arrays["image"])
    (folder / "scan" / "scan.json").write_text(json.dumps(scan))
    return folder, case


def run_predict(folder, output, *words):
    options = {"scan": folder / "scan", "labels": "brats2020", "overlap": 0.5, "runtime": "openvino"}
    options |= {"smallest-enhancing-ml": 0, "smallest-component-ml": 0, "threads": 2, "map-folder": output / "maps"}
    options |= {"certainty": output / "sure.json", "output": output / "seg.nii.gz"}
    options = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, ROOT / "scripts/predict.py", *options, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_prediction_maps_and_certainty_on_the_scans_own_grid(study, tmp_path):
    folder, case = study
    models = [word for name in "01" for word in ("--model", folder / name / "model.keras")]
    maps = ("WT", "TC", "ET", "entropy", "disagreement")
    done = run_predict(folder, tmp_path, *models, "--flips", "x", *(word for name in maps for word in ("--maps", name)))
    assert done.returncode == 0, done.stderr
    assert "tumor voxels" in done.stdout and "uncertainty" in done.stdout
    scan = nib.load(case / f"{case.name}_flair.nii.gz")
    found = {name: nib.load(tmp_path / f"maps/{name}.nii.gz") for name in maps}
    for image in (nib.load(tmp_path / "seg.nii.gz"), *found.values()):
        assert image.shape == scan.shape
        assert (image.affine == scan.affine).all()
    values = {name: np.asarray(image.dataobj) for name, image in found.items()}
    assert (values["ET"] <= values["TC"] + 0.01).all() and (values["TC"] <= values["WT"] + 0.01).all()
    assert (values["disagreement"] <= values["entropy"] + 0.01).all()
    assert values["entropy"].max() > 0.1 and values["disagreement"].max() > 0
    predicted = np.asarray(nib.load(tmp_path / "seg.nii.gz").dataobj)
    assert set(np.unique(predicted)) <= {0, 1, 2, 4}
    # Where WT is more likely than not by far, some tumor is there; where it is not, none.
    assert not predicted[values["WT"] < 0.24].any()
    sure = json.loads((tmp_path / "sure.json").read_text())
    assert sure["models"] == 2 and sure["subject"] == case.name and 0 <= sure["uncertainty"] <= 1


def test_a_scan_is_segmented_by_itself_as_in_a_study(study, tmp_path):
    folder, case = study
    model = ["--model", folder / "0" / "model.keras"]
    assert run_predict(folder, tmp_path, *model).returncode == 0

    def run(*words):
        usual = ["--smallest-enhancing-ml", 0, "--output", tmp_path / "alone.nii.gz", "--runtime", "openvino"]
        return CliRunner().invoke(segment.segment, [str(word) for word in (*words, *usual)])

    images = [word for name in MODALITIES for word in ("--image", name, case / f"{case.name}_{name}.nii.gz")]
    for words in (images, ["--subject", case]):
        result = run(*model, *words, "--maps", "entropy")
        assert result.exit_code == 0, result.output
        assert "ml of tumor, uncertainty" in result.output
        assert (tmp_path / "alone.nii.gz").read_bytes() == (tmp_path / "seg.nii.gz").read_bytes()
        assert nib.load(tmp_path / "alone_maps/entropy.nii.gz").shape == nib.load(tmp_path / "alone.nii.gz").shape
        (tmp_path / "alone.nii.gz").unlink()

    def refused(*words):
        result = run(*words)
        assert result.exit_code == 1
        return result.output

    assert "give either --image MODALITY FILE for each modality, or --subject FOLDER" in refused(*model)
    assert "no file for t2; expected flair, t1, t1ce, t2" in refused(*model, *images[:-3])
    assert "takes flair, t1, t1ce, t2, not pet" in refused(*model, *images, "--image", "pet", images[2])
    assert "expected the folder of one subject, found" in refused(*model, "--subject", two(case, tmp_path))
    lonely = tmp_path / "model.keras"
    lonely.write_bytes((folder / "0" / "model.keras").read_bytes())
    assert "settings.json: expected what train writes beside a model" in refused("--model", lonely, *images)
    facts = {"settings": {"classes": list(TISSUES)}}
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "expected a study with modalities, labels, preprocess" in refused("--model", lonely, *images)
    facts["settings"]["classes"] = ["background", "edema"]
    lonely.with_name("settings.json").write_text(json.dumps(facts))
    assert "average only models that were trained alike" in refused(*model, "--model", lonely, *images)


def two(case, folder):
    """A folder of two subjects."""
    for name in ("one", "two"):
        (folder / "many" / name).mkdir(parents=True)
        for path in case.iterdir():
            (folder / "many" / name / path.name.replace(case.name, name)).write_bytes(path.read_bytes())
    return folder / "many"


def test_facts_say_what_the_channels_are(tmp_path):
    model = tmp_path / "model.keras"
    facts = {"settings": {"classes": ["background", "edema"], "targets": "regions"}}
    model.with_name("settings.json").write_text(json.dumps(facts))
    assert read_facts([model]).channels == ("WT", "TC", "ET")
    assert read_facts([model]).targets == "regions"


def test_searching_volumes_on_held_out_subjects_by_hand():
    from glioseg.evaluate.metrics import score_regions
    from glioseg.predict.postprocess import drop_small
    from glioseg.predict.tune_postprocess import count, dice_after, search

    cases, pairs = [], []
    for number in (1, 2, 3):
        _, mask = tiny_subject(number)
        truth = np.array([0, 1, 2, 0, 3], np.uint8)[mask]
        predicted = np.roll(truth, 1, axis=0)
        predicted[:2, :2, :2] = 2  # 8 voxels of nothing
        if number == 3:
            truth[truth == 3] = 1
            predicted[predicted == 3] = 1
            predicted[20, 20, 18:21] = 3  # 3 voxels of it, where the truth has none
        cases.append(count(predicted, truth, 0.001))
        pairs.append((predicted, truth))
    # The same as dropping and scoring.
    for case, (predicted, truth) in zip(cases, pairs, strict=True):
        for enhancing, component in ((0, 0), (0.004, 0), (0.004, 0.009), (0, 0.009), (99, 99)):
            dropped = drop_small(predicted, 0.001, enhancing, component)
            scores = score_regions(truth, dropped, (1, 1, 1), ["WT", "TC", "ET"])
            expected = [scores[name]["dice"] for name in ("WT", "TC", "ET")]
            assert dice_after(case, enhancing, component) == pytest.approx(expected)
    chosen, rows = search(cases, (0, 0.004, 99), (0, 0.009), (0, 0))
    assert chosen == {"smallest_enhancing_ml": 0.004, "smallest_component_ml": 0.009}
    assert len(rows) == 6 and [row["chosen"] for row in rows].count("yes") == 1
    best = next(row for row in rows if row["chosen"])
    assert float(best["gain"]) > 0.1 and best["subjects"] == 3
    # Without a gain the configured ones stand; without values, too.
    assert search(cases, (0, 99), (0,), (0.004, 0.009))[0] == chosen
    assert search(cases, (), (), (0.5, 0.25))[0] == {"smallest_enhancing_ml": 0.5, "smallest_component_ml": 0.25}
    assert search(cases[:2], (0, 0.004), (0,), (0, 0))[0]["smallest_enhancing_ml"] == 0
    with pytest.raises(ValueError, match="no other fold has a subject with a mask"):
        search([], (0,), (0,), (0, 0))
