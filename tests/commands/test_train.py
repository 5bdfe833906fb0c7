"""The command `train`: its outputs, bit-identical weights after a kill, and its error messages."""

import json
import signal
import subprocess

import numpy as np
import pytest
from trainings import end_after, subject, train_command, weights

from glioseg.files import read_table, write_table
from glioseg.model_files import content_of
from glioseg.train import device  # noqa: F401  (before TensorFlow)
from glioseg.train.patches import load_subject


@pytest.fixture(scope="module")
def undisturbed(preprocessed, tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed")
    done = subprocess.run(train_command(preprocessed, output), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output, done.stdout


def test_training_shows_progress_and_writes_its_outputs(undisturbed):
    output, printed = undisturbed
    assert "epoch 6/6  loss" in printed
    assert "left" in printed
    assert "validation" in printed
    history = read_table(output / "history.tsv")
    assert [row["epoch"] for row in history] == list("123456")
    assert history[0]["val_dice"] == ""
    assert history[1]["val_dice"] != ""
    assert history[5]["val_dice"] != ""
    settings = json.loads((output / "settings.json").read_text())
    # Values are recorded, not the name of the set that they are from.
    assert (settings["settings"]["noise"], settings["settings"]["rotation"]) == (0.1, 10)
    assert "augmentation" not in settings["settings"]
    assert settings["subjects"] == ["a", "bb", "ccc"]
    assert settings["validation_subjects"] == ["dddd"]
    assert settings["hashes"] == {name: {"flair": f"hash of {name}"} for name in ("a", "bb", "ccc")}
    assert settings["versions"]["tensorflow"]
    assert not (output / "state.npz").exists()


def test_training_twice_is_bit_identical(preprocessed, undisturbed, tmp_path):
    subprocess.run(train_command(preprocessed, tmp_path), capture_output=True, check=True)
    for one, two in zip(weights(undisturbed[0] / "model.keras"), weights(tmp_path / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_training_continues_to_bit_identical_weights(preprocessed, undisturbed, tmp_path, number):
    command = train_command(preprocessed, tmp_path)
    code, errors = end_after(3, command, number)
    assert code
    if number == signal.SIGTERM:
        assert "SIGTERM ended the training in epoch" in errors
        assert "run again and it continues from there" in errors
        assert "Traceback" not in errors
    assert (tmp_path / "state.npz").exists()
    assert not (tmp_path / "model.keras").exists()
    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "continuing after epoch" in resumed.stdout
    for one, two in zip(weights(undisturbed[0] / "model.keras"), weights(tmp_path / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()
    scores = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in read_table(folder / "history.tsv")]
        for folder in (undisturbed[0], tmp_path)
    ]
    assert scores[0] == scores[1]


def test_state_of_other_settings_is_not_continued(preprocessed, tmp_path):
    from glioseg.train.state import identify, let_rate_change

    assert identify({"epochs": 2}, ["a"]) != identify({"epochs": 3}, ["a"])
    (tmp_path / "state.npz").write_bytes(b"half a file")
    done = subprocess.run(train_command(preprocessed, tmp_path, epochs=1), capture_output=True, text=True, check=True)
    assert "cannot be read" in done.stdout
    assert "training starts from the beginning" in done.stdout
    end_after(1, train_command(preprocessed, tmp_path))
    done = subprocess.run(train_command(preprocessed, tmp_path, code="2"), capture_output=True, text=True, check=True)
    assert "state.npz was made with other settings, code or subjects; it is kept as" in done.stdout
    # The finished training deleted its own state only; the other continues.
    (kept,) = tmp_path.glob("state*.npz")
    assert f"states of other unfinished trainings, which may be deleted: {kept}" in done.stdout
    done = subprocess.run(train_command(preprocessed, tmp_path), capture_output=True, text=True, check=True)
    assert "continuing after epoch 1" in done.stdout
    assert list(tmp_path.glob("state*.npz")) == []
    # A state with another learning rate is continued only if its loss became NaN or infinite.
    end_after(1, train_command(preprocessed, tmp_path, **{"learning-rate": 0.005}))
    kept = (tmp_path / "state.npz").read_bytes()
    command = train_command(preprocessed, tmp_path, **{"learning-rate": 0.001})
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "it is kept as" in done.stdout
    (tmp_path / "state.npz").write_bytes(kept)
    let_rate_change(tmp_path / "state.npz")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "continuing after epoch 1 with another learning_rate or clip_norm, because the loss" in done.stdout
    rates = [float(row["learning_rate"]) for row in read_table(tmp_path / "history.tsv")]
    assert len(rates) == 6
    assert rates[0] > 0.001 >= max(rates[1:])


def test_bad_settings_and_arrays_end_with_a_clear_message(preprocessed, tmp_path):
    done = subprocess.run(train_command(preprocessed, tmp_path, losses=("hinge",)), capture_output=True, text=True)
    assert done.returncode == 1
    assert "losses: 'hinge' is not known" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "image.npy").write_bytes(b"not an array")
    with pytest.raises(ValueError, match=r"image.npy cannot be read .*; delete .*broken and run again"):
        load_subject(tmp_path / "broken")


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_regions_with_averaged_weights_continue_after_a_kill(preprocessed, tmp_path):
    changes = {"targets": "regions", "average": 0.9, "batch-dice": False, "batch": 2}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    done = run(train_command(preprocessed, whole, **changes))
    assert done.returncode == 0, done.stderr
    command = train_command(preprocessed, cut, **changes)
    end_after(3, command)
    assert run(command).returncode == 0
    for one, two in zip(weights(whole / "model.keras"), weights(cut / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()
    import keras

    model = keras.saving.load_model(whole / "model.keras", compile=False)
    assert model.output_shape[-1] == 3
    assert model.layers[-1].name == "sigmoid"
    # Without the average, the same steps give other weights.
    last = tmp_path / "last"
    assert run(train_command(preprocessed, last, **changes | {"average": 0})).returncode == 0
    assert any(
        (one != two).any()
        for one, two in zip(weights(whole / "model.keras"), weights(last / "model.keras"), strict=True)
    )


def test_a_training_with_small_patches_continues_after_a_kill(preprocessed, tmp_path):
    # The first four of six epochs have small patches.
    changes = {"network": "unet", "small-patches": 0.6, "average": 0.9, "deep-supervision": True, "steps-per-epoch": 6}
    done = run(train_command(preprocessed, tmp_path / "whole", **changes))
    assert done.returncode == 0, done.stderr
    assert "unet of 4-8, 8 patches of 8x8x8 voxels and then 1 patches of 16x16x16 voxels" in done.stdout
    for epoch, number in ((2, signal.SIGTERM), (4, signal.SIGKILL), (5, signal.SIGTERM)):
        command = train_command(preprocessed, tmp_path / f"cut{epoch}", **changes)
        assert end_after(epoch, command, number)[0]
        resumed = run(command)
        assert f"continuing after epoch {epoch}" in resumed.stdout, resumed.stderr
        for one, two in zip(
            weights(tmp_path / "whole/model.keras"), weights(tmp_path / f"cut{epoch}/model.keras"), strict=True
        ):
            assert one.tobytes() == two.tobytes()


def test_max_minutes_ends_a_training(preprocessed, tmp_path):
    done = run(train_command(preprocessed, tmp_path, epochs=100000, **{"max-minutes": 0.15, "validation-every": 50000}))
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in (tmp_path / "history.tsv").read_text().splitlines()]
    seconds = sum(float(row[1]) for row in rows[1:])
    assert 8.5 < seconds < 14
    assert float(rows[-1][2]) < 0.001  # the learning rate fell with the time
    assert float(rows[-1][-1]) >= 0  # the last epoch is validated even if it is cut short
    assert "training ended after epoch" in done.stdout


def test_too_little_memory_ends_training_in_its_first_seconds(preprocessed, tmp_path):
    # More than 512 million numbers per layer and patch: no machine that runs these tests has the memory.
    done = subprocess.run(
        train_command(preprocessed, tmp_path, patch=(512, 512, 512), batch=64), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "64 patches of 512x512x512 voxels takes about" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model.keras").exists()


STUDY = {"modalities": ["flair", "t1ce"], "preprocess": {"spacing_mm": 1.0}}


@pytest.fixture(scope="module")
def known(preprocessed, tmp_path_factory):
    """A model that learned from two scans elsewhere, one of them with the name of a subject here."""
    folder = tmp_path_factory.mktemp("known")
    done = run(train_command(preprocessed, folder, **{"study": json.dumps(STUDY), "epochs": 1, "seed": 8}))
    assert done.returncode == 0, done.stderr
    facts = json.loads((folder / "settings.json").read_text())
    facts["hashes"] = {"a": {"flair": "another a"}, "z": {"flair": "hash of z"}}
    (folder / "settings.json").write_text(json.dumps(facts))
    return folder


def going_on(data, output, start, **changes):
    return train_command(data, output, start=start, study=json.dumps(STUDY), **changes)


@pytest.mark.parametrize("network", ["unet", "original"])
def test_a_training_that_goes_on_from_a_model_continues_to_bit_identical_weights_after_a_kill(
    preprocessed, known, tmp_path, network
):
    if network == "unet":
        done = run(train_command(preprocessed, tmp_path / "known", study=json.dumps(STUDY), network="unet", epochs=1))
        assert done.returncode == 0, done.stderr
        known = tmp_path / "known"
        facts = json.loads((known / "settings.json").read_text()) | {"hashes": {}}
        (known / "settings.json").write_text(json.dumps(facts))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    done = run(going_on(preprocessed, whole, known, network=network))
    assert done.returncode == 0, done.stderr
    assert "The training goes on from the model" in done.stdout
    command = going_on(preprocessed, cut, known, network=network)
    assert end_after(3, command)[0]
    assert "continuing after epoch" in run(command).stdout
    for one, two in zip(weights(whole / "model.keras"), weights(cut / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()
    rates = [float(row["learning_rate"]) for row in read_table(whole / "history.tsv")]
    assert max(rates) <= 0.003, "start_learning_rate, not learning_rate"


def test_settings_tell_what_a_training_went_on_from(preprocessed, undisturbed, known, tmp_path):
    done = run(going_on(preprocessed, tmp_path, known, filters="auto", **{"learning-rate": 0.005}))
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "settings.json").read_text())
    content = content_of(known / "model.keras")
    assert facts["settings"]["start"] == facts["start"]["model"] == content
    assert facts["settings"]["learning_rate"] == 0.003
    assert facts["settings"]["filters"] == [4, 8]
    assert "start_learning_rate" not in facts["settings"]
    assert str(known) not in json.dumps(facts)
    assert all(sentence in done.stdout for sentence in facts["start"]["sentences"])
    assert "decoder conv3d_transpose 1 kernel" in facts["start"]["weights"]
    # It has seen the scans of both.
    assert facts["hashes"] == {
        **{name: {"flair": f"hash of {name}"} for name in ("a", "bb", "ccc")},
        "start/a": {"flair": "another a"},
        "start/z": {"flair": "hash of z"},
    }
    # The weights of the model matter.
    pairs = zip(weights(tmp_path / "model.keras"), weights(undisturbed[0] / "model.keras"), strict=True)
    assert any((one != two).any() for one, two in pairs)
    assert json.loads((undisturbed[0] / "settings.json").read_text())["start"] == {}


def test_a_model_that_saw_a_held_out_subject_trains_nothing(preprocessed, known, tmp_path):
    start = tmp_path / "start"
    start.mkdir()
    (start / "model.keras").write_bytes((known / "model.keras").read_bytes())
    facts = json.loads((known / "settings.json").read_text())
    facts["hashes"] = {"other name": {"t1": "x", "flair": "hash of dddd"}}
    (start / "settings.json").write_text(json.dumps(facts))
    # Held out, although there are no validation curves.
    done = run(going_on(preprocessed, tmp_path / "out", start, **{"validation-subjects": 0}))
    assert done.returncode == 1
    assert f"{start / 'model.keras'} learned from dddd (there other name), held out from a model of" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out/state.npz").exists()
    facts["hashes"] = {"other name": {"t1": "hash of a"}}
    (start / "settings.json").write_text(json.dumps(facts))
    assert run(going_on(preprocessed, tmp_path / "out", start, epochs=1)).returncode == 0


def test_the_state_of_another_start_is_not_continued(preprocessed, known, tmp_path):
    end_after(1, going_on(preprocessed, tmp_path, known))
    other = tmp_path / "other"
    assert run(train_command(preprocessed, other, study=json.dumps(STUDY), epochs=1, seed=9)).returncode == 0
    facts = json.loads((other / "settings.json").read_text()) | {"hashes": {}}
    (other / "settings.json").write_text(json.dumps(facts))
    done = run(going_on(preprocessed, tmp_path, other, epochs=6))
    assert "was made with other settings, code or subjects; it is kept as" in done.stdout
    # The same model in another place is the same.
    moved = tmp_path / "moved"
    known_files = {path.name: path.read_bytes() for path in known.iterdir()}
    moved.mkdir()
    for name, content in known_files.items():
        (moved / name).write_bytes(content)
    assert "continuing after epoch 1" in run(going_on(preprocessed, tmp_path, moved)).stdout


def test_a_frozen_encoder_keeps_the_bits_of_the_model(preprocessed, known, tmp_path):
    done = run(going_on(preprocessed, tmp_path, known, **{"freeze-encoder": True, "average": 0.9}))
    assert done.returncode == 0, done.stderr
    pairs = list(zip(weights(known / "model.keras"), weights(tmp_path / "model.keras"), strict=True))
    same = [one.tobytes() == two.tobytes() for one, two in pairs if one.ndim]
    # Four convolutions with a bias in the encoder of two levels.
    frozen = 8
    assert same.count(True) == frozen
    done = run(train_command(preprocessed, tmp_path, **{"freeze-encoder": True}))
    assert "freeze_encoder: true requires train: start" in done.stderr


def test_models_of_all_folds_have_one_patch(tmp_path):
    """A fold of small scans and one of large scans, whose medians alone would give patches of 32 and 48 voxels."""
    rows = []
    for fold, side in (("0", 32), ("1", 48)):
        for number in (1, 2):
            one = subject(f"fold {fold} {number}", (side, side, side))
            (tmp_path / one.name).mkdir()
            np.save(tmp_path / one.name / "image.npy", one.image)
            np.save(tmp_path / one.name / "mask.npy", one.mask)
            (tmp_path / one.name / "scan.json").write_text(json.dumps({"subject": one.name, "hashes": {}}))
            rows.append({"subject": one.name, "verdict": "included", "fold": fold, "has_mask": "yes"})
    write_table(tmp_path / "cohort.tsv", ["subject", "verdict", "fold", "has_mask"], rows)
    few = {"epochs": 1, "steps-per-epoch": 1, "validation-subjects": 0, "patch": ("auto",)}
    for fold in "01":
        done = run(train_command(tmp_path, tmp_path / f"model {fold}", fold=fold, **few))
        assert done.returncode == 0, done.stderr
    patches = [json.loads((tmp_path / f"model {fold}/settings.json").read_text())["settings"]["patch"] for fold in "01"]
    assert patches[0] == patches[1]
