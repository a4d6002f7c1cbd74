"""The commands that only say something: inspect, models, doctor."""

import argparse
import json

from text2art_nb.cli.process_clock import Clock


def inspect(options: argparse.Namespace, _: Clock) -> int:
    """Print what is in a picture's recipe."""
    from text2art_nb.artifacts.artwork import Artwork

    found = Artwork.inspect(options.file, trusted=options.trust)
    text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)
    # What a terminal might obey (U+009B starts an escape sequence) stays escaped, which JSON allows.
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))
    return 0


def models(options: argparse.Namespace, _: Clock) -> int:
    """Print what weights are known, where they come from, and which are on disk."""
    from text2art_nb import models as weights
    from text2art_nb.cli import model_table

    print(json.dumps(weights.rows(), indent=2) if options.json else model_table.text())
    return 0


def doctor(options: argparse.Namespace, _: Clock) -> int:
    """Say what is broken here, and how to mend it."""
    from text2art_nb.runs import doctor as the_doctor

    return int(the_doctor.main())
