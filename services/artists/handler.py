"""Written by `make generate`."""

from contracts.tables import TABLES
from services.artists.transform import artists
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["artists"], transform=artists)
