"""PyTorch's side of the networks of `cargo xtask perf speed`: answers every line of its input with a line.

    load SIZE DEVICE PRECISION   ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
    run infer-N                  scores N images                     -> SECONDS SCORE
    run step-N                   one training step on N + N images   -> SECONDS LOSS
    peak                         -> peak memory of the process in MiB, without that of a GPU
"""
import sys
import time

import torch
from reference import Trainer, peak_mib, score


def run(trainer, case):
    what, count = case.split("-")
    shape = (int(count), 3, trainer.size, trainer.size)
    first, second = ((torch.rand(shape) * 4 - 2).to(trainer.device) for _ in range(2))
    synchronize(trainer)
    start = time.perf_counter()
    if what == "infer":
        figure = [score(m) for m in trainer.maps(first)][0]
    else:
        figure = trainer.step(first, second)
    synchronize(trainer)
    return time.perf_counter() - start, figure


def synchronize(trainer):
    """Waits until a GPU has done all that it was given."""
    if trainer.device != "cpu":
        torch.cuda.synchronize()


torch.manual_seed(0)
trainer = None
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "load":
        size, device, precision = argument.split()
        trainer = Trainer(int(size), device, precision)
        print("loaded", flush=True)
    elif command == "run":
        print(*run(trainer, argument), flush=True)
    elif command == "peak":
        print(peak_mib(), flush=True)
