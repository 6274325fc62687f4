"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from contracts.tables import TABLES
from services.track_features.transform import track_features
from shared.invocation import ready
from shared.worker import transformer

lambda_handler = ready(transformer(table=TABLES["track_features"], transform=track_features))
