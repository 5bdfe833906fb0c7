"""Networks, losses, patches and training."""

import json
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from trainings import end_after, subject, train_command, weights

from glioseg.labels import CLASSES
from glioseg.train import device
from glioseg.train.patches import Subject, draw_center, load_subject, take_patch, training_batch

SETTINGS = {
    "seed": 5,
    "patch": (16, 16, 16),
    "batch": 2,
    "foreground": 0.5,
    "flip": 0.5,
    "scale": 0.2,
    "rotation": 10,
    "elastic": 1,
    "intensity": 0.1,
    "blur": 0.5,
    "coarse": 1.5,
    "noise": 0.1,
    "modality_dropout": 0,
}


def test_original_is_the_recipe_layer_for_layer():
    from glioseg.train.networks import build_network

    model = build_network("original", (128, 128, 128), 3, 4, (16, 32, 64, 128, 256), "")
    assert model.count_params() == 5_645_828
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv3D") == 19
    assert kinds.count("Conv3DTranspose") == 4
    rates = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    assert rates == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.1, 0.1])


@pytest.mark.parametrize(
    ("name", "filters"), [("unet", (4, 8, 16)), ("original", (4, 8, 16)), ("sm_unet", (4, 8, 8, 16, 16))]
)
def test_networks_end_in_a_float32_softmax_and_come_back_from_disk(name, filters, tmp_path):
    import keras

    from glioseg.train.networks import build_network

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_network(name, (32, 32, 32), 2, 4, filters, "resnet18")
        assert model.output.dtype == "float32"
        assert model.output.shape == (None, 32, 32, 32, 4)
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        assert [v.shape for v in again.get_weights()] == [v.shape for v in model.get_weights()]
        assert all((a == b).all() for a, b in zip(again.get_weights(), model.get_weights(), strict=True))
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_unknown_names_list_the_known():
    from glioseg.train.losses import build_loss
    from glioseg.train.networks import build_network

    with pytest.raises(ValueError, match="known are unet, original, sm_unet"):
        build_network("vnet", (32, 32, 32), 1, 4, (4, 8), "")
    with pytest.raises(ValueError, match="must be multiples of 8 for unet with 3 levels"):
        build_network("unet", (20, 32, 32), 1, 4, (4, 8, 16), "")
    with pytest.raises(ValueError, match="known are resnet18"):
        build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16, 16), "alexnet")
    with pytest.raises(ValueError, match="known are instance, none"):
        build_network("unet", (16, 16, 16), 1, 4, (4, 8), "", "batch")
    with pytest.raises(ValueError, match="known are dice_cross_entropy, sm_dice, sm_focal"):
        build_loss(["hinge"], CLASSES[:4], "classes", True)
    with pytest.raises(ValueError, match="known are auto, float32"):
        device.choose_precision("int4")


def test_losses_by_hand():
    from glioseg.train.losses import build_loss

    truth = np.zeros((1, 2, 2, 2, 4), np.float32)
    truth[..., 0] = 1
    truth[0, 0, 0, 0] = [0, 0, 0, 1]
    perfect = float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(truth, truth))
    assert perfect == pytest.approx(0, abs=1e-5)
    # Uniform guess: cross-entropy ln 4, and of the one class that is there a Dice of 2 * 0.25 / (1 + 2).
    uniform = np.full_like(truth, 0.25)
    expected = np.log(4) + 1 - 0.5 / 3
    assert float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(truth, uniform)) == pytest.approx(
        expected, rel=1e-5
    )
    healthy = np.zeros_like(truth)
    healthy[..., 0] = 1
    assert float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(healthy, uniform)) == pytest.approx(
        np.log(4), rel=1e-5
    )
    # The original's class weights leave a perfect prediction at 0.75; a list of losses is their sum.
    assert float(build_loss(["sm_dice"], CLASSES[:4], "classes", True)(truth, truth)) == pytest.approx(0.75, abs=1e-4)
    both = float(build_loss(["sm_dice", "sm_focal"], CLASSES[:4], "classes", True)(truth, uniform))
    parts = [
        float(build_loss([name], CLASSES[:4], "classes", True)(truth, uniform)) for name in ("sm_dice", "sm_focal")
    ]
    assert both == pytest.approx(sum(parts))


def test_region_scores_by_hand():
    from glioseg.train.scores import Scores

    scores = Scores(CLASSES[:4], "classes")
    truth, predicted = np.array([0, 1, 2, 3, 3, 2]), np.array([0, 1, 1, 3, 0, 2])
    scores.update_state(truth[None], np.eye(4)[predicted][None])
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["dice_wt"] == pytest.approx(2 * 4 / (5 + 4))
    assert result["dice_tc"] == pytest.approx(2 * 2 / (3 + 3))
    assert result["dice_et"] == pytest.approx(2 * 1 / (2 + 1))
    empty = Scores(CLASSES[:4], "classes")
    empty.update_state(np.array([[0, 0]]), np.eye(4)[[0, 0]][None])
    assert float(empty.result()["dice"]) == 1
    undecided = Scores(CLASSES[:4], "classes")
    undecided.update_state(np.array([[0, 2, 2, 4]]), np.full((1, 4, 4), 0.25))
    # What is none of the study's classes counts nowhere.
    assert np.asarray(undecided.confusion).tolist() == [[1, 0, 0, 0], [0] * 4, [2, 0, 0, 0], [0] * 4]


