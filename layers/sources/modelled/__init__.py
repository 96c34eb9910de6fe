"""A modelled Hangzhou: real facts where facts may be carried, modelled ones where not."""

from layers.sources.modelled.build import NOTES, SEED, Layers, Progress, build_layers
from layers.sources.modelled.settings import MODEL_VERSION, SETTINGS, Size

__all__ = [
    "MODEL_VERSION",
    "NOTES",
    "SEED",
    "SETTINGS",
    "Layers",
    "Progress",
    "Size",
    "build_layers",
]
