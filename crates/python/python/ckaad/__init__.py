"""Fine-grained visual anomaly detection: metrics, training and scoring.

>>> import ckaad
>>> ckaad.metrics.auroc([0.1, 0.5, 0.25, 0.75], [0, 0, 1, 1])
0.75

`ckaad.metrics`    exact metrics of scores and anomaly maps
`ckaad.train`      trains a detector, as `ckaad train` does
`ckaad.compare`    trains several and recommends one
`ckaad.evaluate`   figures of a run on its test images
`ckaad.Predictor`  scores images with a trained model
`ckaad.export_onnx`  writes a trained model for other programs
"""

from . import metrics
from ._ckaad import CkaadError, Predictions, __version__, devices
from ._export import export_onnx
from ._predictor import Predictor
from ._training import compare, evaluate, resume, train

__all__ = [
    "CkaadError",
    "Predictions",
    "Predictor",
    "__version__",
    "compare",
    "devices",
    "evaluate",
    "export_onnx",
    "metrics",
    "resume",
    "train",
]
