"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from contracts.tables import TABLES
from services.playlist_metadata.transform import playlist_metadata
from shared.invocation import ready
from shared.worker import transformer

lambda_handler = ready(transformer(table=TABLES["playlist_metadata"], transform=playlist_metadata))
