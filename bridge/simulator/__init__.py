"""A Haivision Media Platform to talk to when there is none: the server side of the guide.

`World` is all that an HMP knows, without any I/O; `server` puts it on TCP port 23233, `control` on
a second port for whoever plays "somebody in the web pages", and `faults` and `knobs` make it fail
and differ the way real ones may. ``python -m bridge.simulator`` runs it on its own.

Import what is needed from the modules themselves: the pure ones (`world`, `worldfile`, `knobs`,
`faults`, `messages`, `lines`) load neither Trio nor a socket.
"""
