"""The transformer as it is."""

from services.songs.handler import lambda_handler

__all__ = ["lambda_handler"]
