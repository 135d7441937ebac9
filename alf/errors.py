"""What goes wrong because of what a person typed, as opposed to a defect of ours."""


class InputError(ValueError):
    """Bad input: one sentence that names the thing, the allowed set and the value.

    The command line prints it and exits with status 2, a page shows it in place; nothing else reaches a person.
    """
