from contracts.tables.songs import SONGS
from services.songs.transform import songs
from shared.worker import transformer

lambda_handler = transformer(table=SONGS, transform=songs)
