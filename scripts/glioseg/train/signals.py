"""Signals that end a training: a cluster's walltime (SIGTERM, SIGUSR1) and Ctrl-C (SIGINT)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Noted:
    """The name of the first signal that arrived, or "" before that."""

    name = ""


@contextmanager
def noted_signals() -> Iterator[Noted]:
    """Until the block ends, record the first of `SIGNALS` instead of stopping; a second signal acts as usual.

    Python allows this only in the main thread; in another thread, nothing is changed.
    """
    noted, before = Noted(), {}

    def note(number, frame):
        noted.name = signal.Signals(number).name
        restore()

    def restore():
        while before:
            signal.signal(*before.popitem())

    try:
        for number in SIGNALS:
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread
        before.clear()
    try:
        yield noted
    finally:
        restore()
