"""Written by `make generate`."""

import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from contracts.tables import TABLES
from services.charts.transform import charts
from shared.invocation import ready
from shared.worker import transformer

lambda_handler = ready(transformer(table=TABLES["charts"], transform=charts))
