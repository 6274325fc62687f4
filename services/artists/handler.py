from contracts.tables.artists import ARTISTS
from services.artists.transform import artists
from shared.worker import transformer

lambda_handler = transformer(table=ARTISTS, transform=artists)
