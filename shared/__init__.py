"""The runtime of a service: events, lake, Parquet, the worker's loop, errors, settings and telemetry."""
