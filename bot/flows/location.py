"""Finds the time zone of a shared location; the coordinates are looked at once and kept nowhere."""

from __future__ import annotations

from zoneinfo import available_timezones


def zones_from_location(lat: float, lon: float) -> list[str]:
    """List the zones at a point (degrees): none at sea, two where people keep two times."""
    import tzfpy  # noqa: PLC0415  # 34 MiB of borders, which most patients never need

    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return []
    known = available_timezones()
    found = (str(zone) for zone in tzfpy.get_tzs(lon, lat))
    return [zone for zone in dict.fromkeys(found) if zone in known and not zone.startswith("Etc/")]
