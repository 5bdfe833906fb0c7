"""Time a training step and a forward pass of our network, compared with PyTorch and with the machine's peak.

All are timed in turns in one run, in one precision, with batches of two patches of 64 voxels along each axis; the
median is reported. The training step is timed with and without augmentation. The forward pass runs on OpenVINO, as in
prediction. PyTorch, if installed, runs the same network layer by layer. The peak is the speed of a large matrix product
in TensorFlow.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from glioseg.train.device import use_threads  # noqa: E402
from glioseg.train.settings import AUGMENTATIONS  # noqa: E402

FILTERS, SIDE, BATCH, CHANNELS, CLASSES = (24, 48, 96, 192), 64, 2, 4, 4
# Uncounted and counted calls per turn.
BEFORE, IN_A_ROW = 4, 8
SETTINGS = {
    "network": "unet", "patch": (SIDE,) * 3, "filters": FILTERS, "batch": BATCH, "small_patches": 0, "backbone": "",
    "targets": "classes", "classes": ("background", "necrosis", "edema", "enhancing"), "deep_supervision": False,
    "average": 0, "optimizer": "adamw", "schedule": "cosine", "learning_rate": 0.001, "clip_norm": 1,
    "batch_dice": True, "losses": ("dice_cross_entropy",), "seed": 1, "foreground": 0.5, "implant": 0,
    "modality_dropout": 0, **AUGMENTATIONS["standard"],
}  # fmt: skip


def flops(model) -> int:
    """Multiplications and additions of the convolutions, which are nearly all, in the forward pass of a batch."""
    total = 0
    for layer in model.layers:
        if layer.__class__.__name__ in ("Conv3D", "Conv3DTranspose"):
            kernel = int(np.prod(layer.kernel.shape))
            # A transposed convolution multiplies once per input voxel, a convolution once per output voxel.
            voxels = layer.output.shape if layer.__class__.__name__ == "Conv3D" else layer.input.shape
            total += 2 * kernel * int(np.prod(voxels[1:4]))
    return BATCH * total


def torch_network(torch, layout, normalized: bool):
    """The same network in PyTorch, with the given memory layout."""
    nn = torch.nn

    def convolve(before, width, size=3, stride=1):
        padding = size // 2 if stride == 1 else 0
        convolution = nn.Conv3d(before, width, size, stride, padding, bias=not normalized)
        norm = [nn.InstanceNorm3d(width, affine=True)] if normalized else []
        return nn.Sequential(convolution, *norm, nn.LeakyReLU(0.01, inplace=True))

    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            first = FILTERS[0]
            self.stem = nn.Sequential(convolve(CHANNELS, first, 2, 2), convolve(first, first))
            pairs = list(pairwise(FILTERS))
            self.down = nn.ModuleList(nn.Sequential(convolve(a, b), convolve(b, b)) for a, b in pairs)
            self.up = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2, bias=False) for a, b in reversed(pairs))
            self.join = nn.ModuleList(nn.Sequential(convolve(2 * a, a), convolve(a, a)) for a, _ in reversed(pairs))
            self.head = nn.Sequential(
                nn.ConvTranspose3d(first, CLASSES, 2, 2), nn.Conv3d(CLASSES, CLASSES, 3, padding=1)
            )

        def forward(self, x):
            x = self.stem(x)
            skips = []
            for level in self.down:
                skips.append(x)
                x = level(nn.functional.max_pool3d(x, 2))
            for up, join in zip(self.up, self.join, strict=True):
                x = join(torch.cat([up(x), skips.pop()], 1))
            return self.head(x)

    return Unet().to(memory_format=layout)


def torch_steps(
    torch, threads: int, low: bool, normalized: bool, image: np.ndarray, truth: np.ndarray
) -> dict[str, Callable[[], None]]:
    """Training step and forward pass in two memory layouts: PyTorch's default, and the one advised for convolutions.

    low: autocast to bfloat16; otherwise float32.
    """
    torch.set_num_threads(threads)
    layouts = {"default": torch.contiguous_format, "channels last": torch.channels_last_3d}
    return {
        f"{name}, {of}": run
        for of, layout in layouts.items()
        for name, run in _torch(torch, torch_network(torch, layout, normalized), layout, low, image, truth)
    }


def _torch(
    torch, network, layout, low: bool, image: np.ndarray, truth: np.ndarray
) -> list[tuple[str, Callable[[], None]]]:
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    x = torch.from_numpy(np.moveaxis(image, -1, 1).copy()).to(memory_format=layout)
    y = torch.from_numpy(np.moveaxis(truth, -1, 1).copy())

    def infer():
        with torch.autocast("cpu", torch.bfloat16, low):
            return network(x).float()

    def step() -> None:
        optimizer.zero_grad()
        p = infer().softmax(1)
        both, sizes = (p * y).sum((0, 2, 3, 4)), (p + y).sum((0, 2, 3, 4))
        loss = 1 - (2 * both / sizes)[1:].mean() - (y * p.clamp(1e-7).log()).sum() / (y.numel() / CLASSES)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    def forward() -> None:
        with torch.no_grad():
            infer()

    return [("PyTorch training step", step), ("PyTorch forward", forward)]


@click.command(help=__doc__)
@click.option(
    "--preprocess", type=click.Path(exists=True, path_type=Path), required=True, help="Folder written by preprocess."
)
@click.option("--threads", type=int, required=True, help="Number of CPU threads.")
@click.option("--repeats", type=int, required=True, help="Number of timed turns.")
@click.option("--precision", type=click.Choice(["float32", "mixed_bfloat16"]), required=True, help="Number format.")
@click.option("--normalization", type=click.Choice(["none", "instance"]), required=True, help="Normalization layers.")
def main(preprocess: Path, threads: int, repeats: int, precision: str, normalization: str) -> None:
    use_threads(threads)
    import keras
    import tensorflow as tf

    keras.mixed_precision.set_global_policy(precision)
    from glioseg.labels import CLASSES as NAMES
    from glioseg.predict.runtime import load_networks
    from glioseg.train.loop import build_models, stream
    from glioseg.train.patches import load_subject, training_batch

    subjects = [load_subject(folder) for folder in sorted(preprocess.iterdir())[:6] if (folder / "mask.npy").exists()]
    network, (model,) = build_models(CHANNELS, SETTINGS | {"normalization": normalization})
    image, mask = training_batch(subjects, 0, SETTINGS)
    truth = np.eye(len(NAMES), dtype=np.float32)[mask][..., :CLASSES]
    cached = (tf.constant(image), tf.constant(mask))
    many = 10**6
    data = iter(stream(lambda step: training_batch(subjects, step, SETTINGS), 0, many, model, NAMES[:CLASSES], 1))
    train = model.make_train_function() or model.train_function
    with tempfile.TemporaryDirectory() as folder:
        network.save(f"{folder}/model.keras")
        (predictor,) = load_networks([Path(folder) / "model.keras"], "openvino", threads)
    patches = np.moveaxis(image, -1, 1).copy()
    low = precision == "mixed_bfloat16"
    square = tf.cast(tf.random.normal((4096, 4096)), tf.bfloat16 if low else tf.float32)
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(square, square)))
    runs = {
        "ours, training step on a cached batch": lambda: train(iter([cached])),
        "ours, training step with augmentation": lambda: train(data),
        "ours, forward": lambda: list(predictor.predict(patches)),
        "matrix product of 4096 x 4096": lambda: product().numpy(),
    }
    try:
        import torch

        runs |= torch_steps(torch, threads, low, normalization == "instance", image, truth)
    except ImportError as error:
        click.echo(f"PyTorch is skipped: {error}")
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            # Uncounted calls: threads of the previous run may still be busy, and prepared batches are waiting.
            for _ in range(BEFORE):
                run()
            started = time.perf_counter()
            for _ in range(IN_A_ROW):
                run()
            seconds[name].append((time.perf_counter() - started) / IN_A_ROW)
    medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    for name, median in medians.items():
        click.echo(f"{name:42} {median:7.3f} s")
    bare = medians["ours, training step on a cached batch"]
    peak = 2 * 4096**3 / medians["matrix product of 4096 x 4096"]
    click.echo(f"with augmentation / bare: {medians['ours, training step with augmentation'] / bare:.2f}")
    click.echo(f"matrix peak: {peak / 1e9:.0f} GFLOP/s")
    work = flops(network)
    click.echo(f"forward: {work / 1e9:.1f} GFLOP, {work / medians['ours, forward'] / peak:.2f} of the peak")
    click.echo(f"training (three times that): {3 * work / bare / peak:.2f} of the peak")
    for name, median in medians.items():
        if name.startswith("PyTorch"):
            mine = bare if "training" in name else medians["ours, forward"]
            click.echo(f"ours / {name}: {mine / median:.2f}")


if __name__ == "__main__":
    main()
