"""`earworm`, the operator's console."""

import gc
import os
import sys

gc.set_threshold(200_000)  # hardly any of what a command imports and reads is garbage

from infra.cli.app import app
from infra.cli.screen import ConsoleError, complain


def main() -> None:
    """Runs the console. Its exit code is 0 when it is done, 1 when it failed or found something, 2 for wrong usage."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
            if "duckdb" not in sys.modules:  # which complains of all that outlives it
                gc.freeze()  # what is left goes with the process, which otherwise ends with a search for garbage in it
    except ConsoleError as fault:
        complain(str(fault))
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        _discard_output()  # the reader has closed the pipe
    except Exception as fault:
        if isinstance(fault, OSError):
            _discard_output()
        # It imports what raises them, which is nearly everything.
        from infra.cli.refusals import sentence_about  # noqa: PLC0415

        sentence = sentence_about(fault)
        if sentence is None:
            raise
        complain(sentence)
    sys.exit(1)


def _discard_output() -> None:
    """Drops unwritten output, so that Python does not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
