"""The original pixray as an engine: its installation, its process, its arguments."""
