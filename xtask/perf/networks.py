"""PyTorch's side of the networks of `cargo xtask perf speed`: answers every line of its input with a line.

    load SIZE        ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
    run infer-N      scores N images                          -> SECONDS SCORE
    run step-N       one training step on N + N images        -> SECONDS LOSS
    peak             -> peak memory of the process in MiB
"""
import sys
import time

import torch
from reference import Trainer, peak_mib, score


def run(trainer, case):
    what, count = case.split("-")
    shape = (int(count), 3, trainer.size, trainer.size)
    first, second = torch.rand(shape) * 4 - 2, torch.rand(shape) * 4 - 2
    start = time.perf_counter()
    if what == "infer":
        figure = [score(m) for m in trainer.maps(first)][0]
    else:
        figure = trainer.step(first, second)
    return time.perf_counter() - start, figure


torch.manual_seed(0)
trainer = None
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "load":
        trainer = Trainer(int(argument))
        print("loaded", flush=True)
    elif command == "run":
        print(*run(trainer, argument), flush=True)
    elif command == "peak":
        print(peak_mib(), flush=True)
