"""Arrays in, Plotly figures out: pure functions, tested without a browser, in one colour-blind-safe palette."""
