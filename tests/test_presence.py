"""Being there or not: blocked, back again, groups, media, edited and unknown messages."""

from __future__ import annotations

from datetime import time

import pytest

from bot.model import Kind
from tests.conversation import Conversation, heard
from tests.known import assert_only_update_ids, patient_of, planned


async def test_a_block_stops_sendings_without_deleting(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.block()
    await talk.settled()
    assert (await patient_of(talk, ada)).blocked_at is not None
    assert await planned(talk, ada) == {}
    before = len(talk.telegram.asked("sendMessage"))
    await talk.later(hours=40)
    assert len(talk.telegram.asked("sendMessage")) == before


async def test_coming_back_resumes(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.block()
    await talk.settled()
    await talk.later(hours=40)
    await ada.unblock()
    await talk.settled()
    assert (await patient_of(talk, ada)).blocked_at is None
    assert Kind.PROMPT in await planned(talk, ada)
    said = await talk.say(ada, "/start")
    assert "Evening message:" in said[0].text


async def test_a_block_that_telegram_did_not_report_is_noticed(talk: Conversation) -> None:
    ada = await talk.patient()
    ada.chat.blocked = True
    await talk.until(time(20, 30))
    for _ in range(50):
        await talk.settled()
        if (await patient_of(talk, ada)).blocked_at is not None:
            break
        await talk.app.tick()
    assert (await patient_of(talk, ada)).blocked_at is not None
    ada.chat.blocked = False
    said = await talk.say(ada, "/start")
    assert "I have started again" in said[0].text
    assert Kind.PROMPT in await planned(talk, ada)


async def test_a_warning_that_could_not_be_told_goes_first_on_coming_back(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.send("I have chest pain and can't breathe")
    ada.chat.blocked = True  # before the bot could answer
    await talk.settled()
    count = len(ada.messages)
    await talk.later(hours=1)
    ada.chat.blocked = False
    ada.mark()
    await ada.start()
    await ada.wait("999")
    await talk.settled()
    first = ada.messages[count + 1]
    assert "999" in first.text, first.text


async def test_groups_are_politely_declined(talk: Conversation) -> None:
    ada = await talk.patient()
    group = await ada.add_bot()
    await talk.settled()
    said = [message.text for message in group.chat.messages.values() if message.from_bot]
    assert len(said) == 1
    assert "only talk in private" in said[0]
    assert "https://t.me/" in said[0]
    assert talk.telegram.asked("leaveChat")
    async with talk.store() as store:
        assert await store.patient_of_chat(group.chat.id) is None


@pytest.mark.parametrize(
    "act", ["send_photo", "send_voice", "send_sticker", "send_document", "send_video", "share_contact"]
)
async def test_media_are_not_opened_and_the_next_step_is_offered(talk: Conversation, act: str) -> None:
    ada = await talk.patient()
    await getattr(ada, act)()
    await talk.settled()
    assert "cannot look at pictures" in ada.last.text
    assert "999" in ada.last.text
    assert ada.last.keyboard
    assert not talk.telegram.asked("getFile")


async def test_a_strangers_picture_is_answered_and_not_kept(talk: Conversation) -> None:
    ada = await talk.newcomer()
    await ada.send_photo(caption="look at this")
    await talk.settled()
    assert "112" in ada.last.text
    assert_only_update_ids(talk)


async def test_a_caption_is_read_for_warning_signs(talk: Conversation) -> None:
    ada = await talk.patient()
    await ada.send_photo(caption="I have chest pain and can't breathe")
    await ada.wait("999")


async def test_an_unknown_command_says_what_is_possible(talk: Conversation) -> None:
    ada = await talk.patient()
    for words in ("/setings", "/foo bar", "/"):
        said = await talk.say(ada, words)
        assert len(said) == 1
        assert "/help" in said[0].text or said[0].keyboard, said[0].text


async def test_unknown_words_are_answered_kindly(talk: Conversation) -> None:
    ada = await talk.patient()
    for words in ("hello", "ok thanks", "🙂", "lorem ipsum dolor sit amet"):
        said = await talk.say(ada, words)
        assert said, words
        assert "Something went wrong" not in said[0].text


@pytest.mark.parametrize("words", ["x" * 4096, "{emergency} {n}", "<b>", "\u202e\u0000abc", "%s %d"])
async def test_odd_words_do_no_harm(talk: Conversation, words: str) -> None:
    ada = await talk.patient()
    said = await talk.say(ada, words)
    assert said
    assert "Something went wrong" not in heard(ada)


async def test_an_edited_message_is_understood_as_a_correction(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.say(ada, "/settings")
    await talk.press(ada, "se:page:prompt")
    mine = await ada.send("purple")
    await talk.settled()
    await ada.edit(mine.id, "21:45")
    await talk.settled()
    assert (await patient_of(talk, ada)).times.prompt_at == time(21, 45)


async def test_an_edit_that_tells_of_danger_is_heard(talk: Conversation) -> None:
    ada = await talk.patient()
    mine = await ada.send("hello")
    await talk.settled()
    await ada.edit(mine.id, "I have chest pain and can't breathe")
    await ada.wait("999")


async def test_every_unknown_button_is_answered_in_few_words(talk: Conversation) -> None:
    ada = await talk.patient()
    for data in ("zz:1", "x", "en", "se", "pr", "er", "er:maybe", "no:abc", "no:", "::::", "🙂"):
        await ada.press(ada.last, data, stale=True)
    await talk.settled()
    assert all(query.answered for query in talk.telegram.world.queries.values())
    assert all(len(toast.text) <= 200 for toast in ada.toasts)
    assert "Something went wrong" not in heard(ada)


async def test_every_notice_fits(talk: Conversation) -> None:
    words = talk.app.services.content("en").words
    for key, text in words.messages.items():
        if key.startswith("notice_"):
            assert isinstance(text, str)
            assert 0 < len(text) <= 200, key


# --- at night -------------------------------------------------------------------------------------------


async def test_answers_to_somebody_awake_at_night_make_no_sound(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    for words in ("/cramp", "/tips", "what can you do?", "6/10, left calf"):
        said = await talk.say(ada, words)
        assert said
        assert all(message.silent for message in said), words


async def test_at_night_a_card_sounds_and_so_does_the_answer_to_a_second_report(talk: Conversation) -> None:
    ada = await talk.patient()
    await talk.until(time(3, 0))
    said = await talk.say(ada, "can't breathe")
    assert not said[0].silent
    await talk.press(ada, "I have read this", None)
    said = await talk.say(ada, "can't breathe")
    assert "told you about this before" in said[0].text
    assert not said[0].silent


async def test_by_day_answers_sound_unless_somebody_chose_silence(talk: Conversation) -> None:
    ada = await talk.patient()
    assert not (await talk.say(ada, "/tips"))[0].silent
    await talk.say(ada, "/settings")
    await talk.press(ada, "Turn sound off", None)
    assert (await talk.say(ada, "/tips"))[0].silent
