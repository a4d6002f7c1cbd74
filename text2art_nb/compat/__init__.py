"""The originals: clipit's and pixray's calls, which drive text2art's engine, and pixray's engine in its own process.

>>> from text2art_nb.compat import clipit
>>> clipit.add_settings(prompts="underwater city")
>>> settings = clipit.apply_settings()
>>> clipit.do_init(settings)
>>> clipit.do_run(settings)
"""
