"""Time torch.nn.functional.conv2d on the shapes of `crates/conv/examples/bench.rs`, in alternation with it.

    cargo build --release -p ckaad-conv --example bench
    python xtask/perf/conv.py --bench target/release/examples/bench --markdown

Each round times every case once in PyTorch and once in the Rust example, so slow phases of the machine hit both;
the table gives the minimum and the median over the rounds. Without --bench only PyTorch is timed. The pass `packed` is
a frozen layer in ours (weights packed before, blocked layout) against the plain forward pass of PyTorch. With --realtime
both sides run under SCHED_FIFO, so that other processes on a busy machine disturb neither.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F


def shapes(size):
    """(group, name, count, kind, c_in, c_out, input side, kernel, stride, pad); `count` is how often the network has it."""
    a, b, c, d = size // 4, size // 8, size // 16, size // 32
    return [
        ("backbone", "stem", 1, "conv", 3, 64, size, 7, 2, 3),
        ("backbone", "s1-3x3", 4, "conv", 64, 64, a, 3, 1, 1),
        ("backbone", "s2-down", 1, "conv", 64, 128, a, 3, 2, 1),
        ("backbone", "s2-short", 1, "conv", 64, 128, a, 1, 2, 0),
        ("backbone", "s2-3x3", 3, "conv", 128, 128, b, 3, 1, 1),
        ("backbone", "s3-down", 1, "conv", 128, 256, b, 3, 2, 1),
        ("backbone", "s3-short", 1, "conv", 128, 256, b, 1, 2, 0),
        ("backbone", "s3-3x3", 3, "conv", 256, 256, c, 3, 1, 1),
        ("auto-encoder", "fuse", 1, "conv", 128, 256, b, 3, 2, 1),
        ("auto-encoder", "enc-down", 1, "conv", 512, 512, c, 3, 2, 1),
        ("auto-encoder", "enc-short", 1, "conv", 512, 512, c, 1, 2, 0),
        ("auto-encoder", "enc-3x3", 3, "conv", 512, 512, d, 3, 1, 1),
        ("auto-encoder", "dec3-up", 2, "transposed", 512, 256, d, 2, 2, 0),
        ("auto-encoder", "dec3-3x3", 3, "conv", 256, 256, c, 3, 1, 1),
        ("auto-encoder", "dec2-up", 2, "transposed", 256, 128, c, 2, 2, 0),
        ("auto-encoder", "dec2-3x3", 3, "conv", 128, 128, b, 3, 1, 1),
        ("discriminator", "disc2", 2, "conv", 128, 128, b, 1, 1, 0),
        ("discriminator", "disc3", 2, "conv", 256, 256, c, 1, 1, 0),
    ]


def flop(case, batch):
    _, _, _, kind, c_in, c_out, side, kernel, stride, pad = case
    positions = side * side if kind == "transposed" else ((side + 2 * pad - kernel) // stride + 1) ** 2
    return 2.0 * batch * c_in * c_out * kernel * kernel * positions


def operator(case, batch):
    _, _, _, kind, c_in, c_out, side, kernel, stride, pad = case
    x = torch.randn(batch, c_in, side, side)
    if kind == "transposed":
        w = torch.randn(c_in, c_out, kernel, kernel)
        call = lambda: F.conv_transpose2d(x, w, stride=stride)
    else:
        w = torch.randn(c_out, c_in, kernel, kernel)
        call = lambda: F.conv2d(x, w, stride=stride, padding=pad)
    grad = torch.randn_like(call())
    transposed = kind == "transposed"

    def backward(mask):
        return lambda: torch.ops.aten.convolution_backward(
            grad, x, w, None, [stride] * 2, [pad] * 2, [1, 1], transposed, [0, 0], 1, mask
        )

    return {
        "packed": call,
        "forward": call,
        "input-grad": backward([True, False, False]),
        "weight-grad": backward([False, True, False]),
        "backward": backward([True, True, False]),
    }


def best_of(call, seconds):
    """Minimum time of one call while `seconds` last, after one warm-up."""
    call()
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return best * 1e3


def time_torch(case, batch, passes, seconds):
    calls = operator(case, batch)
    with torch.no_grad():
        return {p: best_of(calls[p], seconds) for p in passes}


def time_ours(bench, size, batch, passes, seconds, names):
    command = [bench, "--size", str(size), "--batch", str(batch), "--passes", ",".join(passes),
               "--seconds", str(seconds), "--only", ",".join(names), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {(row["name"], row["pass"]): row["ms"] for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", help="the built example `bench` of ckaad-conv")
    parser.add_argument("--size", type=int, default=256, help="side of the image")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="per case and round, at least one call")
    parser.add_argument("--passes", default="forward", help="of packed,forward,input-grad,weight-grad,backward")
    parser.add_argument("--groups", default="backbone,auto-encoder,discriminator")
    parser.add_argument("--only", default="", help="names of cases, comma separated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--realtime", action="store_true", help="SCHED_FIFO for both sides (needs the right to)")
    args = parser.parse_args()
    if args.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    passes, groups = args.passes.split(","), args.groups.split(",")
    only = [name for name in args.only.split(",") if name]
    cases = [c for c in shapes(args.size) if c[0] in groups and (not only or c[1] in only)]

    theirs, ours = {}, {}
    for _ in range(args.rounds):
        for case in cases:
            for p, ms in time_torch(case, args.batch, passes, args.seconds).items():
                theirs.setdefault((case[1], p), []).append(ms)
            if args.bench:
                got = time_ours(args.bench, args.size, args.batch, passes, args.seconds, [case[1]])
                for key, ms in got.items():
                    ours.setdefault(key, []).append(ms)

    print(f"image {args.size}, batch {args.batch}, {args.threads} threads, torch {torch.__version__}, {args.rounds} rounds\n")
    print("| layer | pass | n | torch min ms | torch median | GFLOP/s | ours min ms | ours median | GFLOP/s | ratio of medians | of minima |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    sums = {}
    for case in cases:
        for p in passes:
            key, work = (case[1], p), flop(case, args.batch) / 1e6
            t_min, t_med = min(theirs[key]), statistics.median(theirs[key])
            o_min, o_med = (min(ours[key]), statistics.median(ours[key])) if key in ours else (float("nan"),) * 2
            print(f"| {case[1]} | {p} | {case[2]} | {t_min:.3f} | {t_med:.3f} | {work / t_min:.0f} | {o_min:.3f} | {o_med:.3f} "
                  f"| {work / o_min:.0f} | {o_med / t_med:.2f} | {o_min / t_min:.2f} |")
            for group in (case[0], case[0] + " " + p):
                s = sums.setdefault(group, [0.0] * 4)
                for i, v in enumerate((t_min, t_med, o_min, o_med)):
                    s[i] += v * case[2]
    for group, (t_min, t_med, o_min, o_med) in sums.items():
        if " " in group and len(passes) == 1:
            continue
        print(f"| **sum {group}** | | | {t_min:.2f} | {t_med:.2f} | | {o_min:.2f} | {o_med:.2f} | | {o_med / t_med:.2f} | {o_min / t_min:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
