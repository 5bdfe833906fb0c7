"""Serve the report in the folder RESULTS (default: results) to browsers on this machine, at http://127.0.0.1."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from socket import gethostname

import click

from glioseg.workflow.commands import FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=FOLDER, default="results")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default="any free port", help="Port to serve on."
)
def view(results, port) -> None:
    folder = results / "report"
    if not (folder / "index.html").is_file():
        raise ValueError(f"{folder} has no index.html; create it with: snakemake --cores all")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=folder))
    except OSError as error:
        raise ValueError(f"port {port} is unavailable ({error}); give another, or leave out --port") from error
    with server:
        click.echo(f"http://127.0.0.1:{server.server_port}/index.html (press Ctrl-C to stop)")
        forward = f"{server.server_port}:127.0.0.1:{server.server_port}"
        click.echo(f"To see it from another machine, type there first: ssh -L {forward} {gethostname()}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()


if __name__ == "__main__":
    view()
