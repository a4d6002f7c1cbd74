"""Deprecated name of `text2art_nb.training`."""
