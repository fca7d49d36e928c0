"""The members of a zip file, within bounds: docx, epub and odt are zip files."""

import io
import zipfile

from index.types import Unreadable

LARGEST_CONTENT = 300_000_000  # Bytes unpacked; a book has a hundredth of it.
MOST_MEMBERS = 20_000


def open_archive(content: bytes) -> zipfile.ZipFile:
    """A zip file that is safe to unpack. Raises Unreadable for a broken one or a bomb."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Unreadable("damaged: it cannot be unpacked") from error
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise Unreadable("encrypted: save it without a password")
    # zipfile stops reading a member where its own header says it ends.
    if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > LARGEST_CONTENT:
        raise Unreadable(f"unpacks to more than {LARGEST_CONTENT // 1_000_000} MB")
    return archive
