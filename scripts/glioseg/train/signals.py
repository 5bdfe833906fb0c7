"""Signals that end a training: a cluster's walltime (SIGTERM, SIGUSR1) and Ctrl-C (SIGINT)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Noted:
    """The name of the first signal that came, "" before."""

    name = ""


@contextmanager
def noted_signals() -> Iterator[Noted]:
    """Note the first of `SIGNALS` instead of dying of it, until the block ends; a second one does what it always did.

    Only in the main thread, as Python allows no other; elsewhere signals are left alone.
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
