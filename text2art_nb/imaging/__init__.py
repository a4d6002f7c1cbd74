"""Image files, palettes, colors, and tensors as pictures."""
