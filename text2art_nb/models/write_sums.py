"""Notes what the embedded files are, after new ones have come: ``python -m text2art_nb.models.write_sums``."""

from text2art_nb.models.embedded import write_sums

if __name__ == "__main__":
    print(write_sums())
