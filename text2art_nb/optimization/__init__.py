"""The optimization loop and what it is made of: views, targets, losses, filters, motion, events."""
