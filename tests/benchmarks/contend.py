"""One contender at one document: `python -I -S contend.py SITE CONTENDER DOCUMENT FOLDER ABSENT ARGUMENT...`.

ABSENT is a package that shall not be there for it. Prints the seconds of its imports and those from the document in
memory to the files. What was imported is frozen for each, as Earworm's workers do it when they are ready.
"""

import gc
import sys
import time

began = time.perf_counter()
site, contender, document, folder, absent, *arguments = sys.argv[1:]
sys.path[:0] = [site]
sys.path.append(__file__.rsplit("/tests/", 1)[0])


class _Absence:
    def find_spec(self, name: str, *_: object) -> None:
        if name == absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, _Absence())

from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

write = import_module(f"tests.benchmarks.contenders.{contender}").write
body = Path(document).read_bytes()
gc.freeze()
imported = time.perf_counter()
write(body, Path(folder), *arguments)
sys.stdout.write(f"{imported - began} {time.perf_counter() - imported}\n")
