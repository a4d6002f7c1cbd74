"""The commands that only say something: inspect, models, doctor."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from text2art_nb.cli.invocation import command
from text2art_nb.cli.process_clock import Clock
from text2art_nb.errors import Text2ArtError

if TYPE_CHECKING:
    from text2art_nb.runs.self_check import SelfCheck


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
    """Say what is broken here, and how to mend it; with --real after trying it out with real models.

    Raises:
        SettingsError: a drawer that isn't one.
        RunError: a device that isn't there.
    """
    from text2art_nb.runs import doctor as the_doctor

    if options.real:
        try:
            from text2art_nb.runs.self_check import SelfCheck
        except (ImportError, OSError) as error:  # OSError: a library of the system's that torch wants is missing
            print(f"text2art: real models can't be tried out: {error}", file=sys.stderr)
        else:
            return _print_self_check(SelfCheck(options.only, options.device or "auto", tell=_tell), options.json)
    for name in ("only", "device"):
        if not options.real and getattr(options, name) is not None:
            raise Text2ArtError(f"--{name} is for the check with real models: {command('doctor', '--real')}")
    checks = the_doctor.report()
    ok = the_doctor.is_well(checks)
    if options.json:
        print(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        print(the_doctor.text(checks))
    return 0 if ok and not options.real else 1


def _print_self_check(check: "SelfCheck", as_json: bool) -> int:
    """0 if all is well, 1 if something is broken, 130 after Ctrl-C; what was found is printed in each case."""
    check.run()
    print(json.dumps(check.data, indent=2, ensure_ascii=False) if as_json else check.block)
    return 130 if check.interrupted else 0 if check.ok else 1


def _tell(sentence: str) -> None:
    print(f"text2art: {sentence}", file=sys.stderr, flush=True)
