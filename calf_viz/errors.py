"""Errors that people can act on."""


class UserError(Exception):
    """Something the user can put right.

    The message is one line that says what is wrong, where, and what to do. The command line
    prints that line alone and ends with `exit_code`.
    """

    exit_code = 2
