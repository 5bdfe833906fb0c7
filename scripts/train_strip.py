"""Train the network that finds the brain in a whole head, on heads of phantoms alone.

`make brain` runs it. An interrupted training goes on from its state.
"""

from pathlib import Path

import click

from glioseg.files import whole
from glioseg.train.device import use_threads
from glioseg.workflow.commands import SEED, Command, Output


@click.command(cls=Command, help=__doc__)
@click.option("--heads", type=click.IntRange(1), required=True, help="Number of heads to train on.")
@click.option("--epochs", type=click.IntRange(1), required=True, help="Number of epochs of 50 steps.")
@click.option("--seed", type=SEED, required=True, help="Seed of the heads, the weights and the patches.")
@click.option("--threads", type=click.IntRange(1), required=True, help="Number of CPU threads.")
@click.option("--output", type=Output("model", ".keras"), required=True, help="Model to write, with float32 weights.")
def train_strip(heads, epochs, seed, threads, output: Path):
    use_threads(threads)
    from glioseg.train.strip.learn import learn_brains

    state = output.with_name(f"{output.stem}-state.npz")
    network, _ = learn_brains(heads, epochs, seed, max(threads // 2, 1), state, click.echo)
    with whole(output) as partial:
        network.save(partial)
    state.unlink(missing_ok=True)


if __name__ == "__main__":
    train_strip()
