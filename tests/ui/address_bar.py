"""A browser's address bar without a browser."""


class Query(dict):
    """The parameters of the address, as `st.query_params` gives them."""

    def get_all(self, name):
        return list(self.get(name, ()))

    def from_dict(self, params):
        self.clear()
        self.update(params)
