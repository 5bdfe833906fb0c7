"""What all commands share: the options' types, and errors that are one sentence."""

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW = click.Path(path_type=Path)
SEED = click.IntRange(min=0)


class Command(click.Command):
    """A click command whose bad input ends in its sentence instead of a traceback: `@click.command(cls=Command)`."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, FloatingPointError) as error:
            raise click.ClickException(str(error)) from error
