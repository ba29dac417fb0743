"""The page of the format `web`, the runtime that comes beside it, and the browser that it is checked in."""
