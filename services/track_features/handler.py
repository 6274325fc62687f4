from contracts.tables.track_features import TRACK_FEATURES
from services.track_features.transform import track_features
from shared.worker import transformer

lambda_handler = transformer(table=TRACK_FEATURES, transform=track_features)
