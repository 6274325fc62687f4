from contracts.tables.playlist_metadata import PLAYLIST_METADATA
from services.playlist_metadata.transform import playlist_metadata
from shared.worker import transformer

lambda_handler = transformer(
    table=PLAYLIST_METADATA,
    transform=playlist_metadata,
    gauges=("features_coverage", "popularity_coverage", "genres_coverage"),
)
