"""The palette keeps losses apart: for every kind of colour vision, on both themes, in every run."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from alf.figures.palette import HUES, dark_table, rgb, style, styles
from alf.losses import catalogue

PAGES = {"light": "#FCFCFA", "dark": "#13161B"}
HEADLINE = ("ce", "gce", "mae", "agce", "aul", "ael", "nce")
# Machado, Oliveira, Fernandes 2009, severity 1, in linear RGB.
VISION = {
    "ordinary": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(color):
    c = np.array(rgb(color)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return float(linear(color) @ [0.2126, 0.7152, 0.0722])


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = xyz / [0.9505, 1, 1.089]
    f = np.where(f > 0.008856, np.cbrt(f), 7.787 * f + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def of(theme, chosen):
    return chosen.color if theme == "light" else chosen.dark


@pytest.mark.parametrize("theme", PAGES)
@pytest.mark.parametrize("hue", HUES)
def test_contrast_is_enough_for_a_line(theme, hue):
    color = HUES[hue][theme == "dark"]
    high, low = sorted((luminance(color), luminance(PAGES[theme])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 3


@pytest.mark.parametrize("theme", PAGES)
@pytest.mark.parametrize("vision", VISION)
def test_headline_losses_stay_apart(theme, vision):
    seen = [lab(np.clip(np.array(VISION[vision]) @ linear(of(theme, style(key))), 0, 1)) for key in HEADLINE]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


def test_every_catalogue_loss_has_a_line_of_its_own():
    lines = [(style(key).color, style(key).dash) for key in catalogue()]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("key", catalogue())
def test_configurations_of_one_loss_differ_and_keep_the_first(key):
    six = styles([key] * 6)
    assert six[0] == style(key)
    assert len({(s.color, s.dash) for s in six}) == 6


def test_a_loss_keeps_its_colour_whatever_stands_beside_it():
    assert styles(["mae", "ce", "agce"])[2] == styles(["agce"])[0]


def test_unknown_keys_keep_their_colour_between_runs():
    code = "from alf.figures.palette import style; print(style('formula:exp(-u/2)'))"
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(runs) == 1 and "Style" in runs.pop()


def test_every_colour_has_its_dark_counterpart():
    chosen = styles(list(catalogue()))
    table = dark_table(chosen)
    assert all(table[s.color] == s.dark for s in chosen)
