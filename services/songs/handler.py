"""Written by `make generate`."""

from contracts.tables import TABLES
from services.songs.transform import songs
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["songs"], transform=songs)
