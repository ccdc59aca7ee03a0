# %% [markdown]
# # First steps
# Trains on *synthetic* pictures with random features, so that it needs no data and no download: `python examples/first_steps.py [FOLDER]`. With
# pictures of your own name their folders, and leave `random_features` and `image_size` out.

# %%
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import ckaad

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
random = np.random.default_rng(1)


def picture(defect: bool) -> np.ndarray:
    """A woven texture, [96, 96, 3] of uint8; with a defect a few of its threads are torn."""
    rows, columns = np.mgrid[:96, :96]
    weave = 128 + 40 * np.sin(rows * 0.7 + random.uniform(0, 6)) + 40 * np.sin(columns * 0.7 + random.uniform(0, 6))
    if defect:
        row, column = random.integers(10, 66, 2)
        weave[row : row + 20, column : column + 20] = 230
    noisy = weave[..., None] + random.normal(0, 6, (96, 96, 3))
    return noisy.clip(0, 255).astype(np.uint8)


for name, defect, count in [("good", False, 48), ("test/good", False, 10), ("test/torn", True, 10)]:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(picture(defect)).save(folder / name / f"{number:02}.png")

# %% [markdown]
# ## Train, and look at the figures

# %%
run = ckaad.train(
    folder / "run",
    normal=folder / "good",
    test=folder / "test",
    detector="padim",
    image_size=96,
    random_features=True,
)
figures = ckaad.evaluate(run)["last"]
print(f"image AUROC {figures['image']['image_auroc']:.3f}")
print(f"threshold {figures['threshold']['value']:.3f}: {figures['threshold']['rule']}")

# %% [markdown]
# ## Score pictures

# %%
model = ckaad.Predictor(run)
batch = np.stack([picture(defect) for defect in (False, True, False, True)])
found = model.predict(batch)
for score, p_value, anomalous in zip(found.scores, found.p_values, found.anomalous):
    print(f"score {score:.2f}, p-value {p_value:.3f}:", "anomalous" if anomalous else "normal")

# The map of the second one, from black to white.
low, high = model.info["maps"]["range"]
heat = ((found.maps[1] - low) / (high - low)).clip(0, 1)
Image.fromarray((255 * heat).astype(np.uint8)).save(folder / "heat.png")

# %% [markdown]
# ## Metrics of anything

# %%
scores = model.predict(folder / "test").scores
labels = np.repeat([False, True], 10)
rule = ckaad.metrics.ThresholdRule.target_fpr(0.1)
print("AUROC", ckaad.metrics.auroc(scores, labels))
print("at the threshold that flags one in ten:", ckaad.metrics.Confusion.at_threshold(scores, labels, rule.fit(scores, labels)))
