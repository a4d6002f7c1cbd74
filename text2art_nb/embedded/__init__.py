"""The small models that ship with text2art, the rendered world they were trained on, and the program that trains them.

`python -m text2art_nb.embedded.train all` makes everything under `weights/` again from nothing, in a folder of its own.
"""
