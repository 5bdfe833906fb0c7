"""What all commands share: the options' types, and errors that are one sentence."""

import errno
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW = click.Path(path_type=Path)
SEED = click.IntRange(min=0)


class Interrupted(Exception):
    """A training that a signal ended after a step, with its state kept."""


class Command(click.Command):
    """A click command that ends in a sentence instead of a traceback where its input is bad, or the machine fails it.

    `@click.command(cls=Command)`.
    """

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, FloatingPointError, Interrupted) as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(
                f"out of memory ({error}); give the job more (mem_mb), or run fewer jobs at once (--cores)"
            ) from error
        except ImportError as error:
            raise click.ClickException(
                f"a library can't be loaded ({error}): out of memory, so give the job more (mem_mb), or it isn't there"
            ) from error
        except OSError as error:
            raise click.ClickException(_advised(error)) from error


def _advised(error: OSError) -> str:
    """What the operating system refused, and what to do."""
    # NumPy tells a write that fell short without a number: "600 requested and 12 written".
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "requested and" in str(error):
        return f"the disk is full, or a quota or limit is reached ({error}); make room and run again"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"not allowed to ({error}); make that place writable, or set results to another, and run again"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many files are open ({error}); raise the limit (ulimit -n) and run again"
    return f"the machine refused ({error}); run again"
