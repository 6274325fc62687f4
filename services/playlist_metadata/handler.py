"""Written by `make generate`."""

from contracts.tables import TABLES
from services.playlist_metadata.transform import playlist_metadata
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["playlist_metadata"], transform=playlist_metadata)
