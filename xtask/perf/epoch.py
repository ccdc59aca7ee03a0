"""PyTorch's side of the epochs of `cargo xtask perf speed`: `epoch.py SPLIT SIZE BATCH WORKERS PRECISION`, one epoch per line.

    run epoch        the next epoch                          -> SECONDS LOSS
    peak             -> peak memory of this process in MiB, without those that load images

SPLIT lists the images. Both kinds are decoded, resized and normalised anew in every epoch by WORKERS processes, half of
them for each kind; labelled images come around as often as there are normal batches. Nothing is validated or saved.
"""
import json
import sys
import time

import torch
from PIL import Image
from reference import Trainer, peak_mib, tensor
from torch.utils.data import DataLoader, Dataset


class Files(Dataset):
    def __init__(self, samples, size):
        self.paths = [sample["path"] for sample in samples]
        self.size = size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as picture:
            return tensor(picture.convert("RGB"), self.size)


class Endless:
    """Batches of one size for the steps of an epoch, out of one shuffle after the other."""

    def __init__(self, count, batch, steps):
        self.count, self.batch, self.steps = count, min(batch, count), steps
        self.left = []

    def __len__(self):
        return self.steps

    def __iter__(self):
        for _ in range(self.steps):
            while len(self.left) < self.batch:
                self.left += torch.randperm(self.count).tolist()
            yield self.left[:self.batch]
            del self.left[:self.batch]


def main():
    torch.manual_seed(0)
    size, batch, workers = map(int, sys.argv[2:5])
    with open(sys.argv[1]) as file:
        split = json.load(file)
    normal, labelled = Files(split["normal"], size), Files(split["labelled"], size)
    steps = len(normal) // min(batch, len(normal))
    # Kept from epoch to epoch, so that starting them counts in the first alone.
    share = dict(num_workers=max(1, workers // 2), persistent_workers=True)
    labelled = DataLoader(labelled, batch_sampler=Endless(len(labelled), batch, steps), **share)
    normal = DataLoader(normal, min(batch, len(normal)), shuffle=True, drop_last=True, **share)
    trainer = Trainer(size, "cpu", sys.argv[5])
    for line in sys.stdin:
        if line.strip() == "run epoch":
            start = time.perf_counter()
            losses = [trainer.step(*pair) for pair in zip(normal, labelled, strict=True)]
            print(time.perf_counter() - start, sum(losses) / len(losses), flush=True)
        elif line.strip() == "peak":
            print(peak_mib(), flush=True)


if __name__ == "__main__":
    main()
