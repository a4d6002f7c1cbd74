"""Colab's own package, as far as a notebook may ask for it, where a mini Colab page answers."""

from google.colab import drive, files, output

__all__ = ["drive", "files", "output"]
