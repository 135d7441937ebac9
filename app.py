"""The router, and the server around it. Workers execute this file again under another name, hence the guards."""

if __name__ == "__main__":  # executed by Streamlit for a reader
    from ui.shell import run

    run()
elif __name__ == "app":  # imported once by `streamlit run`, which looks for a server called `app`
    import streamlit as st

    from ui.server import MIDDLEWARE, apologise, lifespan, routes

    app = st.App("app.py", lifespan=lifespan, middleware=MIDDLEWARE, routes=routes(), on_script_error=apologise)
