"""A run behind HTTP: pictures in, what `predict` says out.

    request → `uploads` its pictures → `classify` decodes → `batching` one forward pass of what waits → JSON

`app` puts them together, `run_server` opens the port and ends in order, `gate` lets in who names this
machine.
"""
