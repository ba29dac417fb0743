"""The app as `make app` serves it: `streamlit run server.py`, the pages behind the gate that lets in requests
for this machine's own names alone. `streamlit_app.py` can be run by itself too, without the gate."""

import streamlit as st
from starlette.middleware import Middleware

from tl_ui.frame.gate import Gate

app = st.App("streamlit_app.py", middleware=[Middleware(Gate)])
