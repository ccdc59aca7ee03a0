"""The reference behaviour in PyTorch eager, for `cargo xtask perf speed`: ResNet-18, stages 2 and 3.

All four stages of the backbone run, features are computed in every step, maps are smoothed by SciPy one after the
other, as the method's released code does.
"""
import os
import resource

import numpy
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import nn

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
STAGES = (2, 3)
PLANES = {2: 128, 3: 256}
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)


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


class Scorer:
    """Backbone and auto-encoder: what scoring needs."""

    def __init__(self, size, device="cpu", precision="f32"):
        self.size = size
        self.device = device
        self.autocast = torch.autocast(device.split(":")[0], torch.bfloat16, enabled=precision == "bf16")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "f32"
        torch.backends.cudnn.benchmark = True
        self.backbone = torchvision.models.resnet18(weights=None).eval().requires_grad_(False).to(device)
        self.auto_encoder = AutoEncoder().to(device)

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
    def maps(self, images):
        """The anomaly map of every image."""
        with self.autocast:
            features = self.features(images)
            reconstructions = self.auto_encoder(features)
        total = 0
        for a, b in zip(features, reconstructions):
            a, b = a.float(), b.float()
            distance = 1 - F.cosine_similarity(a, b)
            total = total + F.interpolate(
                distance[:, None], size=self.size, mode="bilinear", align_corners=True)
        return [gaussian_filter(m, sigma=4) for m in total[:, 0].cpu().numpy()]


class Trainer(Scorer):
    """With the discriminator and the optimizers, at the constants of the medical preset."""

    def __init__(self, size, device="cpu", precision="f32"):
        super().__init__(size, device, precision)
        self.discriminator = Discriminator().to(device)
        betas = (0.5, 0.999)
        self.optimizer = torch.optim.Adam(self.auto_encoder.parameters(), lr=1e-3, betas=betas)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=1e-4, betas=betas)

    def step(self, normal, anomalous, gamma=0.5, margin=5.0, weight=0.02):
        def high(energies):
            return sum((margin - e).clamp(min=0).mean() for e in energies)

        with self.autocast:
            normal, anomalous = self.features(normal), self.features(anomalous)
            made, made_anomalous = self.auto_encoder(normal), self.auto_encoder(anomalous)
            pooled = [torch.cat(pair) for pair in zip(made, made_anomalous)]
            loss = (sum(e.mean() for e in self.discriminator(normal))
                    + (1 - gamma) * high(self.discriminator(anomalous))
                    + gamma * high(self.discriminator([p.detach() for p in pooled])))
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.discriminator.parameters(), 1.0)
        self.discriminator_optimizer.step()

        with self.autocast:
            total = sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean() for a, b in zip(normal, made))
            total = total + weight * sum(e.mean() for e in self.discriminator(pooled))
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return total.item()


def score(anomaly_map):
    """The mean of the 100 largest values."""
    return torch.from_numpy(anomaly_map).flatten().topk(100).values.mean().item()


def tensor(picture, size):
    """A picture as the networks take it: [3, size, size]."""
    pixels = numpy.asarray(picture.resize((size, size), Image.BILINEAR), numpy.float32)
    return torch.from_numpy((pixels / 255 - MEAN) / STD).permute(2, 0, 1).contiguous()


def peak_mib():
    """Peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
