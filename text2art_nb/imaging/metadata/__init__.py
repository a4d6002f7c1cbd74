"""Recipes inside files: how a PNG, GIF, MP4 or JPEG carries the settings that drew it, and how they are read back.

Each format is one module with two functions. ``embed`` puts a recipe's text into a file that this program has just
encoded; ``read`` walks a file from anybody, as data, with own bounded readers: no size in it is believed, nothing in it
is executed, and no pixel is decoded.
"""
