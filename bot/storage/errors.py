"""What the storage says when it cannot go on: one line, with what to do and without anybody's answers."""


class StorageError(Exception):
    """The database cannot be used, or refused a statement; nothing of the transaction was kept."""
