"""Compare stored images with their checksums and put the result on record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import zstandard
from django.utils import timezone

from readerstudy.cases import storage
from readerstudy.cases.models import Series
from readerstudy.core import audit
from readerstudy.core.db import write_transaction

GONE = "The stored file is gone."
CHANGED = "The stored file no longer has the content that its name states."
UNREADABLE = "The stored file cannot be unpacked."
OTHER_PIXELS = "The pixels do not have the checksum that was recorded at import."


def verify(*, series: Series, actor: Any) -> str:
    """Check one series down to its pixels; return what is wrong, empty where all is well.

    A change of the outcome is audited; a check that finds what was found before only moves the
    time of the last check.
    """
    damage = damage_of(series)
    with write_transaction():
        old = Series.objects.select_for_update().get(pk=series.pk)
        Series.objects.filter(pk=series.pk).update(verified_at=timezone.now(), damage=damage)
        if old.damage != damage:
            audit.record(
                actor=actor,
                action="case.damage" if damage else "case.intact",
                target=f"case {series.case_id}",
                old={"damage": old.damage},
                new={"role": series.role, "damage": damage},
            )
    return damage


def damage_of(series: Series) -> str:
    """Return what is wrong with the stored object of a series, in words."""
    try:
        packed = storage.read(series.object_name)
        pixels = zstandard.decompress(packed)
    except FileNotFoundError:
        return GONE
    except storage.DamagedObject:
        return CHANGED
    except zstandard.ZstdError:
        return UNREADABLE
    return "" if hashlib.sha256(pixels).hexdigest() == series.sha256 else OTHER_PIXELS


def verify_all(
    series: Iterable[Series], *, actor: Any, progress: Callable[[int, int, str], None]
) -> dict[str, Any]:
    """Check many series one by one; return how many are whole and which are not."""
    series = list(series)
    damaged = []
    for number, one in enumerate(series, start=1):
        if damage := verify(series=one, actor=actor):
            damaged.append(f"{one.case.code} {one.role}: {damage}")
        progress(number, len(series), f"{number} of {len(series)} series")
    return {"whole": len(series) - len(damaged), "damaged": damaged}
