"""A page that behaves as Colab's does, in a real browser: what of it is real and what isn't stands in README.md."""
