"""What a run leaves: the artwork, its frames, encoders, sprites, enlargement, output paths."""
