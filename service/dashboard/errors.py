"""Every error the dashboard's storage raises on purpose.

ReadOnlyStorage     something tried to write
"""


class ReadOnlyStorage(Exception):
    """The dashboard shows jobs; they change through the API and their worker alone."""

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} was refused: this storage is read-only")
