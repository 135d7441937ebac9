"""Streamlit pieces that the pages share: the shell, the link, the controls, the charts."""
