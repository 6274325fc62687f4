"""Written by `make generate`."""

from contracts.tables import TABLES
from services.track_features.transform import track_features
from shared.worker import transformer

lambda_handler = transformer(table=TABLES["track_features"], transform=track_features)
