"""The rendered world that the embedded models are trained on, and the program that trains them.

`python -m text2art_nb.training.train all` trains every checkpoint of `text2art_nb.models.embedded` from nothing,
in a folder of its own. Imported by no other package.
"""
