"""The command `view` serves the report only to this machine."""

import subprocess
import sys
import urllib.request

from click.testing import CliRunner
from studies import ROOT

import view


def test_the_report_is_served_only_to_this_machine(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/index.html").write_text("here it is")
    command = [sys.executable, ROOT / "scripts/view.py", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as server:
        try:
            address = server.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.read() == b"here it is"
            port = address.split(":")[2].split("/")[0]
            assert f"ssh -L {port}:127.0.0.1:{port} " in server.stdout.readline()
        finally:
            server.terminate()
    result = CliRunner().invoke(view.view, [str(tmp_path / "report")])
    assert result.exit_code == 1 and "has no index.html; create it with" in result.output
