"""Stands in for Colab's own package, as far as a notebook may ask for it. What was asked is written down."""

from google.colab import drive, files, output

__all__ = ["drive", "files", "output"]
