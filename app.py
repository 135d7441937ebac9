"""The router. Worker processes execute this file again under another name, hence the guard and the thin import."""

if __name__ == "__main__":
    from ui.shell import run

    run()
