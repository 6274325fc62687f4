from shared.worker import transformer

from contracts.tables.songs import SONGS
from services.songs.transform import songs

lambda_handler = transformer(table=SONGS, transform=songs)
