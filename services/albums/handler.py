"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from contracts.tables import TABLES
from services.albums.transform import albums
from shared.invocation import ready
from shared.worker import transformer

lambda_handler = ready(transformer(table=TABLES["albums"], transform=albums))
