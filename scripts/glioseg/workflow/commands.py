"""Types of options and error handling, shared by all commands."""

import errno
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW = click.Path(path_type=Path)
SEED = click.IntRange(min=0)


class Interrupted(Exception):
    """A signal stopped the training after a step, and its state was saved."""


class Command(click.Command):
    """A click command that reports invalid input and system errors in one sentence instead of a traceback.

    Use it as `@click.command(cls=Command)`.
    """

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, FloatingPointError, Interrupted) as error:
            raise click.ClickException(str(error)) from error
        except MemoryError as error:
            raise click.ClickException(
                f"out of memory ({error}); give the job more memory (mem_mb) or run fewer jobs at once (--cores)"
            ) from error
        except ImportError as error:
            raise click.ClickException(
                f"a library cannot be loaded ({error}); install it if missing, or give the job more memory (mem_mb)"
            ) from error
        except OSError as error:
            raise click.ClickException(_advised(error)) from error


def _advised(error: OSError) -> str:
    """The error of the operating system, and what to do about it."""
    # NumPy reports a short write without an errno: "600 requested and 12 written".
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "requested and" in str(error):
        return f"the disk is full, or a quota or limit is reached ({error}); free some space and run again"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"access was refused ({error}); make the path writable, or set results to another folder, and run again"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many files are open ({error}); raise the limit (ulimit -n) and run again"
    return f"the operating system reported an error ({error}); run again"
