"""Written by `make generate`."""

from contracts.tables import TABLES
from services.charts.transform import charts
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["charts"], transform=charts)
