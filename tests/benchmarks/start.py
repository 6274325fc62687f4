"""A function's first invocation in a new process: `python -I -S start.py HANDLER EVENT ABSENT SITE...`.

ABSENT is a package that shall not be there for it. Prints the seconds until its module is imported, clients included,
and those of the invocation.
"""

import sys
import time

began = time.perf_counter()
handler, event, absent, *sites = sys.argv[1:]
sys.path[:0] = sites
sys.path.append(__file__.rsplit("/tests/", 1)[0])


class _Absence:
    def find_spec(self, name: str, *_: object) -> None:
        if name == absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, _Absence())

import json  # noqa: E402
from importlib import import_module  # noqa: E402

lambda_handler = import_module(f"tests.benchmarks.handlers.{handler}").lambda_handler
imported = time.perf_counter()
answer = lambda_handler(json.loads(event), None)
ended = time.perf_counter()
if answer and answer.get("batchItemFailures"):
    raise SystemExit(f"The invocation failed: {answer}")
sys.stdout.write(f"\n{imported - began} {ended - imported}\n")
