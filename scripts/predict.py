"""Segment one subject: a label map on the scan's own grid, in the data set's own label values."""

from pathlib import Path

import click
import numpy as np

from glioseg.arrays import read_array
from glioseg.commands import Command
from glioseg.inference import predict_probabilities
from glioseg.labels import region, to_values
from glioseg.outputs import read_json
from glioseg.postprocess import drop_small_enhancing
from glioseg.preprocessing import restore_classes
from glioseg.runtime import choose_runtime, load_networks
from glioseg.volumes import write_volume


@click.command(cls=Command, help=__doc__)
@click.option("--scan", type=Path, required=True, help="The subject's folder of preprocess.")
@click.option("--model", "paths", type=Path, multiple=True, required=True, help="Their softmax is averaged.")
@click.option("--classes", multiple=True, required=True, help="The models' channels.")
@click.option("--labels", required=True, help="Dialect of the label values.")
@click.option("--overlap", type=float, required=True, help="Share of the window that neighbors have in common.")
@click.option("--runtime", required=True, help="openvino, tensorflow, or auto.")
@click.option("--smallest-enhancing-ml", type=float, required=True, help="Less of it in all becomes necrosis.")
@click.option("--threads", type=int, required=True)
@click.option("--output", type=Path, required=True)
def main(scan, paths, classes, labels, overlap, runtime, smallest_enhancing_ml, threads, output):
    facts = read_json(scan / "scan.json")
    image = read_array(scan / "image.npy", 4)
    runtime = choose_runtime(runtime, paths)
    networks = load_networks(paths, runtime, threads)
    probabilities = predict_probabilities(networks, image, len(classes), overlap)
    voxel_ml = float(np.prod(facts["spacing_mm"])) / 1000
    found = drop_small_enhancing(restore_classes(probabilities, facts, classes), voxel_ml, smallest_enhancing_ml)
    write_volume(output, to_values(found, labels), np.array(facts["own"]["affine"]))
    voxels = int(region(found, "WT").sum())
    click.echo(f"{facts['subject']}: {voxels} tumor voxels, {voxels * voxel_ml:.1f} ml ({runtime})")


if __name__ == "__main__":
    main()
