"""Controls made from the declarations: losses, noise and plain fields for a view's state."""

from ui.controls.fields import class_count, pick, rate_slider, switch
from ui.controls.hyperparameters import live_curves
from ui.controls.losses import loss_list, only_loss, series
from ui.controls.noise import noise
from ui.words.glossary import hint

__all__ = [
    "class_count",
    "hint",
    "live_curves",
    "loss_list",
    "noise",
    "only_loss",
    "pick",
    "rate_slider",
    "series",
    "switch",
]
