"""Describe the files of a finished run as a research object (RO-Crate), for archives and search engines."""

import json
from datetime import datetime

import click

from glioseg.files import write_json
from glioseg.report.crate import describe_run
from glioseg.workflow.commands import FOLDER, JSON, Command
from glioseg.workflow.home import version


@click.command(cls=Command, help=__doc__)
@click.option("--results", required=True, type=FOLDER, help="Results folder of the run.")
@click.option("--config", required=True, help="Configuration of the study as JSON.")
@click.option("--output", required=True, type=JSON, help="ro-crate-metadata.json to write.")
def crate(results, config, output):
    write_json(output, describe_run(results, json.loads(config), version(), datetime.now().astimezone()))


if __name__ == "__main__":
    crate()
