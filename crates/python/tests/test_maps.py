"""Pixel metrics on sets of maps of every form, against definitions written out in NumPy."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ckaad import metrics


def some(images: int = 6, height: int = 20, width: int = 30) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    masks = np.zeros((images, height, width), dtype=bool)
    for image in range(0, images, 2):
        row, column = random.integers(0, 10, 2)
        masks[image, row : row + 4, column : column + 6] = True
        masks[image, row + 6 : row + 9, column + 8 : column + 10] = True
    maps = random.normal(masks * 1.5, 1.0).astype(np.float32)
    return maps, masks


def regions(mask: np.ndarray) -> list[np.ndarray]:
    """The 8-connected regions of a mask, by flooding."""
    left, found = mask.copy(), []
    while left.any():
        region = np.zeros_like(mask)
        region[tuple(np.argwhere(left)[0])] = True
        while True:
            grown = region.copy()
            for rows in (-1, 0, 1):
                for columns in (-1, 0, 1):
                    moved = np.zeros_like(region)
                    source = region[max(-rows, 0) : region.shape[0] - max(rows, 0), max(-columns, 0) : region.shape[1] - max(columns, 0)]
                    moved[max(rows, 0) : moved.shape[0] + min(rows, 0), max(columns, 0) : moved.shape[1] + min(columns, 0)] = source
                    grown |= moved & mask
            if (grown == region).all():
                break
            region = grown
        found.append(region)
        left &= ~region
    return found


def aupro_by_definition(maps: np.ndarray, masks: np.ndarray, limit: float) -> float:
    parts = [image[region] for image, mask in zip(maps, masks) for region in regions(mask)]
    normal = maps[~masks]
    fpr, pro = [0.0], [0.0]
    for threshold in np.unique(maps)[::-1]:
        fpr.append((normal >= threshold).mean())
        pro.append(np.mean([(part >= threshold).mean() for part in parts]))
    return area(np.array(fpr), np.array(pro), limit)


def area(x: np.ndarray, y: np.ndarray, limit: float) -> float:
    """The area under straight lines between points, up to a limit and divided by it."""
    total = 0.0
    for x0, y0, x1, y1 in zip(x[:-1], y[:-1], x[1:], y[1:]):
        if x0 >= limit or x1 == x0:
            continue
        end = min(x1, limit)
        at_end = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
        total += (end - x0) * (y0 + at_end) / 2
    return total / limit


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
def test_aupro_is_its_definition(limit: float) -> None:
    maps, masks = some()
    expected = aupro_by_definition(maps, masks, limit)
    assert metrics.aupro(maps, masks, limit) == pytest.approx(expected, abs=1e-9)
    binned = metrics.aupro_binned(maps, masks, limit, bins=500)
    assert abs(binned.value - expected) <= binned.error_bound + 1e-9


def test_pixels_are_samples() -> None:
    maps, masks = some()
    scores, labels = maps.ravel(), masks.ravel()
    assert metrics.pixel_auroc(maps, masks) == metrics.auroc(scores, labels)
    assert metrics.pixel_average_precision(maps, masks) == metrics.average_precision(scores, labels)
    assert metrics.pixel_oracle_f1_max(maps, masks) == metrics.oracle_f1_max(scores, labels)


def test_any_form_of_a_set_gives_the_same() -> None:
    maps, masks = some()
    expected = metrics.PixelRanking(maps, masks).figures(0.3)
    padded = np.zeros((6, 25, 40), dtype=np.float32)
    padded[:, 2:22, 5:35] = maps
    with_none = [mask if mask.any() else None for mask in masks]
    for same_maps, same_masks in [
        (maps.astype(np.float64), masks),
        (padded[:, 2:22, 5:35], masks.astype(np.uint8) * 255),
        (list(maps), list(masks)),
        (list(padded[:, 2:22, 5:35]), with_none),
        (maps, with_none),
        (np.asfortranarray(maps), np.asfortranarray(masks)),
        (maps[::-1], masks[::-1].astype(np.float32)),
        (maps.tolist(), masks.tolist()),
    ]:
        assert metrics.PixelRanking(same_maps, same_masks).figures(0.3) == expected


def test_maps_of_many_sizes() -> None:
    maps, masks = some(2)
    ragged = [maps[0], maps[1][:7], np.zeros((3, 50), dtype=np.float32)]
    of_ragged = [masks[0], masks[1][:7], None]
    scores = np.concatenate([each.ravel() for each in ragged])
    labels = np.concatenate([masks[0].ravel(), masks[1][:7].ravel(), np.zeros(150, dtype=bool)])
    assert metrics.pixel_auroc(ragged, of_ragged) == metrics.auroc(scores, labels)
    assert metrics.PixelRanking(ragged, of_ragged).images == 3


def test_accumulators_see_what_the_set_holds() -> None:
    maps, masks = some()
    expected = metrics.PixelRanking(maps, masks).figures(0.3)
    parts = [metrics.PixelAccumulator(), metrics.PixelAccumulator()]
    threads = [
        threading.Thread(target=lambda part=part, first=first: [part.push(maps[i], masks[i]) for i in range(first, 6, 2)])
        for first, part in enumerate(parts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts[0].merge(parts[1])
    assert parts[0].images == 6 and parts[0].held_bytes == 4 * maps.size + 4 * masks.sum()
    ranking = parts[0].finish()
    assert ranking.figures(0.3) == expected and ranking.aupro() == expected.aupro
    assert (ranking.auroc(), ranking.average_precision()) == (expected.auroc, expected.average_precision)
    for used in parts:
        with pytest.raises(ValueError, match="was finished, or merged"):
            used.push(maps[0])
    binned = metrics.BinnedPixelAccumulator(-6, 6, bins=1000)
    for map, mask in zip(maps, masks):
        binned.push(map, mask)
    figures = binned.figures()
    assert figures.bins == 1000 and binned.images == 6
    assert abs(figures.auroc.value - expected.auroc) <= figures.auroc.error_bound + 1e-12
    assert abs(figures.aupro.value - expected.aupro) <= figures.aupro.error_bound + 1e-12


def test_pro_of_images() -> None:
    scores = ((np.arange(100) * 37) % 100).astype(np.float32)
    mask = (scores > 80) & (scores != 90)
    maps, masks = [scores.reshape(10, 10)] * 2, [mask.reshape(10, 10), None]
    assert metrics.pro_per_image(maps, masks) == pytest.approx(0.979938, abs=1e-6)
    assert metrics.pro_of_map(maps[0], masks[0]) == metrics.pro_per_image(maps, masks)
    assert metrics.pro_of_map(maps[0], None) is None
    with pytest.raises(ValueError, match="image 4: its PRO curve is undefined"):
        metrics.pro_of_map(np.zeros((2, 2)), np.array([[1, 0], [0, 0]]), image=4)


def raised_by(call: object) -> str:
    with pytest.raises(ValueError) as raised:
        call()
    return str(raised.value)


def test_errors_name_the_image() -> None:
    maps, masks = some(3)
    broken = maps.copy()
    broken[1, 2, 3] = np.inf
    assert raised_by(lambda: metrics.pixel_auroc(broken, masks)) == (
        "image 1, row 2, column 3: the score is inf; scores must be finite"
    )
    large = maps.astype(np.float64)
    large[2, 0, 1] = 1e300
    assert "image 2, row 0, column 1: the score is inf" in raised_by(lambda: metrics.pixel_auroc(large, masks))
    assert raised_by(lambda: metrics.aupro(list(maps), [None, masks[1][:5], None])) == (
        "image 1: the mask has 150 pixels but its map is 20 x 30"
    )
    assert "has the shape [30, 20]" in raised_by(lambda: metrics.aupro(list(maps), [None, masks[1].T, None]))
    assert "3 maps but 2 masks" in raised_by(lambda: metrics.aupro(maps, masks[:2]))
    assert "no anomalous pixel in the masks of 3 images" in raised_by(lambda: metrics.aupro(maps, None))
    assert raised_by(lambda: metrics.aupro(maps, masks, 1.5)) == "AUPRO limit is 1.5: it must be greater than 0 and at most 1"
    assert raised_by(lambda: metrics.aupro(maps, masks, connectivity=6)) == "connectivity is 6: it must be 4 or 8"
    assert "image 0: its map has 1 dimensions" in raised_by(lambda: metrics.aupro(maps[0], masks[0]))
    one = metrics.PixelAccumulator()
    assert "merged with itself" in raised_by(lambda: one.merge(one))
    other = metrics.PixelAccumulator(connectivity=4)
    other.push(maps[0], masks[0])
    assert "they differ in connectivity" in raised_by(lambda: one.merge(other))
    assert other.images == 1
