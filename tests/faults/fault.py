"""Run a command as Snakemake would, with a fault inside it: python fault.py FAULT NUMBER SCRIPT OPTIONS …

kill N: kill it at its Nth file operation below results/ (0: only count them, and print the number at the end).
memory N: limit its memory to N MB more than it has when it first opens an image.npy or model.keras.
nan N: set the images of the Nth training step to NaN.
"""

import os
import resource
import runpy
import signal
import sys
from pathlib import Path


def below_results(arguments):
    return any(isinstance(word, str | bytes) and "results/" in os.fsdecode(word) for word in arguments)


def kill_at(number):
    done = 0

    def hook(event, arguments):
        nonlocal done
        if event in ("open", "os.rename", "os.remove", "os.mkdir") and below_results(arguments):
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    if not number:
        import atexit

        atexit.register(lambda: print(f"operations: {done}", flush=True))


def limit_memory(megabytes):
    limited = False

    def hook(event, arguments):
        nonlocal limited
        if not limited and event == "open" and str(arguments[0]).endswith(("image.npy", "model.keras")):
            limited = True
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            size = pages * resource.getpagesize() + megabytes * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

    sys.addaudithook(hook)


def spoil_step(number):
    from glioseg.train import patches

    whole = patches.training_batch

    def spoiled(subjects, step, settings):
        images, masks = whole(subjects, step, settings)
        return (images * float("nan") if step == number else images), masks

    patches.training_batch = spoiled


fault, number, script, *options = sys.argv[1:]
sys.argv = [script, *options]
sys.path.insert(0, str(Path(script).parent))
{"kill": kill_at, "memory": limit_memory, "nan": spoil_step}[fault](int(number))
runpy.run_path(script, run_name="__main__")
