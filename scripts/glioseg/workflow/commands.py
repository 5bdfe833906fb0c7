"""Types of options and error handling, shared by all commands."""

import errno
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from glioseg.model_files import ModelFile, models_in

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
# A file or folder to read that may be missing.
OPTIONAL = click.Path(path_type=Path)
SEED = click.IntRange(min=0)
VOLUME_ML = click.FloatRange(min=0)
PROBABILITY = click.FloatRange(0, 1, min_open=True, max_open=True)
TEMPERATURES = click.FloatRange(0.1, 10)
# Bytes in a file name, of which a temporary name needs some (`files.whole`).
LONGEST_NAME = 225


class Output(click.ParamType):
    """A file to write, or a folder if no endings are given: whether it can be written is judged before work begins.

    A file must have one of the endings and must not be a folder; a folder must not be a file. The folder above must be
    writable, or it must be possible to make it.
    """

    def __init__(self, what: str, *endings: str):
        self.what, self.endings, self.name = what, endings, "file" if endings else "folder"

    def convert(self, value, param, ctx) -> Path:
        path = Path(value)
        try:
            sentence = self._mistake(path)
        except OSError as error:
            sentence = _advised(error)
        if sentence:
            self.fail(sentence, param, ctx)
        return path

    def has_ending(self, name: str) -> bool:
        """Whether a name has one of the endings, and something before it."""
        return any(name.lower().endswith(ending) and name.lower() != ending for ending in self.endings)

    def _mistake(self, path: Path) -> str | None:
        """Why the path cannot be written, in a sentence; None if it can. Raises OSError if access is refused."""
        name, is_file = path.name, bool(self.endings)
        if path.exists() and path.is_dir() == is_file:
            found, expected = ("folder", "file") if is_file else ("file", "folder")
            return f"{path} is a {found}; expected a {expected} for the {self.what}: give another name"
        if is_file and not self.has_ending(name):
            example = f"{name.partition('.')[0] or 'name'}{self.endings[0]}"
            return f"{path}: expected a name that ends in {' or '.join(self.endings)} for the {self.what}: {example}"
        if len(os.fsencode(name)) > LONGEST_NAME:
            return (
                f"{path}: expected a name of at most {LONGEST_NAME} bytes, found {len(os.fsencode(name))}: shorten it"
            )
        path = path.absolute()
        above = next(folder for folder in (path, *path.parents)[is_file:] if folder.exists())
        if not above.is_dir():
            return f"{path}: {above} is a file; expected a folder: give another"
        try:
            # A file without a name, which the operating system removes by itself.
            tempfile.TemporaryFile(dir=above).close()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(above)) from error
        return None


class OutputOrFolder(Output):
    """A file to write, or the folder to write it to: an existing one, or a name without a dot."""

    def convert(self, value, param, ctx) -> Path:
        path = Path(value)
        folder = not self.has_ending(path.name) and (path.is_dir() or not path.suffix)
        return (NEW_FOLDER if folder else super()).convert(value, param, ctx)


LABEL_MAP = Output("label map", ".nii.gz", ".nii")
LABEL_MAP_OR_FOLDER = OutputOrFolder("label map", ".nii.gz", ".nii")
TABLE = Output("table", ".tsv")
JSON = Output("result", ".json")
NEW_FOLDER = Output("results")


def finished_models(ctx: click.Context, param: click.Parameter, places: Sequence[Path]) -> list[ModelFile]:
    """The models of the places that an option names."""
    try:
        return models_in(places)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


# The files of one scan: volumes of images by modality, and the mask.
IMAGES = click.option(
    "--image",
    "images",
    type=(str, Path, int),
    multiple=True,
    help="Modality, its file or folder of DICOM slices, and the volume's index (repeatable).",
)
MASK_FILE = click.option(
    "--mask", type=(Path, int), help="File with the truth, and the volume's index, if there is a truth."
)
# Where the files of subjects are, which scan.json does not say.
SUBJECTS = click.option(
    "--subjects", required=True, type=FILE, help="Table written by layouts: the files of each subject."
)
# The option of the commands that predict; the second may be left out.
MODELS, MODELS_OR_SHIPPED = (
    click.option(
        "--model",
        "models",
        type=click.Path(path_type=Path),
        callback=finished_models,
        multiple=True,
        required=required,
        help=f"model.keras of a model, a bundle, or a results folder (repeatable: the outputs are averaged).{more}",
    )
    for required, more in ((True, ""), (False, " Default: the model that comes with this project, if it has one."))
)


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
