"""The service: web page, API, queue and workers on one port. An optional extra; nothing outside imports it unasked."""
