"""The app's server: `streamlit run` finds `app` here, and serves `page.py` with the headers of `guard`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from agent.ui.guard import Guard

app = st.App(Path(__file__).with_name("page.py"), middleware=[Middleware(Guard)])
