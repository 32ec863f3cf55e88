"""The composition root: builds the parts, joins them, starts the tick, ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib import metadata
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from telegram import BotCommand, BotCommandScopeAllPrivateChats
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application

import content as content_package
from bot.config import Config
from bot.delivery.delivery import Delivery
from bot.delivery.guides import Guides
from bot.delivery.ledger import Ledger
from bot.delivery.rates import SendBudget, reserved
from bot.delivery.shared_budget import SharedBudget, shared_rate
from bot.delivery.upkeep import Upkeep
from bot.flows import access
from bot.flows.help import COMMANDS
from bot.flows.services import FIRST_LANGUAGE, Services
from bot.operations.health import HealthServer, Vital
from bot.operations.metrics import Metrics
from bot.operations.runtime import settle
from bot.rules import likeness, reading
from bot.rules.timing import next_local
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.rounds import Rounds
from bot.storage.store import Store
from bot.tally import Tally
from content.loader import Content, languages, shipped
from handlers import bridge, errors, register
from handlers.messenger import TelegramMessenger
from handlers.transport import make_bot, reason_of
from handlers.updates import (
    ChatOrder,
    Failures,
    InboxPolling,
    Intake,
    Row,
    TokenRefused,
    pause_after,
)
from handlers.webhook import Webhook, meet_in_turn

PREPARE_REST = 0.005  # seconds between two phrases
STOP_WITHIN = 6.0  # seconds; containers are killed after ten, and a small box needs some to end
IDLE_PARTS = 20  # fewer in a row may hold nothing but what one patient is owed and cannot be told
HOUSEWORK = timedelta(hours=6)  # between two rounds of pruning and of upkeep
PRUNE_FIRST = timedelta(minutes=5)  # after a start: some machines run for an hour a day
KEEP_INBOX = timedelta(days=3)
KEEP_SENDINGS = timedelta(days=90)
REMIND = 600.0  # seconds after which Telegram is told again where to push, should it have been told otherwise
OFFSET_KEY = "clock.offset"
FIGURES = Path(content_package.__file__).parent / "figures"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rhythm:
    """How often the bot looks, and for how long what a silent replica holds stays its own (seconds)."""

    tick: float = 15.0  # between two looks when nothing is due earlier
    renew: float = 15.0  # between two signs of life
    inbox: float = 60.0  # an update of a replica silent for so long is another's
    sender: float = 45.0  # the elected sender of bulk keeps its place for so long unheard
    sending: float = 90.0  # what was claimed for so long and not sent is anybody's


class Clock:
    """The one clock: the machine's time plus an offset that only the sandbox moves, and only forward."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def real(self) -> datetime:
        """Return the machine's own moment (aware UTC): for leases, back-off and rates."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return the patients' moment (aware UTC): for what night it is and what is due."""
        return self.real() + self.offset


class StoredInbox:
    """The inbox of updates in the database; each belongs to the replica that took it in while that lives."""

    def __init__(self, database: Database, clock: Clock, owner: str, lease: float) -> None:
        """Take the owner's name, and the seconds after which a silent owner's updates are another's."""
        self._database = database
        self._clock = clock
        self._owner = owner
        self._lease = timedelta(seconds=lease)
        self._arriving = Rounds(self._keep)
        self._ending = Rounds(self._done)

    async def keep(self, rows: Sequence[Row]) -> list[int]:
        """Keep the updates that are not known yet, committed on return; return their ids."""
        new = await self._arriving.join(rows)
        return [row[0] for row in rows if row[0] in new]

    async def _keep(self, arrived: Sequence[Sequence[Row]]) -> frozenset[int]:
        now = self._clock.real()
        rows = [row for rows in arrived for row in rows]
        async with self._database.transaction() as store:
            return frozenset(await store.keep_updates(rows, now, self._owner, now + self._lease))

    async def undone(self, chats: Collection[int]) -> list[Row]:
        """Return what is kept and not done, oldest first.

        Of several replicas' only what a dead one left, and of *chats* what this one has left for later.
        """
        now = self._clock.real()
        if not self._database.is_shared:
            async with self._database.reading() as store:
                return await store.undone_updates()
        async with self._database.transaction() as store:
            return await store.take_undone(self._owner, now + self._lease, now, chats)

    async def renew(self, update_ids: Collection[int], chats: Collection[int]) -> None:
        """Say that this replica lives and still deals with these updates, and with its own of *chats*."""
        async with self._database.transaction() as store:
            await store.renew_updates(self._owner, self._clock.real() + self._lease, update_ids, chats)

    async def done(self, update_id: int) -> None:
        """Note that an update's reply is out; its words are forgotten."""
        await self._ending.join(update_id)

    async def _done(self, update_ids: Sequence[int]) -> None:
        async with self._database.transaction() as store:
            await store.updates_done(update_ids, self._clock.real())

    async def failed(self, update_id: int) -> int:
        """Count a failed try and return how many there were."""
        async with self._database.transaction() as store:
            return await store.update_failed(update_id, self._clock.real())


