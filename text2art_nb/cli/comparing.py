"""The command that draws one prompt with several drawers: compare."""

import argparse
import sys
from pathlib import Path

from text2art_nb.artwork import kind_of_sheet
from text2art_nb.cli.clock import Clock
from text2art_nb.cli.parser import given_settings
from text2art_nb.places import FOLDER, slug
from text2art_nb.settings import Settings


def compare(options: argparse.Namespace, _: Clock) -> int:
    """Draw, write the contact sheet, and print where it is; who was left out and why goes to stderr."""
    settings = Settings(**given_settings(options))
    if options.out is not None:
        kind_of_sheet(Path(options.out))
    from text2art_nb.comparison import compare as draw_all

    comparison = draw_all(settings, options.drawers)
    seed = next(iter(comparison.artworks.values())).settings.seed
    place = Path(options.out) if options.out else FOLDER / f"{slug(settings.prompts)}-{seed}-compared.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    print(comparison, file=sys.stderr)
    print(comparison.save(place))
    return 0
