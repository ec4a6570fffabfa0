"""The judge, except that loading the residual with optimisations kills it, as onnxruntime sometimes does."""

import os
import signal

from freezer.verification import judge


def optimise(header, buffers):
    if header["which"] == "residual":
        os.kill(os.getpid(), signal.SIGSEGV)
    return judge.optimise(header, buffers)


COMMANDS = {**judge.COMMANDS, "optimise": optimise}
