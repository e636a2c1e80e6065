"""Fuzz targets: bytes that nobody thought of, against the two readers of what strangers send."""
