"""Deprecated name of ``python -m text2art_nb.training.train``."""

import warnings

from text2art_nb.training.train import main

__all__ = ["main"]

warnings.warn("text2art_nb.embedded.train is called text2art_nb.training.train now", DeprecationWarning, stacklevel=2)

if __name__ == "__main__":
    main()
