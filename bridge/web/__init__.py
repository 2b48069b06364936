"""The web door: everything that the bridge says over HTTP, and what is asked of rooms there (R34).

::

    connection ─▶ listening ─▶ anycorn ─▶ gate ─▶ door ─┬─▶ pages, static files
                                                        ├─▶ events ◀── feed ◀── Outlet
                                                        ├─▶ rooms ─▶ Callers ─▶ Admission ─▶ Room
                                                        └─▶ metrics and health, from elsewhere

`access` knows the secrets and `guesses` slows down who tries some, `views` renders a room. The
page itself is in `static`. An extra: nothing here is loaded where nothing listens.
"""
