"""Controls made from the declarations: losses, noise, data and recipes, and plain fields for a view's state."""

from ui.controls.fields import class_count, pick, switch
from ui.controls.losses import DATA_NAMES, live, loss_list, only_loss, presets, series, slider, slider_key, swatch
from ui.controls.noise import noise
from ui.controls.recipe import data, rate, recipe
from ui.glossary import hint

__all__ = [
    "DATA_NAMES",
    "class_count",
    "data",
    "hint",
    "live",
    "loss_list",
    "noise",
    "only_loss",
    "pick",
    "presets",
    "rate",
    "recipe",
    "series",
    "slider",
    "slider_key",
    "swatch",
    "switch",
]
