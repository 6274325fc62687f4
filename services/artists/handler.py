from shared.worker import transformer

from contracts.tables.artists import ARTISTS
from services.artists.transform import artists

lambda_handler = transformer(table=ARTISTS, transform=artists)
