"""Put finished things out of the way."""
import shutil


def archive(note: str, year: int) -> str:
    """Move a done project to Archive/<year>/."""
    return ""


def purge_trash(older_than_days: int = 30) -> int:
    """Remove for good what has been in the bin for a while."""
    return 0
