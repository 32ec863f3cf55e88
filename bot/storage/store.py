"""Every question to the database, each a method with a name, inside one transaction."""

from __future__ import annotations

from datetime import date

from bot.storage.escalations import ALL, OPEN_ASKINGS, Escalations
from bot.storage.house import House
from bot.storage.nights import CHECKIN, DIARY, EPISODES, EVENINGS, Nights
from bot.storage.people import PROFILE, People
from bot.storage.sendings import SAFETY_DUE, Sendings
from bot.storage.updates import Updates


class Store(People, Nights, Escalations, Sendings, Updates, House):
    """The questions of one transaction; made by Database, useless when its block has ended."""

    async def look_ahead(self, patient_id: int, night: date, since: date, until: date) -> None:
        """Learn together what judging a night asks one by one: the night, the diary, what is open."""
        if self._driver is not None:
            await self.escalations(patient_id)  # the open ones are among them
            nights = await self.diary(patient_id, since, until)
            if since <= night <= until:
                self._known[CHECKIN, patient_id, night] = [one for one in nights if one.night == night]
            return
        of: dict[str, object] = {"patient_id": patient_id}
        span = {**of, "since": since, "until": until}
        await self._look_ahead(
            (CHECKIN, {**of, "night": night}),
            (PROFILE, of),
            (DIARY, span),
            (EVENINGS, span),
            (EPISODES, span),
            (ALL, of),
            (OPEN_ASKINGS, of),
            (SAFETY_DUE, of),
        )
