"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `transformer` freezes it and enables the collector again

from contracts.tables import TABLES
from services.track_features.transform import track_features
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["track_features"], transform=track_features)
