"""The reference behaviour in PyTorch eager, timed for `cargo xtask perf networks`.

    load SIZE        ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
    run infer-N      scores N images                          -> SECONDS SCORE
    run step-N       one training step on N + N images        -> SECONDS LOSS
    peak             -> peak memory of the process in MiB

All four stages of the backbone run, features are computed in every step, maps are smoothed by SciPy one after the
other, as the method's released code does.
"""
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from scipy.ndimage import gaussian_filter
from torch import nn

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
STAGES = (2, 3)
PLANES = {2: 128, 3: 256}


def conv_norm(conv, channels):
    return nn.Sequential(conv, nn.InstanceNorm2d(channels, affine=True))


class Block(nn.Module):
    """Basic residual block that keeps, halves or doubles the resolution."""

    def __init__(self, inputs, outputs, resize="keep"):
        super().__init__()
        if resize == "double":
            def strided(kernel):
                return nn.ConvTranspose2d(inputs, outputs, 2, 2, bias=False)
        else:
            stride = 2 if resize == "halve" else 1

            def strided(kernel):
                return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.first = conv_norm(strided(3), outputs)
        self.second = conv_norm(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), outputs)
        self.shortcut = nn.Identity() if resize == "keep" else conv_norm(strided(1), outputs)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = conv_norm(nn.Conv2d(128, 256, 3, 2, 1, bias=False), 256)
        self.fuse = nn.Sequential(Block(512, 512, "halve"), Block(512, 512))
        self.coarse = nn.Sequential(Block(512, 256, "double"), Block(256, 256))
        self.fine = nn.Sequential(Block(256, 128, "double"), Block(128, 128))

    def forward(self, features):
        fine, coarse = features
        code = self.fuse(torch.cat([F.relu(self.down(fine)), coarse], 1))
        coarse = self.coarse(code)
        return [self.fine(coarse), coarse]


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(c, c, 1, bias=False), nn.LeakyReLU(0.1),
                nn.Conv2d(c, c, 1, bias=False), nn.LeakyReLU(0.1),
                nn.Conv2d(c, 1, 1, bias=False))
            for c in PLANES.values())

    def forward(self, features):
        return [head(F.normalize(f, dim=1)).abs().flatten(1) for head, f in zip(self.heads, features)]


class Bench:
    def __init__(self, size):
        torch.manual_seed(0)
        self.size = size
        self.backbone = torchvision.models.resnet18(weights=None).eval().requires_grad_(False)
        self.auto_encoder = AutoEncoder()
        self.discriminator = Discriminator()
        adam = dict(lr=1e-4, betas=(0.5, 0.999))
        self.optimizer = torch.optim.Adam(self.auto_encoder.parameters(), **adam)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **adam)

    @torch.no_grad()
    def features(self, x):
        net = self.backbone
        x = net.maxpool(F.relu(net.bn1(net.conv1(x))))
        stages = []
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = stage(x)
            stages.append(x)
        return [stages[s - 1] for s in STAGES]

    @torch.no_grad()
    def infer(self, images, _):
        features = self.features(images)
        total = 0
        for a, b in zip(features, self.auto_encoder(features)):
            distance = 1 - F.cosine_similarity(a, b)
            total = total + F.interpolate(
                distance[:, None], size=self.size, mode="bilinear", align_corners=True)
        maps = [gaussian_filter(m, sigma=4) for m in total[:, 0].numpy()]
        return [torch.from_numpy(m).flatten().topk(100).values.mean().item() for m in maps][0]

    def step(self, normal, anomalous, gamma=0.1, margin=1.0, weight=0.1):
        normal, anomalous = self.features(normal), self.features(anomalous)
        made, made_anomalous = self.auto_encoder(normal), self.auto_encoder(anomalous)
        pooled = [torch.cat(pair) for pair in zip(made, made_anomalous)]

        def high(energies):
            return sum((margin - e).clamp(min=0).mean() for e in energies)

        loss = (sum(e.mean() for e in self.discriminator(normal))
                + (1 - gamma) * high(self.discriminator(anomalous))
                + gamma * high(self.discriminator([p.detach() for p in pooled])))
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.discriminator.parameters(), 1.0)
        self.discriminator_optimizer.step()

        total = sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean() for a, b in zip(normal, made))
        total = total + weight * sum(e.mean() for e in self.discriminator(pooled))
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return total.item()

    def run(self, case):
        what, count = case.split("-")
        shape = (int(count), 3, self.size, self.size)
        first, second = torch.rand(shape) * 4 - 2, torch.rand(shape) * 4 - 2
        start = time.perf_counter()
        figure = getattr(self, what)(first, second)
        return time.perf_counter() - start, figure


bench = None
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "load":
        bench = Bench(int(argument))
        print("loaded", flush=True)
    elif command == "run":
        print(*bench.run(argument), flush=True)
    elif command == "peak":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
