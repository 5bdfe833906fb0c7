"""Serve the report of a results folder to this machine's own browsers, on http://127.0.0.1."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import click

from glioseg.workflow.commands import FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=FOLDER, default="results")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="any that is free")
def view(results, port) -> None:
    folder = results / "report"
    if not (folder / "index.html").is_file():
        raise ValueError(f"{folder} holds no index.html; make it: snakemake --cores all")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=folder))
    except OSError as error:
        raise ValueError(f"port {port} can't be had ({error}); give another, or none") from error
    with server:
        click.echo(f"http://127.0.0.1:{server.server_port}/index.html (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()


if __name__ == "__main__":
    view()