def test_scores_and_channels_follow_the_classes_of_the_study():
    from glioseg.train.scores import Scores

    scores = Scores(("background", "edema", "enhancing", "cyst"), "classes")
    truth, predicted = np.array([0, 1, 2, 3]), np.array([0, 1, 3, 0])
    scores.update_state(truth[None], np.eye(4)[predicted][None])
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["dice_wt"] == pytest.approx(2 * 2 / (3 + 2))
    assert result["dice_tc"] == pytest.approx(2 * 1 / (2 + 1))
    assert result["dice_et"] == 0


def test_truth_is_one_hot_over_the_classes_of_the_study():
    from glioseg.train.loop import _stream
    from glioseg.train.losses import one_hot

    image = np.zeros((1, 3, 1, 1, 2), np.float32)
    mask = np.array([CLASSES.index(name) for name in ("edema", "background", "necrosis")], np.uint8)
    batch = image, mask.reshape(1, 3, 1, 1)
    model = SimpleNamespace(inputs=[image])
    ((found, truth),) = _stream(lambda number: batch, 0, 1, model, ("background", "edema", "cyst"), 1)
    assert found.shape == image.shape
    assert np.asarray(truth).ravel().tolist() == [1, 0, 3]
    # What the study hasn't is in none of its channels.
    assert np.asarray(one_hot(truth, 3, (3, 1, 1))).reshape(3, 3).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_deep_supervision_by_hand():
    from glioseg.train.losses import build_loss, one_hot
    from glioseg.train.networks import build_network
    from glioseg.train.supervision import supervise

    inner = build_network("unet", (16, 16, 16), 2, 4, (4, 8, 8), "")
    model = supervise(inner)
    assert [output.shape[1] for output in model.outputs] == [16, 4]
    loss = build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)

    def of_classes(truth, outputs):
        return loss(one_hot(truth, 4, outputs.shape[1:-1]), outputs)

    model.compile("sgd", of_classes, metrics=[])
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 16, 16, 16, 2)).astype(np.float32)
    indices = random.integers(0, 4, (1, 16, 16, 16))
    truth = np.eye(4, dtype=np.float32)[indices]
    full, coarse = (np.asarray(output) for output in model(image))
    # Each coarse voxel's truth is the mean of the 4 x 4 x 4 voxels under it; that level weighs 2 / 4 of the whole's.
    mean = truth.reshape(1, 4, 4, 4, 4, 4, 4, 4).mean((2, 4, 6))
    expected = (float(loss(truth, full)) + 0.5 * float(loss(mean, coarse))) / 1.5
    before = [value.copy() for value in inner.get_weights()]
    assert model.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    assert any((one != two).any() for one, two in zip(before, inner.get_weights(), strict=True))
    shallow = supervise(build_network("unet", (16, 16, 16), 2, 4, (4, 8), ""))
    shallow.compile("sgd", of_classes, metrics=[])
    expected = float(loss(truth, np.asarray(shallow(image))))
    assert shallow.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="original has no decoder levels"):
        supervise(build_network("original", (16, 16, 16), 2, 4, (4, 8), ""))


def test_patches_are_decided_by_seed_and_step():
    subjects = [subject("a"), subject("bb"), subject("ccc")]
    first, again, other = (training_batch(subjects, step, SETTINGS) for step in (3, 3, 4))
    assert (first[0] == again[0]).all()
    assert (first[1] == again[1]).all()
    assert not (first[0] == other[0]).all()
    assert first[0].shape == (2, 16, 16, 16, 2)
    assert first[0].dtype == np.float32
    assert first[1].dtype == np.uint8


def test_a_patch_larger_than_the_volume_is_padded():
    whole = subject()
    image, mask = take_patch(whole, (10, 12, 9), (32, 16, 32))
    assert image.shape == (32, 16, 32, 2)
    assert (image[6:26, :, 7:25] == whole.image[:, 4:20]).all()
    assert not image[:6].any()
    assert mask[6:26, :, 7:25].sum() == whole.mask[:, 4:20].sum()


def test_foreground_centers_lie_on_tumor():
    whole, random = subject(), np.random.default_rng(0)
    hits = [whole.mask[draw_center(random, whole, True)] for _ in range(40)]
    assert set(hits) == {2, 3}


def test_each_batch_of_two_holds_one_patch_on_tumor():
    # A tumor in one corner of a volume much larger than the patch: a patch lies on it by intent or not at all.
    image, mask = np.ones((64, 64, 64, 1), np.float16), np.zeros((64, 64, 64), np.uint8)
    mask[:2, :2, :2] = 1
    large = Subject("large", image, mask, (np.flatnonzero(mask),))
    settings = SETTINGS | {"patch": (4, 4, 4), "scale": 0}
    for step in range(10):
        assert (training_batch([large], step, settings)[1].any(axis=(1, 2, 3))).tolist() == [False, True]


