"""The stand-in for Telegram behaves as Telegram does, also when it is told to misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    Update,
)
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, TelegramError

from bot.sandbox import Fault, Person, Sandbox, serve

TOKEN = "7000000001:made-up"
Json = dict[str, Any]


class SlowClock:
    """A clock that only jumps."""

    def __init__(self) -> None:
        self.moment = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    async def jump(self, target: str) -> datetime:
        if target == "week":
            raise ValueError("a week is too far")
        self.moment += timedelta(days=1)
        return self.moment


class Wire:
    """Raw requests, as curl would send them."""

    def __init__(self, session: aiohttp.ClientSession, root: str) -> None:
        self.session = session
        self.root = root

    async def call(self, method: str, **given: Any) -> Json:
        async with self.session.post(f"{self.root}/bot{TOKEN}/{method}", json=given) as answer:
            return dict(await answer.json())

    async def page(self, path: str, **given: Any) -> tuple[int, Json]:
        async with self.session.post(f"{self.root}/sandbox/{path}", json=given) as answer:
            return answer.status, dict(await answer.json())

    async def look(self, path: str) -> Json:
        async with self.session.get(f"{self.root}/sandbox/{path}") as answer:
            return dict(await answer.json())


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(clock=SlowClock())
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest_asyncio.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(session, sandbox.url)


@pytest_asyncio.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{sandbox.url}/bot", base_file_url=f"{sandbox.url}/file/bot") as bot:
        yield bot


@pytest_asyncio.fixture
async def ada(sandbox: Sandbox) -> Person:
    ada = sandbox.person("Ada")
    await ada.start()
    return ada


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=f"d:{label}") for label in labels]]
    )


async def refusal(wire: Wire, method: str, **given: Any) -> str:
    answer = await wire.call(method, **given)
    assert not answer["ok"]
    return str(answer["description"])


async def test_a_conversation_over_a_real_client(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    (hello,) = await bot.get_updates(timeout=5)
    assert hello.message
    assert hello.message.text == "/start"
    assert hello.message.entities[0].type == "bot_command"

    sent = await bot.send_message(
        ada.id, "<b>Rest</b> well 🌙", parse_mode="HTML", reply_markup=keyboard("Yes")
    )
    assert sent.text == "Rest well 🌙"
    assert sent.parse_entities() == {sent.entities[0]: "Rest"}
    seen = await ada.wait("Rest")
    assert seen.buttons == ["Yes"]

    poll = asyncio.create_task(bot.get_updates(offset=hello.update_id + 1, timeout=5))
    await asyncio.sleep(0.05)
    await ada.press(seen, "Yes")
    (pressed,) = await poll
    assert pressed.callback_query
    assert pressed.callback_query.data == "d:Yes"
    assert isinstance(pressed.callback_query.message, Message)
    await pressed.callback_query.answer("Saved")
    await bot.edit_message_text("Thank you", ada.id, sent.message_id)

    edited = await ada.wait("Thank you")
    assert (edited.edited, edited.edits, edited.buttons, edited.silent) == (True, 1, [], False)
    assert [toast.text for toast in ada.toasts] == ["Saved"]
    assert not sandbox.complaints


async def test_updates_stay_until_they_are_confirmed(bot: Bot, ada: Person) -> None:
    await ada.send("one")
    await ada.send("two")
    first = await bot.get_updates()
    assert [update.message.text for update in first if update.message] == ["/start", "one", "two"]
    assert len(await bot.get_updates()) == 3
    later = await bot.get_updates(offset=first[1].update_id)
    assert [update.update_id for update in later] == [first[1].update_id, first[2].update_id]
    assert [update.update_id for update in await bot.get_updates(offset=-1)] == [first[2].update_id]
    assert not await bot.get_updates(offset=first[2].update_id + 1)


async def test_a_second_reader_ends_the_first(wire: Wire, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(wire.call("getUpdates", timeout=1))
    with pytest.raises(Conflict):
        await first
    assert (await second)["result"] == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "  "}, "message text is empty"),
        ({}, "message text is empty"),
        ({"text": "<b>x", "parse_mode": "HTML"}, 'Can\'t find end tag corresponding to start tag "b"'),
        ({"text": "a<br>b", "parse_mode": "HTML"}, 'Unsupported start tag "br" at byte offset 1'),
        ({"text": "1 < 2", "parse_mode": "HTML"}, 'Unsupported start tag "" at byte offset 2'),
        ({"text": "<b><i>x</b></i>", "parse_mode": "HTML"}, "Unmatched end tag at byte offset 7"),
        ({"text": "x", "reply_parameters": {"message_id": 1}}, "message to be replied not found"),
        ({"text": "x", "chat_id": 1}, "chat not found"),
        ({"text": "x", "chat_id": None}, "chat_id is empty"),
    ],
)
async def test_what_telegram_refuses_is_refused(
    wire: Wire, sandbox: Sandbox, ada: Person, given: Json, reason: str
) -> None:
    assert reason in await refusal(wire, "sendMessage", **{"chat_id": ada.id, **given})
    assert reason in sandbox.complaints[-1]


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "x", "callback_data": "é" * 32 + "x"}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x"}, "Text buttons are unallowed"),
        ({"text": "", "callback_data": "x"}, "must be non-empty"),
        ({"text": "x", "callback_data": "x", "style": "loud"}, "unknown style"),
        ({"text": "x", "url": "no address"}, "Wrong HTTP URL"),
    ],
)
async def test_buttons_telegram_refuses_are_refused(
    wire: Wire, ada: Person, button: Json, reason: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    assert reason in await refusal(wire, "sendMessage", chat_id=ada.id, text="x", reply_markup=markup)
    too_wide = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 9]}
    assert "row" in await refusal(wire, "sendMessage", chat_id=ada.id, text="x", reply_markup=too_wide)


async def test_what_just_fits_is_taken(sandbox: Sandbox, wire: Wire, ada: Person) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "é" * 32}]]}
    text = "<b>" + "&lt;" * 4096 + "</b>"
    sent = await wire.call("sendMessage", chat_id=ada.id, text=text, parse_mode="HTML", reply_markup=markup)
    assert sent["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]
    assert not sandbox.complaints


async def test_formatting_counts_as_telegram_counts(wire: Wire, ada: Person) -> None:
    link = '<a href="https://example.org/?a=1&amp;b=2">link</a>'
    html = f' 🌙<b>bold <i>both</i></b> {link} <pre><code class="language-py">x</code></pre>'
    sent = await wire.call("sendMessage", chat_id=ada.id, text=html, parse_mode="HTML")
    assert sent["result"]["text"] == "🌙bold both link x"
    assert sent["result"]["entities"] == [
        {"type": "bold", "offset": 2, "length": 9},
        {"type": "italic", "offset": 7, "length": 4},
        {"type": "text_link", "url": "https://example.org/?a=1&b=2", "offset": 12, "length": 4},
        {"type": "pre", "language": "py", "offset": 17, "length": 1},
    ]


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "same", reply_markup=keyboard("A"))
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("same", ada.id, sent.message_id, reply_markup=keyboard("A"))
    await bot.edit_message_reply_markup(ada.id, sent.message_id, reply_markup=keyboard("B"))
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_reply_markup(ada.id, sent.message_id, reply_markup=keyboard("B"))
    assert (ada.last.buttons, ada.last.edited) == (["B"], False)
    with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
        await bot.edit_message_text("x", ada.id, 1)
    with pytest.raises(BadRequest, match=r"(?i)can't be edited"):
        await bot.edit_message_text("x", ada.id, ada.messages[0].id)


async def test_a_press_is_answered_once(bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "well?", reply_markup=keyboard("A"))
    query = await ada.press(ada.last, "A")
    with pytest.raises(BadRequest, match=r"(?i)MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(query, "x" * 201)
    await bot.answer_callback_query(query, "noted", show_alert=True)
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(query)
    assert ada.toasts[0].alert
    with pytest.raises(LookupError):
        await ada.press(ada.last, "B")


async def test_a_slow_phone_presses_what_is_gone(bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "well?", reply_markup=keyboard("A"))
    await bot.delete_message(ada.id, sent.message_id)
    await ada.press(sent.message_id, "d:A", stale=True)
    query = (await bot.get_updates())[-1].callback_query
    assert query
    assert query.message
    assert not query.message.is_accessible


async def test_pictures_documents_and_contacts_arrive(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await ada.send_photo()
    update: Update = (await bot.get_updates())[-1]
    assert update.message
    picture = bytes(await (await update.message.photo[-1].get_file()).download_as_bytearray())
    sent = await bot.send_photo(ada.id, picture, caption="<i>March</i>", parse_mode="HTML")
    assert (sent.caption, sent.photo[0].width) == ("March", 240)
    await bot.send_document(ada.id, b"a,b\n1,2\n", filename="diary.csv", disable_notification=True)
    assert ada.last.document
    assert (ada.last.document["file_name"], ada.last.silent) == ("diary.csv", True)
    await bot.send_contact(ada.id, "112", "Emergency")
    await bot.send_location(ada.id, 52.5, 13.4)
    assert not sandbox.complaints
    with pytest.raises(BadRequest, match=r"(?i)IMAGE_PROCESS_FAILED"):
        await bot.send_photo(ada.id, b"not a picture")
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await bot.send_document(ada.id, b"x", caption="x" * 1025)


async def test_the_bot_introduces_itself(wire: Wire, bot: Bot, ada: Person) -> None:
    await bot.set_my_commands([("diary", "Your nights"), ("help", "What I can do")])
    await bot.set_my_commands([("diary", "Deine Nächte")], language_code="de")
    await bot.set_my_description("A quiet companion")
    assert [command.command for command in await bot.get_my_commands()] == ["diary", "help"]
    assert (await bot.get_my_description()).description == "A quiet companion"
    assert (await bot.get_chat(ada.id)).first_name == "Ada"
    seen = await wire.look(f"chats/{ada.id}")
    assert seen["bot"]["commands"][0] == {"command": "diary", "description": "Your nights"}
    with pytest.raises(BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([("Diary", "x")])


async def test_a_reply_keyboard_asks_for_a_place(bot: Bot, ada: Person) -> None:
    keys = [[KeyboardButton("Here", request_location=True)]]
    await bot.send_message(ada.id, "Where?", reply_markup=ReplyKeyboardMarkup(keys, one_time_keyboard=True))
    await ada.tap("Here", lat=48.1, lon=11.6)
    message = (await bot.get_updates())[-1].message
    assert message
    assert message.location
    assert message.location.latitude == pytest.approx(48.1)
    assert ada.chat.reply_keyboard is None


async def test_who_blocks_the_bot_is_out_of_reach(bot: Bot, ada: Person) -> None:
    await ada.block()
    with pytest.raises(Forbidden, match=r"(?i)bot was blocked by the user"):
        await bot.send_message(ada.id, "hello?")
    await ada.unblock()
    await bot.send_message(ada.id, "hello")
    changes = [update.my_chat_member for update in await bot.get_updates() if update.my_chat_member]
    assert [change.new_chat_member.status for change in changes] == ["kicked", "member"]


async def test_own_messages_are_edited_and_groups_keep_their_privacy(bot: Bot, ada: Person) -> None:
    said = await ada.send("cramp at 2")
    await ada.edit(said.id, "cramp at 3")
    family = await ada.add_bot("Family")
    await ada.send("nothing for the bot", group=family)
    await ada.send("/diary", group=family)
    updates = await bot.get_updates()
    assert updates[2].edited_message
    assert updates[2].edited_message.text == "cramp at 3"
    texts = [update.message.text for update in updates if update.message and update.message.chat.id < 0]
    assert texts == [None, "/diary"]


async def test_faults_strike_where_they_are_told_to(
    sandbox: Sandbox, wire: Wire, bot: Bot, ada: Person
) -> None:
    sandbox.faults.add(Fault("retry_after", "sendMessage", seconds=7))
    assert (await wire.call("getMe"))["ok"]
    refused = await wire.call("sendMessage", chat_id=ada.id, text="one")
    assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 7})
    sandbox.faults.add(Fault("close", "sendMessage"))
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "two")
    sandbox.faults.add(Fault("close", "sendMessage", after=True))
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "three")
    sandbox.faults.add(Fault("status", "sendMessage", status=502))
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "four")
    sandbox.faults.add(Fault("garbage", "sendMessage"))
    with pytest.raises(TelegramError):
        await bot.send_message(ada.id, "five")
    sandbox.faults.add(Fault("hang", "sendMessage", after=True))
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "six", read_timeout=0.1)
    sandbox.faults.add(Fault("delay", "sendMessage", seconds=0.05))
    await bot.send_message(ada.id, "seven")
    assert ada.heard == ["three", "six", "seven"]


async def test_chance_can_be_replayed(sandbox: Sandbox) -> None:
    def struck() -> list[bool]:
        sandbox.faults.clear()
        sandbox.faults.seed(3)
        sandbox.faults.add(Fault("close", chance=0.3, times=None))
        return [sandbox.faults.take("sendMessage", None) is not None for _ in range(40)]

    first = struck()
    assert first == struck()
    assert 0 < sum(first) < 40


async def test_nothing_is_lost_or_counted_back_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    before = Sandbox(journal=path)
    root = await before.start()
    ada = before.person("Ada")
    await ada.start("invite")
    async with aiohttp.ClientSession() as session:
        wire = Wire(session, root)
        sent = await wire.call("sendMessage", chat_id=ada.id, text="kept")
        await wire.call("deleteMessage", chat_id=ada.id, message_id=ada.messages[0].id)
        first = (await wire.call("getUpdates"))["result"][0]["update_id"]
        await wire.call("getUpdates", offset=first + 1)
    await ada.send("not read yet")
    await ada.send_photo()
    # Nothing is closed in order: the file alone counts, even with its last line torn.
    with path.open("a") as file:
        file.write('{"is":"mess')
    await before.stop()

    after = Sandbox(journal=path)
    again = after.find_person(ada.id)
    assert [message.text for message in again.messages] == ["kept", "not read yet", ""]
    assert [update["message"].get("text") for update in after.world.updates.pending.values()] == [
        "not read yet",
        None,
    ]
    assert after.world.updates.next_id == first + 3
    assert after.world.chats.next_message == again.messages[-1].id + 1 == sent["result"]["message_id"] + 3
    kept = after.world.files.find(again.messages[-1].photo or "")
    assert kept
    assert after.world.files.content(kept).startswith(b"\x89PNG")
    await after.stop()


async def test_a_webhook_is_tried_until_it_says_yes(sandbox: Sandbox, wire: Wire, ada: Person) -> None:
    seen: list[Json] = []
    done = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        seen.append({"secret": request.headers["X-Telegram-Bot-Api-Secret-Token"], **await request.json()})
        if len(seen) == 3:
            done.set()
        return web.Response(status=500 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    assert (await wire.call("setWebhook", url=url, secret_token="s3cret"))["ok"]
    assert (await wire.call("getUpdates"))["error_code"] == 409
    await ada.send("second")
    async with asyncio.timeout(5):
        await done.wait()
    texts = [update["message"]["text"] for update in seen]
    assert texts == ["/start", "/start", "second"]
    assert seen[0]["secret"] == "s3cret"
    info = (await wire.call("getWebhookInfo"))["result"]
    assert "500" in info["last_error_message"]
    await wire.call("deleteWebhook")
    await runner.cleanup()
    assert (await wire.call("getUpdates"))["result"] == []
    assert not [words for words in sandbox.complaints if "ebhook" in words]


async def test_unknown_methods_and_wrong_tokens_are_turned_away() -> None:
    sandbox = Sandbox(tokens=[TOKEN])
    root = await sandbox.start()
    async with aiohttp.ClientSession() as session:
        assert (await Wire(session, root).call("sendGift"))["error_code"] == 404
        async with session.get(f"{root}/bot1:wrong/getMe") as answer:
            assert answer.status == 401
        async with session.post(f"{root}/bot{TOKEN}/GETME", data={"odd": "1"}) as answer:
            assert (await answer.json())["result"]["username"] == "quietlegs_bot"
    assert list(sandbox.complaints) == [
        "sendGift: Not Found: method not found",
        "GETME: unknown parameters odd",
    ]
    await sandbox.stop()


async def test_limits_are_counted_and_on_demand_enforced() -> None:
    sandbox = Sandbox(enforce_limits=True)
    root = await sandbox.start()
    ada = sandbox.person()
    await ada.start()
    async with aiohttp.ClientSession() as session:
        answers = [await Wire(session, root).call("sendMessage", chat_id=ada.id, text="x") for _ in range(7)]
    assert [answer["ok"] for answer in answers] == [True] * 5 + [False] * 2
    assert answers[-1]["parameters"]["retry_after"] >= 1
    assert sandbox.rate_violations == 2
    await sandbox.stop()


async def test_the_page_sees_everything_and_loses_nothing(wire: Wire, sandbox: Sandbox, ada: Person) -> None:
    start = await wire.look(f"chats/{ada.id}")
    mark = f"{start['run']}:{start['cursor']}"
    await wire.page(f"chats/{ada.id}/send", text="hello")
    await wire.call("sendMessage", chat_id=ada.id, text="+49 30 123456", disable_notification=True)
    address = f"{wire.root}/sandbox/chats/{ada.id}/events?mark={mark}"
    async with wire.session.get(address) as stream:
        lines = [await stream.content.readline() for _ in range(2)]
    view = json.loads(lines[1].removeprefix(b"data: "))
    assert [(shown["text"], shown["silent"]) for shown in view["messages"]] == [
        ("hello", False),
        ("+49 30 123456", True),
    ]
    assert view["messages"][1]["entities"][0]["type"] == "phone_number"
    async with wire.session.get(f"{wire.root}/") as page:
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert sandbox.requests[-1].params["chat_id"] == ada.id


async def test_the_clock_moves_forward_or_says_why_not(wire: Wire) -> None:
    assert (await wire.look("clock"))["now"].startswith("2025-03-01")
    assert (await wire.page("clock", target="day"))[1]["now"].startswith("2025-03-02")
    assert await wire.page("clock", target="week") == (409, {"error": "a week is too far"})


async def test_other_sites_cannot_use_a_visitors_browser(wire: Wire, ada: Person) -> None:
    path = f"{wire.root}/sandbox/chats/{ada.id}/block"
    async with wire.session.post(path, json={}, headers={"Origin": "https://elsewhere.example"}) as answer:
        assert answer.status == 403
    async with wire.session.post(path, data={"x": "1"}) as answer:
        assert answer.status == 409
    assert not ada.chat.blocked


async def test_a_foreign_name_for_this_machine_is_not_served(wire: Wire) -> None:
    async with wire.session.get(
        f"{wire.root}/sandbox/people", headers={"Host": "elsewhere.example"}
    ) as answer:
        assert answer.status == 403


async def test_served_from_the_command_line_somebody_is_there(tmp_path: Path) -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(port=0, journal=tmp_path / "journal", ready=ready))
    async with aiohttp.ClientSession() as session:
        people = (await Wire(session, await ready).look("people"))["people"]
    assert [person["title"] for person in people] == ["You"]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_malformed_nested_values_are_refused_as_telegram_refuses(wire: Wire, ada: Person) -> None:
    reason = await refusal(wire, "sendMessage", chat_id=ada.id, text="x", entities=[{"type": "bold"}])
    assert reason.startswith("Bad Request: can't parse")


async def test_the_bare_mode_takes_everything(wire: Wire) -> None:
    bare = Sandbox(validate=False)
    async with aiohttp.ClientSession() as session:
        wire = Wire(session, await bare.start())
        assert (await wire.call("sendMessage", chat_id=5, text="<x>" * 5000))["ok"]
    await bare.stop()
