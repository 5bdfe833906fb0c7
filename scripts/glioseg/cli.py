"""The command `glioseg` of an installed package: the commands of the folder scripts/, and `run` for the workflow."""

import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from glioseg.workflow.commands import NEW_FOLDER, Command
from glioseg.workflow.home import HOME, version


class Scripts(click.Group):
    """A group of the commands in scripts/, each of which is loaded only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = [path.stem.replace("_", "-") for path in (HOME / "scripts").glob("*.py")]
        return sorted([*names, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.commands or cmd_name.replace("_", "-") not in self.list_commands(ctx):
            return super().get_command(ctx, cmd_name)
        return _load(_script(cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the first sentences of their files, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._first_sentence(name)) for name in self.list_commands(ctx)])

    def _first_sentence(self, name: str) -> str:
        if name in self.commands:
            words = self.commands[name].help
        else:
            words = ast.get_docstring(ast.parse(_script(name).read_text(encoding="utf-8")))
        return " ".join(words.partition("\n\n")[0].split())


def _script(name: str) -> Path:
    return HOME / "scripts" / f"{name.replace('-', '_')}.py"


def _load(path: Path) -> click.Command:
    """The click command in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return next(value for value in vars(module).values() if isinstance(value, click.Command))


def _print_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"glioseg {version()}")
        ctx.exit()


@click.group(cls=Scripts)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version, and the commit if it is known.",
)
def main() -> None:
    """Segment brain tumors in multimodal MRI: run the whole workflow, or one of its commands.

    Each command has its own --help.
    """


@main.command(cls=Command)
@click.option("--data", help="Folder of a data set, a table of files, or phantoms. Default: that of the configuration.")
@click.option("--results", type=NEW_FOLDER, help="Folder to write. Default: that of the configuration.")
@click.option(
    "--preset",
    type=click.Choice(sorted(path.stem for path in (HOME / "presets").glob("*.yaml"))),
    help="Settings of a whole study, from the folder presets/. Default: none.",
)
@click.argument("snakemake", nargs=-1, type=click.UNPROCESSED, metavar="[-- SNAKEMAKE ...]")
def run(data: str | None, results: Path | None, preset: str | None, snakemake: tuple[str, ...]) -> None:
    """Run the workflow in the current folder.

    SNAKEMAKE are words for Snakemake, after two dashes: a target, then options.

    \b
        glioseg run --data /path/to/folder --results results/mine -- --cores 8
        glioseg run -- prepare --cores 8 --configfile study.yaml
    """
    settings = [f"{name}={_no_number(str(path))}" for name, path in (("data", data), ("results", results)) if path]
    files = [str(HOME / "presets" / f"{preset}.yaml")] if preset else []
    words = with_values(with_values(snakemake, ("--config", "-C"), settings), ("--configfile", "--configfiles"), files)
    # The jobs run the python that is first on the path. pipx, for example, does not put its environments there.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [sys.executable, "-m", "snakemake", *words, "--snakefile", str(HOME / "Snakefile")]
    os.execve(sys.executable, command, os.environ | {"PATH": path})


def _no_number(path: str) -> str:
    """A path that Snakemake, which removes quotes, does not read as a number or a truth value: ./001 for 001."""
    try:
        float(path)
    except ValueError:
        return f"./{path}" if path in ("True", "False") else path
    return f"./{path}"


def with_values(words: Sequence[str], names: Sequence[str], values: Sequence[str]) -> list[str]:
    """Words for Snakemake with values put before those of an option, of which Snakemake reads only the last occurrence.

    names: the spellings of the option; the first is added if the words have none.
    """
    split = []
    for word in words:
        name, equals, value = word.partition("=")
        split += [name, value] if equals and name in names else [word]
    places = [place for place, word in enumerate(split) if word in names]
    if not places:
        return [*split, names[0], *values] if values else split
    return [*split[: places[-1] + 1], *values, *split[places[-1] + 1 :]]
