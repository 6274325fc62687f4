from shared.worker import transformer

from contracts.tables.albums import ALBUMS
from services.albums.transform import albums

lambda_handler = transformer(table=ALBUMS, transform=albums)