def test_iou_is_that_of_segmentation_models():
    import segmentation_models_3D as sm

    from glioseg.train.scores import Scores

    random = np.random.default_rng(0)
    scores, theirs = Scores(CLASSES[:4], "classes"), []
    for _ in range(3):
        truth = random.integers(0, 3, (1, 5, 6, 7))
        predicted = random.dirichlet(np.ones(4) / 2, (1, 5, 6, 7)).astype(np.float32)
        scores.update_state(truth, predicted)
        theirs.append(float(sm.metrics.IOUScore(threshold=0.5)(np.eye(4, dtype=np.float32)[truth], predicted)))
    assert float(scores.result()["iou"]) == pytest.approx(np.mean(theirs), rel=1e-4)


@pytest.fixture(scope="module")
def undisturbed(preprocessed, tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed")
    done = subprocess.run(train_command(preprocessed, output), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output, done.stdout


def test_training_shows_progress_and_leaves_its_record(undisturbed):
    output, printed = undisturbed
    assert "epoch 6/6  loss" in printed
    assert "left" in printed
    assert "monitored" in printed
    history = read_table_csv(output / "history.csv")
    assert [row["epoch"] for row in history] == list("123456")
    assert history[0]["val_dice"] == ""
    assert history[1]["val_dice"] != ""
    assert history[5]["val_dice"] != ""
    settings = json.loads((output / "settings.json").read_text())
    assert settings["subjects"] == ["a", "bb", "ccc"]
    assert settings["monitor"] == ["dddd"]
    assert settings["versions"]["tensorflow"]
    assert not (output / "state.npz").exists()


def test_training_twice_gives_the_same_bits(preprocessed, undisturbed, tmp_path):
    subprocess.run(train_command(preprocessed, tmp_path), capture_output=True, check=True)
    for one, two in zip(weights(undisturbed[0] / "model.keras"), weights(tmp_path / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_training_continues_to_the_same_bits(preprocessed, undisturbed, tmp_path, number):
    command = train_command(preprocessed, tmp_path)
    returned, said = end_after(3, command, number)
    assert returned
    if number == signal.SIGTERM:
        assert "SIGTERM ended the training in epoch" in said
        assert "run again and it continues from there" in said
        assert "Traceback" not in said
    assert (tmp_path / "state.npz").exists()
    assert not (tmp_path / "model.keras").exists()
    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "continuing after epoch" in resumed.stdout
    for one, two in zip(weights(undisturbed[0] / "model.keras"), weights(tmp_path / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()
    scores = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in read_table_csv(folder / "history.csv")]
        for folder in (undisturbed[0], tmp_path)
    ]
    assert scores[0] == scores[1]


def test_state_of_other_settings_is_not_continued(preprocessed, tmp_path):
    from glioseg.train.state import identify, let_rate_change

    assert identify({"epochs": 2}, ["a"]) != identify({"epochs": 3}, ["a"])
    (tmp_path / "state.npz").write_bytes(b"half a file")
    done = subprocess.run(train_command(preprocessed, tmp_path, epochs=1), capture_output=True, text=True, check=True)
    assert "cannot be read" in done.stdout
    assert "training starts anew" in done.stdout
    end_after(1, train_command(preprocessed, tmp_path))
    done = subprocess.run(train_command(preprocessed, tmp_path, code="2"), capture_output=True, text=True, check=True)
    assert "was made with other settings, code or subjects; training starts anew" in done.stdout
    # Another learning rate is another training, but for one whose loss was no number.
    end_after(1, train_command(preprocessed, tmp_path, **{"learning-rate": 0.005}))
    kept = (tmp_path / "state.npz").read_bytes()
    command = train_command(preprocessed, tmp_path, **{"learning-rate": 0.001})
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "training starts anew" in done.stdout
    (tmp_path / "state.npz").write_bytes(kept)
    let_rate_change(tmp_path / "state.npz")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "continuing after epoch 1, since when the loss was no number" in done.stdout
    rates = [float(row["learning_rate"]) for row in read_table_csv(tmp_path / "history.csv")]
    assert len(rates) == 6
    assert rates[0] > 0.001 >= max(rates[1:])


def test_bad_settings_and_arrays_end_in_a_sentence(preprocessed, tmp_path):
    done = subprocess.run(train_command(preprocessed, tmp_path, losses=("hinge",)), capture_output=True, text=True)
    assert done.returncode == 1
    assert "losses: 'hinge' is not known" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "image.npy").write_bytes(b"not an array")
    with pytest.raises(ValueError, match=r"image.npy cannot be read .*; delete .*broken and run again"):
        load_subject(tmp_path / "broken")


def read_table_csv(path):
    header, *lines = path.read_text().splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
