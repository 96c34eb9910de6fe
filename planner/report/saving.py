"""Writing a file whole or not at all; see `layers.saving`."""

from layers.saving import save_text

__all__ = ["save_text"]
