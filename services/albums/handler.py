from contracts.tables.albums import ALBUMS
from services.albums.transform import albums
from shared.worker import transformer

lambda_handler = transformer(table=ALBUMS, transform=albums)
