"""Names of archive members made safe: what a member may be called on our disk."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSAFE = re.compile('[<>:"|?*]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_OF_THE_SYSTEM = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class NameLimits:
    """How long a part of a name and the whole may be, in UTF-8 bytes, and how many parts deep."""

    part: int = 200
    total: int = 1000
    depth: int = 20


def clean_name(name: str, limits: NameLimits) -> tuple[PurePosixPath | None, str]:
    """Turn a member's name into a safe relative path.

    Parameters
    ----------
    name : str
        As the archive spells it; backslashes part folders, as some Windows programs write them.
    limits : NameLimits

    Returns
    -------
    path : PurePosixPath or None
    reason : str
        Why there is no path; empty if there is one.
    """
    reason = _why_refused(name)
    if reason:
        return None, reason
    parts = [_clean(part) for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    reason = _why_too_long(parts, limits)
    return (None, reason) if reason else (PurePosixPath(*parts), "")


def folded(path: PurePosixPath) -> str:
    """Spelling under which a disk that makes no difference of capitals knows a path."""
    return unicodedata.normalize("NFKC", str(path)).casefold()


def _why_refused(name: str) -> str:
    spelled = name.replace("\\", "/")
    parts = spelled.split("/")
    if _CONTROL.search(name):
        return "its name holds control characters"
    if spelled.startswith("/") or _DRIVE.match(spelled):
        return "its name points to a fixed place on the disk"
    if ".." in [part.strip(" ") for part in parts]:
        return "its name points outside the archive"
    if _OF_THE_SYSTEM & {part.lower() for part in parts}:
        return "a file of the operating system"
    return ""


def _clean(part: str) -> str:
    """One part as any disk takes it, without letters that are invisible or turn the text round."""
    normal = unicodedata.normalize("NFC", part)
    kept = "".join(
        "_" if unicodedata.category(one) in ("Cf", "Cs", "Co") else one for one in normal
    )
    kept = _UNSAFE.sub("_", kept).strip(" ").rstrip(". ") or "_"
    return f"_{kept}" if _RESERVED.match(kept) else kept


def _why_too_long(parts: list[str], limits: NameLimits) -> str:
    lengths = [len(part.encode(errors="replace")) for part in parts]
    if not parts:
        return "it has no name"
    if len(parts) > limits.depth:
        return f"it lies more than {limits.depth} folders deep"
    if max(lengths) > limits.part or sum(lengths) + len(lengths) > limits.total:
        return "its name is too long"
    return ""
