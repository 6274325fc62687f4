"""Written by `make generate`."""

from contracts.tables import TABLES
from services.albums.transform import albums
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["albums"], transform=albums)
