"""Generate pages of the documentation while it is built: settings, commands and changes."""

import html
import importlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import yaml

ROOT = Path(__file__).parents[2]
RANGES = {
    "minimum": "from {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "to {}",
    "exclusiveMaximum": "less than {}",
}
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}


def on_files(files, config):
    """Add the generated pages to the files that MkDocs found in docs/."""
    from mkdocs.structure.files import File

    pages = {"reference/settings.md": settings, "reference/commands.md": commands, "changes.md": changes}
    for path, page in pages.items():
        files.append(File.generated(config, path, content=page()))
    return files


def settings() -> str:
    """The page of all settings: default, allowed values, and the comment in config.yaml."""
    schema = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text(encoding="utf-8"))
    lines = ["# Settings", ""]
    lines += [
        "Generated from `config.yaml` and `rules/config.schema.yaml`. A setting that is not listed here is an error.",
        "",
    ]
    heading = ""
    for group, comment in commented((ROOT / "config.yaml").read_text(encoding="utf-8")):
        *section, _ = next(iter(group))
        if heading != "".join(section or ["The study"]):
            heading = "".join(section or ["The study"])
            lines += [f"## {heading}", ""]
        for names, default in group.items():
            rules = schema
            for name in names:
                rules = rules["properties"][name]
            lines += [
                f"### `{names[-1]}` {{ #{'-'.join(names)} }}",
                "",
                f"**Default** {code(json.dumps(default, ensure_ascii=False))} · {allowed(rules, schema)}",
                "",
            ]
        lines += [prose(comment), ""]
    return "\n".join(lines)


def commented(text: str) -> Iterator[tuple[dict[tuple[str, ...], object], str]]:
    """Yield settings and their values by path, with the comment above them.

    A setting without a comment shares that of the setting before it.
    """
    values = yaml.safe_load(text)
    group, comment, section = {}, [], ""
    for line in text.splitlines():
        key = re.match(r"( *)(\w+):(.*)", line)
        if line.strip().startswith("#"):
            if group:
                yield group, " ".join(comment)
                group, comment = {}, []
            comment.append(line.strip().removeprefix("#").strip())
        elif key and key[1]:
            group[section, key[2]] = values[section][key[2]]
        elif key and key[3]:
            group[(key[2],)] = values[key[2]]
        elif key:
            if group:
                yield group, " ".join(comment)
                group, comment = {}, []
            section = key[2]
        elif not line.strip() and not group:
            comment = []  # the comment describes the whole file
    yield group, " ".join(comment)


def allowed(rules: Mapping, schema: Mapping) -> str:
    """The values that a schema allows for a setting, in words."""
    if "$ref" in rules:
        return allowed(schema["$defs"][rules["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in rules:
        return ", or ".join(allowed(choice, schema) for choice in rules["anyOf"])
    if "enum" in rules:
        return "one of " + ", ".join(code(value) for value in rules["enum"])
    if "const" in rules:
        return code(rules["const"])
    if rules["type"] == "array":
        fewest, most = rules.get("minItems"), rules.get("maxItems")
        count = f"{fewest} " if fewest and fewest == most else f"{fewest} or more " if fewest else ""
        items = re.sub(r"^(whole )?number\b", r"\1numbers", allowed(rules["items"], schema))
        return f"a list of {count}" + (f"({items})" if re.search(", |list", items) else items)
    if rules["type"] == "object":
        return "a table of " + ", ".join(code(name) for name in rules["properties"])
    limits = [words.format(rules[name]) for name, words in RANGES.items() if name in rules]
    return " ".join([TYPES[rules["type"]], *limits])


def commands() -> str:
    """The page of all commands, with the options that click reports."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    lines = ["# Commands", ""]
    lines += ["Generated from the commands in `scripts/`. The workflow runs them; each can also be run directly.", ""]
    lines += ["In an installed package, `glioseg NAME` is the same, with `-` for `_`: `glioseg plot-subject`.", ""]
    for path in sorted((ROOT / "scripts").glob("*.py")):
        command = command_of(path.stem)
        usage = command.get_usage(click.Context(command, info_name=f"python scripts/{path.name}"))
        lines += [f"## {path.stem}", "", prose(command.help or ""), "", "```", usage.removeprefix("Usage: "), "```", ""]
        lines += ["| option | value | description |", "|---|---|---|"]
        known = config.get(path.stem, {})
        for parameter in command.params:
            *cells, words = row(parameter)
            if (key := parameter.opts[0].removeprefix("--").replace("-", "_")) in known:
                words = f"{words} Setting [{code(f'{path.stem}: {key}')}](settings.md#{path.stem}-{key}).".strip()
            lines += [f"| {' | '.join([*cells, words])} |"]
        lines += [""]
    return "\n".join(lines)


def command_of(name: str) -> click.Command:
    """The click command of a script. Raises StopIteration if it has none."""
    # Not at import: MkDocs restores sys.path after it has loaded a hook.
    sys.path.insert(0, str(ROOT / "scripts"))
    module = importlib.import_module(name)
    return next(value for value in vars(module).values() if isinstance(value, click.Command))


def row(parameter: click.Parameter) -> tuple[str, str, str]:
    """The cells of an option's row: its names, its value, and its description."""
    context = click.Context(click.Command(""))
    kind = parameter.type.name if isinstance(parameter.type, click.ParamType) else str(parameter.type)
    if isinstance(parameter.type, click.Choice):
        kind = " ".join(code(choice) for choice in parameter.type.choices)
    elif isinstance(parameter.type, click.Tuple):
        kind = " ".join(part.name for part in parameter.type.types)
    elif isinstance(parameter.type, click.types.FuncParamType):
        kind = "text"
    words = [getattr(parameter, "help", None) or ""]
    if not parameter.required:
        default = parameter.get_default(context)
        shown = default not in (None, ()) and "sentinel" not in str(default).lower() and default != ""
        words.append(f"Default {code(default)}." if shown and not parameter.multiple else "Optional.")
    if parameter.nargs == -1:
        words.append("Can be given several times.")
    names = " ".join(code(name) for name in parameter.opts)
    return names, kind.replace(" range", ""), prose(" ".join(filter(None, words))).replace("|", "\\|")


def changes() -> str:
    """The page of changes, which is CHANGELOG.md."""
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def code(value: object) -> str:
    """Format a value as code."""
    return f"`{value}`"


def prose(text: str) -> str:
    """Escape all markup in a text, except code between backticks."""

    def plain(words: str) -> str:
        return re.sub(r"([*_\[\]])", r"\\\1", html.escape(words, quote=False))

    return "".join(part if part[:1] == "`" else plain(part) for part in re.split(r"(`[^`]*`)", text))
