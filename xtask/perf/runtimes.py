"""Runtimes for inference beside `cargo xtask perf speed`: they run the network of `reference.py`, which PyTorch exports, map and score included.

    load SIZE DEVICE PRECISION   ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
    run infer-N                  scores N images                     -> SECONDS SCORE
    peak                         -> peak memory of the process in MiB

`runtimes.py RUNTIME`, which is onnxruntime or openvino. A graph is for one number of images, so that nothing is left to be found out about shapes.
"""
import os
import subprocess
import sys
import tempfile
import time

import numpy

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))


def export(size, count, file):
    """Writes the network as an ONNX graph. In a process of its own, so that PyTorch's memory is not the runtime's."""
    import torch
    import torch.nn.functional as F
    from reference import Scorer
    from scipy.ndimage import gaussian_filter1d

    impulse = numpy.zeros(33)
    impulse[16] = 1
    kernel = torch.from_numpy(gaussian_filter1d(impulse, 4)).float()

    class Graph(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scorer = Scorer(size)

        def forward(self, images):
            features = self.scorer.features(images)
            total = 0
            for a, b in zip(features, self.scorer.auto_encoder(features)):
                distance = 1 - F.cosine_similarity(a, b)
                total = total + F.interpolate(distance[:, None], size=size, mode="bilinear", align_corners=True)
            smooth = F.conv2d(F.pad(total, (16, 16, 0, 0), "reflect"), kernel.reshape(1, 1, 1, -1))
            smooth = F.conv2d(F.pad(smooth, (0, 0, 16, 16), "reflect"), kernel.reshape(1, 1, -1, 1))
            return smooth, smooth.flatten(1).topk(100).values.mean(1)

    torch.manual_seed(0)
    images = torch.zeros(count, 3, size, size)
    torch.onnx.export(Graph().eval(), (images,), file, input_names=["images"], output_names=["map", "score"], dynamo=True,
                      external_data=False, verbose=False)


def onnxruntime_session(file, _precision):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["map", "score"], {"images": images})[1]


def openvino_session(file, precision):
    import openvino

    compiled = openvino.Core().compile_model(file, "CPU", {
        "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision,
    })
    return lambda images: compiled({"images": images})["score"]


def main():
    if sys.argv[1] == "--export":
        return export(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    make = {"onnxruntime": onnxruntime_session, "openvino": openvino_session}[sys.argv[1]]
    random, sessions = numpy.random.default_rng(0), {}
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "load":
            size, _device, precision = argument.split()
            print("loaded", flush=True)
        elif command == "run":
            count = int(argument.removeprefix("infer-"))
            if count not in sessions:
                with tempfile.TemporaryDirectory() as folder:
                    file = os.path.join(folder, "network.onnx")
                    subprocess.run([sys.executable, __file__, "--export", size, str(count), file], check=True, stdout=sys.stderr)
                    sessions[count] = make(file, precision)
            images = random.uniform(-2, 2, (count, 3, int(size), int(size))).astype(numpy.float32)
            start = time.perf_counter()
            score = sessions[count](images)
            print(time.perf_counter() - start, score[0], flush=True)
        elif command == "peak":
            import resource

            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


if __name__ == "__main__":
    main()
