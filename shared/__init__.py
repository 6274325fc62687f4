"""How a service does its work: events, lake, Parquet, the worker's loop, errors, settings and telemetry."""
