"""The service: web page, API, queue and workers on one port. An optional extra, imported only on demand."""
