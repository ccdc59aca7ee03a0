"""Images as people read and warp them in Python, timed for `cargo xtask perf data`.

    load COUNT SIDE THREADS FOLDER   choose the files: the first COUNT JPEG files, sorted by path
    run CASE                         -> SECONDS IMAGES
    compare WHAT FILE                -> how far the bytes in FILE are from ours
"""
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image, features
from torchvision.transforms import ElasticTransform, InterpolationMode
from torchvision.transforms import functional as TF

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
DECODED = 200  # files whose decoded pixels are compared
WARPED = 20  # images whose elastic transforms are compared


def picture(path):
    return Image.open(path).convert("RGB").resize((side, side), Image.BILINEAR)


def normalised(path):
    return np.ascontiguousarray(((np.asarray(picture(path), np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1))


def each(function, paths, threads):
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, paths, chunksize=16):
            pass
    return len(paths)


def alone(function, paths):
    for path in paths:
        function(path)
    return len(paths)


def cases():
    few = [picture(path) for path in files[: max(1, len(files) // 20)]]
    tensors = [TF.pil_to_tensor(image) for image in few]
    warp = ElasticTransform(200.0, 5.0, InterpolationMode.BILINEAR)
    return {
        "load-1": lambda: alone(picture, files),
        "load-n": lambda: each(picture, files, threads),
        "normalised-n": lambda: each(normalised, files, threads),
        "elastic-tensor": lambda: alone(warp, tensors),
        "elastic-pil": lambda: alone(warp, few),
    }


def compare(what, path):
    if what == "warped":
        return compare_warped(np.fromfile(path, np.uint8))
    given = np.fromfile(path, np.uint8)
    largest, total, equal, at, count = np.zeros(3, int), np.zeros(3), 0, 0, 0
    for file in files[:DECODED]:
        image = picture(file) if what == "resized" else Image.open(file).convert("RGB")
        expected = np.asarray(image, np.int16).reshape(-1, 3)
        difference = np.abs(given[at : at + expected.size].reshape(-1, 3) - expected)
        at += expected.size
        largest = np.maximum(largest, difference.max(0))
        total += difference.sum(0)
        count += len(expected)
        equal += not difference.any()
    assert at == given.size, "the files hold different numbers of pixels"
    mean = " ".join(f"{value:.4f}" for value in total / count)
    return f"{equal} of {len(files[:DECODED])} files equal; largest difference {largest} and mean {mean} in red, green, blue"


def compare_warped(given):
    """FILE holds, per image, the image (HWC), the noise of both axes (f32) and the warped image (HWC)."""
    pixels, plane = side * side * 3, side * side * 4
    records = given.reshape(-1, 2 * pixels + 2 * plane)
    off, far = 0, 0
    for record in records:
        image = torch.from_numpy(record[:pixels].reshape(side, side, 3)).permute(2, 0, 1)
        noise = record[pixels : pixels + 2 * plane].view(np.float32).reshape(2, 1, 1, side, side)
        moved = [TF.gaussian_blur(torch.from_numpy(axis), [41, 41], [5.0, 5.0]) * 200.0 / side for axis in noise]
        expected = TF.elastic_transform(image, torch.concat(moved, 1).permute(0, 2, 3, 1), InterpolationMode.BILINEAR, 0)
        ours = record[pixels + 2 * plane :].reshape(side, side, 3).astype(np.int16)
        difference = np.abs(ours - expected.permute(1, 2, 0).numpy())
        off += np.count_nonzero(difference)
        far = max(far, int(difference.max()))
    return f"{100 * off / (len(records) * pixels):.4f} % of the values of {len(records)} images differ, by at most {far}"


table = {}
for line in sys.stdin:
    command, argument = line.rstrip("\n").split(" ", 1)
    if command == "load":
        count, side, threads, folder = argument.split(" ", 3)
        side, threads = int(side), int(threads)
        torch.set_num_threads(threads)
        files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))[: int(count)]
        table = cases()
        turbo = "libjpeg-turbo" if features.check("libjpeg_turbo") else "libjpeg"
        print(f"Pillow {PIL.__version__} with {turbo}, torchvision {torchvision.__version__}, {len(files)} files", flush=True)
    elif command == "run":
        start = time.perf_counter()
        done = table[argument]()
        print(time.perf_counter() - start, done, flush=True)
    else:
        print(compare(*argument.split(" ", 1)), flush=True)
