"""Threads that prepare batches give way to the training, but not to every other program."""

import os
import sys
import threading

import pytest

from glioseg.train.device import give_way


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux each thread has its own priority")
def test_a_thread_gives_way_a_little():
    found = []

    def work():
        give_way()
        give_way()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    process = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert found == [min(process + 5, 19)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == process
