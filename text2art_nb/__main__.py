"""``python -m text2art_nb "an underwater city"``: the command line."""

import atexit
import gc
import sys

from text2art_nb.cli.process_clock import Clock


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit code: 0, 2 for an error of the user's, 130 if it was stopped.

    Args:
        arguments: the words after the program's name; None: the process's own.
    """
    clock = Clock()
    # Else the interpreter ends with a second's search for garbage in all that was imported.
    atexit.register(gc.freeze)
    from text2art_nb.cli.parser import parse
    from text2art_nb.errors import Text2ArtError

    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        code: int = options.do(options, clock)
        return code
    except Text2ArtError as error:
        print(f"text2art: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntext2art: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has had enough of it
        sys.stderr.close()
        return 1


if __name__ == "__main__":
    sys.exit(main())
