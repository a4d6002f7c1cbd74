"""The machine that a picture is drawn on: file systems, graphics cards."""
