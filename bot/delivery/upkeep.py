"""Sees to it that everybody who takes part has a next prompt and check-in, in slices beside the daily work.

Whoever is found without one gets it planned. When the zone rules have changed, everybody is planned anew:
a wall time may stand for another moment now.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta

from bot.flows.schedule import LOOK_AHEAD_DAYS, ROUTINE_KINDS, plan_checkin, plan_prompt
from bot.flows.services import Services
from bot.model import Kind
from bot.storage.errors import StorageError
from bot.storage.store import Store

SLICE = 500  # patients looked at in one transaction
LOOK_BACK = timedelta(days=3)  # nothing older than so many nights is still ahead of anybody
FURTHEST = timedelta(days=LOOK_AHEAD_DAYS + 1)  # what is due later was planned on a clock that was wrong
RULES_KEY = "zone.rules"
log = logging.getLogger(__name__)


class Upkeep:
    """Walks through all patients in the background; `zone_rules` is the version of the zone rules at hand."""

    def __init__(self, services: Services, zone_rules: str) -> None:
        self.services = services
        self._zone_rules = zone_rules

    async def walk(self) -> int:
        """Look at everybody once and return how many sendings were planned; rests as long as it works."""
        async with self.services.database.reading() as store:
            known = await store.meta(RULES_KEY)
            newest = await store.latest_patient()
        everybody = known is not None and known != self._zone_rules
        planned, last = 0, newest.id if newest else 0
        for after in range(0, last, SLICE):
            began = time.monotonic()
            planned += await self._slice(after, min(after + SLICE, last), everybody)
            await asyncio.sleep(time.monotonic() - began)
        if known != self._zone_rules:
            async with self.services.database.transaction() as store:
                await store.set_meta(RULES_KEY, self._zone_rules)
        if planned:
            log.warning("sendings planned again", extra={"count": planned, "new_zone_rules": everybody})
            self.services.wake()
        return planned

    async def _slice(self, after: int, until: int, everybody: bool) -> int:
        async with self.services.database.reading() as store:
            if everybody:
                rows = [(number, kind) for number in range(after + 1, until + 1) for kind in ROUTINE_KINDS]
            else:
                latest = self.services.clock() + FURTHEST
                rows = await store.without_next(ROUTINE_KINDS, self._since(), latest, after, until)
        planned = 0
        for patient_id, kind in rows:
            try:
                async with self.services.database.transaction() as store:
                    planned += await self._plan(store, patient_id, kind)
            except StorageError:  # everybody's: the next walk comes
                raise
            except Exception:  # one who cannot be planned for holds up no other
                log.exception("sending not planned", extra={"patient": patient_id, "kind": kind})
        return planned

    async def _plan(self, store: Store, patient_id: int, kind: Kind) -> bool:
        patient = await store.patient(patient_id)
        if patient is None or not patient.is_active:
            return False
        plan = plan_prompt if kind is Kind.PROMPT else plan_checkin
        await plan(store, patient, self.services.content_for(patient).timing, self.services.clock())
        return True

    def _since(self) -> str:
        return (self.services.clock() - LOOK_BACK).date().isoformat()