class App:
    """The whole bot in one process."""

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        per_chat: float = 1.0,
        rhythm: Rhythm = Rhythm(),  # frozen
    ) -> None:
        """Build the parts; *per_chat* messages a second go to one chat at most, 0 for no such pace."""
        self.config = config
        self._rhythm = rhythm
        self.clock = clock or Clock()
        self.database = Database(config.database_url)
        self.vital = Vital()
        self.tally = Tally()
        self.first_invite: str | None = None
        self.username = ""
        self._contents: dict[str, Content] = {language: shipped(language) for language in languages()}
        self._per_chat = per_chat
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._stirred = False
        self._is_met = False  # Telegram knows where to push
        self._idle = asyncio.Event()  # no tick is running
        self._idle.set()
        self._polling: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._introduction: asyncio.Task[None] | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._minding: asyncio.Task[None] | None = None
        self._taking_up: asyncio.Task[None] | None = None
        self._health: HealthServer
        self._delivery: Delivery
        self._bridge: bridge.Bridge
        self._died: BaseException | None = None
        self._build()

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the database, meet Telegram, take up what is undone, begin to tick and to poll."""
        await self.database.open()
        await self._recall_offset()
        await self._health.start()
        if not await self._meet_telegram():
            return
        self.username = self._application.bot.username
        self.services = self._services(f"https://t.me/{self.username}")
        self._bridge.services = self._ledger.services = self._upkeep.services = self.services
        await self._invite()
        await self._application.start()
        if not self.database.is_shared:
            await self._delivery.take_over()
        self._schedule()
        self._polling = asyncio.create_task(self._be_pushed_to() if self._webhook else self._poll())
        self._introduction = asyncio.create_task(self._introduce())
        self._preparing = asyncio.create_task(self._prepare())
        self._minding = asyncio.create_task(self._mind_the_clock())
        log.info("bot started")

    def _schedule(self) -> None:
        now = self.clock.real()
        tick, renew = timedelta(seconds=self._rhythm.tick), timedelta(seconds=self._rhythm.renew)
        self._every(tick, "tick", now, self._tick)
        self._every(HOUSEWORK, "prune", now + PRUNE_FIRST, self._at_leisure, self._prune)
        self._every(HOUSEWORK, "upkeep", now, self._at_leisure, self._upkeep.walk)
        if self.database.is_shared or self._webhook:
            self._every(renew, "replica", now + renew, self._sign_of_life)
        self._scheduler.start()

    def _every(
        self, span: timedelta, name: str, first: datetime, job: Callable[..., object], *given: object
    ) -> None:
        """Run a job from a moment on: never beside itself, once for all the times missed, however late."""
        self._scheduler.add_job(
            job,
            IntervalTrigger(seconds=span.total_seconds(), timezone=UTC),
            given,
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=first,
        )

    async def run(self) -> None:
        """Run until `stop` is asked for; raises what ended the polling, if that was it."""
        await self._stopping.wait()
        if self._died is not None:
            raise self._died

    def ask_to_stop(self) -> None:
        """End `run` (from a signal)."""
        self._stopping.set()

    async def stop(self) -> None:
        """End cleanly: no more updates in, those under way finished, everything closed."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.pause()  # ending it now would cut off what is on its way
        self._delivery.stop()
        self._intake.stop()
        if self._webhook is not None:
            self._webhook.stop()
        self._guides.stop_all()
        for task in (self._polling, self._introduction, self._preparing, self._minding, self._taking_up):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN):
                # Side by side: a tick that hangs must not keep the application from ending.
                stopping = [self._application.stop()] if self._application.running else []
                await asyncio.gather(self._idle.wait(), *stopping)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # what it cancelled ends
        await self._application.shutdown()
        await self._bot.let_go()
        await self._health.stop()
        await self._step_down()
        await self.database.close()
        if self.username:
            log.info("bot stopped")

    async def _step_down(self) -> None:
        """Leave everything at once, so that no other replica need wait for the leases to end."""
        if self.database.is_shared:
            with contextlib.suppress(StorageError):  # a database that is gone forgets us by itself
                async with self.database.transaction() as store:
                    await store.leave_lease("sender", self._owner)
                    await store.leave_updates(self._owner)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """Run for as long as the block lasts."""
        try:
            await self.start()
            yield self
        finally:
            await self.stop()

    # --- parts ---------------------------------------------------------------------------------------

    def _build(self) -> None:
        bot = self._bot = make_bot(self.config.token, self.config.bot_api_url)
        self._order = ChatOrder()
        self._application = (
            Application.builder()
            .bot(bot)
            .updater(None)
            .job_queue(None)
            .concurrent_updates(self._order)
            .build()
        )
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._messenger = TelegramMessenger(bot, FIGURES, self._budget(), self.config.paid_broadcast)
        self._guides = Guides(self._messenger)
        self.services = self._services("")
        self._ledger = Ledger(self.services, self.clock.real, self._owner, self._rhythm.sending, self.tally)
        self._delivery = Delivery(
            self._ledger,
            self._messenger.in_earnest(),
            self._messenger.in_bulk(),
            self._order.alone,
            fatal=(InvalidToken, Conflict),
            beat=self.vital.beat,
            rate=self.config.send_rate,
        )
        self._upkeep = Upkeep(self.services, metadata.version("tzdata"))
        failures = Failures()
        self._bridge = bridge.Bridge(self.services, self._delivery, self._messenger, self._guides)
        register(self._application, self._bridge, failures)
        self._inbox = StoredInbox(self.database, self.clock, self._owner, self._rhythm.inbox)
        self._intake = Intake(
            self._application,
            self._order,
            self._inbox,
            failures,
            errors.apology(self._bridge),
            self.tally,
        )
        self._poller = InboxPolling(bot, self._intake, self.vital.polled)
        url = self.config.webhook_url
        self._webhook = Webhook(bot, self._intake, url, self.config.token) if url else None
        metrics = Metrics(
            self.vital, self.tally, self.database, self.clock.now, lambda: len(self._intake.open)
        )
        routes = [*metrics.routes(), *(self._webhook.routes() if self._webhook else [])]
        self._health = HealthServer(self.vital, self.config.listen, routes)

    def _budget(self) -> SendBudget | SharedBudget:
        """One token has one budget: alone we keep it ourselves, replicas keep it together."""
        rate = self.config.send_rate
        if not self.database.is_shared:
            return SendBudget(rate, per_chat=self._per_chat, tally=self.tally)
        # One replica alone sends bulk, so that what it leaves of all turns is there for replies from any.
        for_all = shared_rate(rate)
        reserve = rate - for_all + reserved(for_all)
        own = SendBudget(rate, per_chat=self._per_chat, reserve=reserve, tally=self.tally)
        return SharedBudget(own, self.database, rate, self.clock.real)

    def _services(self, link: str) -> Services:
        return Services(
            database=self.database,
            contents=self._contents,
            clock=self.clock.now,
            wake=self.wake,
            open_access=self.config.access == "open",
            default_country=self.config.default_country,
            default_zone=self.config.default_timezone,
            bot_link=link,
        )

    @property
    def health_port(self) -> int:
        """Return the port the health endpoint listens on."""
        return self._health.port

    # --- the tick ------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look at once whether something has come due, now or as soon as the running look ends."""
        self._stirred = True
        if self._idle.is_set() and self._scheduler.running:
            self._scheduler.modify_job("tick", next_run_time=self.clock.real())

    async def tick(self) -> None:
        """Send what is due now (also called by tests, with a clock of their own)."""
        await self._delivery.tick()

    async def _tick(self) -> None:
        self._idle.clear()
        due = None
        try:
            self._stirred = True
            while self._stirred and not self._stopping.is_set():
                self._stirred = False
                await self._elect()
                due = await self._delivery.tick()
                self.vital.beat()
        except (InvalidToken, Conflict):
            self._die(TokenRefused())
        except Exception:
            log.exception("tick failed")
        finally:
            self._idle.set()
        self._sleep_until(due)

    async def _mind_the_clock(self) -> None:
        """Let every job run at once when the machine's clock was put back: each waits for a moment on it."""
        while True:
            before = self.clock.real()
            await asyncio.sleep(self._rhythm.tick)
            if self.clock.real() < before:
                log.warning("the machine's clock was put back")
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=self.clock.real())

    async def _elect(self) -> None:
        """Of several replicas one sends prompts and check-ins; safety words and replies go from any."""
        if not self.database.is_shared:
            return
        real = self.clock.real()
        until = real + timedelta(seconds=self._rhythm.sender)
        async with self.database.transaction() as store:
            mine = await store.take_lease("sender", self._owner, until, real)
        self._delivery.bulk_until = until if mine else real

    async def _sign_of_life(self) -> None:
        """Renew what this replica deals with, and take up what is left of others, or not noted."""
        if self.database.is_shared:
            await self._elect()  # a tick with much to send may take longer than the lease
            await self._inbox.renew(self._intake.open, self._intake.left)
        if self._taking_up is None or self._taking_up.done():  # it may wait for room; this must not
            self._taking_up = asyncio.create_task(self._take_up())
        if self._is_met:
            self.vital.polled()  # nothing is polled: to be pushed to is to be within reach

    async def _take_up(self) -> None:
        try:
            await (self._intake.take_up() if self.database.is_shared else self._intake.mend())
        except Exception:
            log.exception("updates not taken up")

    def _sleep_until(self, due: datetime | None) -> None:
        """Look again when the next sending is due, if that is before the next tick."""
        if due is None or not self._scheduler.running or self._stopping.is_set():
            return
        seconds = (due - self.clock.now()).total_seconds()
        if seconds < self._rhythm.tick:
            at = self.clock.real() + timedelta(seconds=max(0.05, seconds))
            self._scheduler.modify_job("tick", next_run_time=at)

    @staticmethod
    async def _at_leisure(work: Callable[[], Awaitable[object]]) -> None:
        """Run slow work that a stop may cut short; the scheduler would report that as an error."""
        with contextlib.suppress(asyncio.CancelledError):
            await work()

    async def _prune(self) -> None:
        """Delete what is long over, the oldest first, in parts that hold up nobody."""
        of_inbox, of_sendings = self.clock.real() - KEEP_INBOX, self.clock.now() - KEEP_SENDINGS
        await self._prune_parts(lambda store, after: store.prune_inbox(of_inbox, after))
        await self._prune_parts(lambda store, after: store.prune_sendings(of_sendings, after))

    async def _prune_parts(self, prune: Callable[[Store, int], Awaitable[tuple[int, int | None]]]) -> None:
        """Prune part by part until IDLE_PARTS in a row had nothing old, or there are no more rows."""
        idle, last = 0, 0
        while idle < IDLE_PARTS:
            began = monotonic()
            async with self.database.transaction() as store:
                gone, after = await prune(store, last)
            if after is None:
                return
            idle, last = (0 if gone else idle + 1), after
            await asyncio.sleep(monotonic() - began)  # half of the time is everybody else's

    async def _poll(self) -> None:
        try:
            await self._poller.run()
        except TokenRefused as error:
            self._die(error)

    async def _be_pushed_to(self) -> None:
        """Take up what is undone, tell Telegram where to push until it has heard, and now and then again."""
        failed = 0
        with contextlib.suppress(StorageError):  # the next sign of life takes it up
            await self._intake.take_up()
        while self._webhook is not None:
            try:
                met = await meet_in_turn(self._webhook)
            except TokenRefused as error:
                self._die(error)
                return
            self._is_met = met  # as far as we know: asked anew every REMIND seconds, sooner after a failure
            failed = 0 if met else failed + 1
            if met:
                self.vital.polled()
            await asyncio.sleep(pause_after(failed) if failed else REMIND)

    def _die(self, error: Exception) -> None:
        """End `run` with an error that only the operator can mend."""
        self._died = self._died or error
        self._stopping.set()

    # --- meeting Telegram and people ----------------------------------------------------------------------

    async def _meet_telegram(self) -> bool:
        """Ask Telegram who we are, until it answers; False when the stop came first."""
        failed = 0
        while not self._stopping.is_set():
            try:
                await self._application.initialize()
            except InvalidToken:
                raise TokenRefused from None
            except TelegramError as error:
                failed += 1
                self.vital.beat()  # out of reach is not out of order
                log.warning(
                    "Telegram not reached: see the network, BOT_API_URL",
                    extra={"reason": reason_of(error), "times": failed},
                )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause_after(failed))
            else:
                return True
        return False

    async def _invite(self) -> None:
        if self.config.access != "invite":
            return
        async with self.database.transaction() as store:
            self.first_invite = await access.first_invite(store, self.clock.real())

    async def _prepare(self) -> None:
        """Learn the examples and compile the vocabularies beside the work: no first message waits for it."""
        for content in self._contents.values():
            await asyncio.to_thread(likeness.learn, content)
            for _ in reading.prepare(content.phrases):
                await asyncio.sleep(PREPARE_REST)
        settle()

    async def _introduce(self) -> None:
        """Register the command menu and the description, per language; a failure is no reason not to run."""
        bot = self._application.bot
        try:
            for language, content in self._contents.items():
                tag = None if language == FIRST_LANGUAGE else language
                commands = [BotCommand(name, content.words.plain(f"command_{name}")) for name in COMMANDS]
                await bot.set_my_commands(commands, BotCommandScopeAllPrivateChats(), language_code=tag)
                await bot.set_my_description(content.words.plain("bot_description"), language_code=tag)
                await bot.set_my_short_description(
                    content.words.plain("bot_short_description"), language_code=tag
                )
        except TelegramError as error:
            log.warning("introduction failed", extra={"kind": type(error).__name__})

    # --- the sandbox's clock -------------------------------------------------------------------------

    async def _recall_offset(self) -> None:
        async with self.database.reading() as store:
            stored = await store.meta(OFFSET_KEY)
        if stored:
            self.clock.offset = max(self.clock.offset, timedelta(seconds=float(stored)))

    async def jump(self, target: str) -> datetime:
        """Move the patients' clock forward (sandbox only) and wake the tick; ValueError if unknown."""
        to = await self._target(target)
        self.clock.offset += to - self.clock.now()
        async with self.database.transaction(alone=True) as store:
            await store.set_meta(OFFSET_KEY, str(self.clock.offset.total_seconds()))
        self.wake()
        return self.clock.now()

    async def _target(self, target: str) -> datetime:
        now = self.clock.now()
        spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
        if target in spans:
            return now + spans[target]
        async with self.database.reading() as store:
            patient = await store.latest_patient()
        if target not in ("evening", "morning"):
            raise ValueError(f"unknown jump: {target}")
        times = patient.times if patient else self.services.usual_times()
        at: time = times.prompt_at if target == "evening" else times.checkin_at
        return next_local(now, at, patient.tz if patient else ZoneInfo(self.config.default_timezone or "UTC"))
