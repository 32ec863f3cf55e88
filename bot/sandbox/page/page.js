// The chat page: follows one chat live, and does what a person with a phone can do.
import { drawMessage, element } from "/draw.js";

const $ = (id) => document.getElementById(id);
const CITIES = [
  ["Berlin", 52.52, 13.405], ["London", 51.507, -0.128], ["New York", 40.713, -74.006],
  ["São Paulo", -23.551, -46.633], ["Delhi", 28.614, 77.209], ["Sydney", -33.869, 151.209],
];
const ACTIVITY = { typing: "is writing…", upload_document: "is sending a file…", upload_photo: "is sending a picture…" };

const state = {
  person: 0, chat: 0, messages: new Map(), drawn: new Map(), mark: "", stream: null, editing: null, offset: 0,
  movable: false, pressed: new Map(), keysHidden: false, action: 0, keyboard: "",
};

// ---- telling the server

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error ?? answer.statusText);
  return said;
}

async function act(name, body = {}) {
  try {
    const group = state.chat === state.person ? {} : { group: state.chat };
    const done = await ask(`/sandbox/chats/${state.person}/${name}`, { ...body, ...group });
    complain("");
    return done;
  } catch (error) {
    complain(error instanceof TypeError ? "The sandbox does not answer. Is it still running?" : error.message);
    return null;
  }
}

function complain(words) {
  $("trouble").textContent = words;
  $("trouble").hidden = !words;
}

const acts = {
  say: (text) => act("send", { text }),
  edit(message) {
    state.editing = message.id;
    $("editing").hidden = false;
    $("editing").firstElementChild.textContent = "Editing your message";
    $("words").value = message.text;
    $("words").focus();
    grow();
  },
  async press(message, button, made) {
    if (button.callback_data === undefined) return complain("This button does nothing in the sandbox.");
    made.classList.add("waiting");
    made.setAttribute("aria-busy", "true");
    const rest = () => { made.classList.remove("waiting"); made.removeAttribute("aria-busy"); };
    const done = await act("press", { message: message.id, data_or_label: button.callback_data });
    if (!done) return rest();
    state.pressed.set(done.id, rest);
    setTimeout(rest, 8000);
    return undefined;
  },
};

// ---- times, in the zone of whoever looks

const zone = () => $("zone").value || undefined;
const format = (options) => new Intl.DateTimeFormat(navigator.language, { timeZone: zone(), ...options });
const hour = (date) => format({ hour: "2-digit", minute: "2-digit" }).format(date);
const day = (date) => format({ weekday: "long", day: "numeric", month: "long" }).format(date);
const shortDay = (date) => format({ weekday: "short", day: "numeric", month: "short" }).format(date);

function tick() {
  if (!state.movable) return;
  const now = new Date(Date.now() + state.offset);
  $("moment").replaceChildren("The bot’s clock: ", element("b", {}, `${shortDay(now)}, ${hour(now)}`));
}

function setClock(clock) {
  state.movable = clock.movable;
  state.offset = new Date(clock.now).getTime() - Date.now();
  $("clock").hidden = !clock.movable;
  tick();
}

// ---- drawing

function redraw() {
  state.drawn.clear();
  $("log").replaceChildren();
  for (const message of state.messages.values()) place(message, false);
  separate();
  toEnd();
}

function toEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

function place(message, fresh) {
  const old = state.drawn.get(message.id);
  const held = old?.contains(document.activeElement);
  const mine = message.from === state.person;
  const made = drawMessage(message, { mine, fresh: fresh && !old, time: hour(new Date(message.date * 1000)), acts });
  made.dataset.day = day(new Date(message.date * 1000));
  state.drawn.set(message.id, made);
  if (old) old.replaceWith(made);
  else $("log").append(made);
  // Replacing the pressed button must not throw a keyboard user back to the top.
  if (held) (made.querySelector("button") ?? $("log")).focus();
}

function separate() {
  for (const line of $("log").querySelectorAll(".day")) line.remove();
  let last = "";
  for (const made of state.drawn.values()) {
    if (made.dataset.day !== last) made.before(element("p", { class: "day" }, made.dataset.day));
    last = made.dataset.day;
  }
}

function show(view) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
  if (view.reset) state.messages.clear();
  for (const message of view.messages) state.messages.set(message.id, message);
  for (const id of view.gone) {
    state.messages.delete(id);
    state.drawn.get(id)?.remove();
    state.drawn.delete(id);
  }
  if (view.reset) redraw();
  else for (const message of view.messages) place(message, true);
  if (view.messages.length || view.gone.length) separate();
  for (const answer of view.answers) showAnswer(answer);
  showBot(view);
  showKeys(view.chat.reply_keyboard);
  showPeople(view.people);
  setClock(view.clock);
  // Last of all: what appears around the messages takes room from them.
  if (view.reset || atEnd) toEnd();
}

function showAnswer(answer) {
  state.pressed.get(answer.query_id)?.();
  state.pressed.delete(answer.query_id);
  if (!answer.text) return;
  if (answer.alert) {
    $("alert").firstElementChild.textContent = answer.text;
    if (!$("alert").open) $("alert").showModal();
    return;
  }
  $("toast").textContent = answer.text;
  $("toast").hidden = false;
  clearTimeout(showAnswer.timer);
  showAnswer.timer = setTimeout(() => { $("toast").hidden = true; }, 5000);
}

function showBot({ bot, chat, reset }) {
  $("name").textContent = chat.private ? bot.name : chat.title;
  document.title = `${bot.name} · try it here`;
  const [action, at] = chat.action;
  if (action && at !== state.action && !reset) {
    clearTimeout(showBot.timer);
    showBot.timer = setTimeout(() => { $("status").textContent = "bot"; }, 5000);
  }
  state.action = at;
  $("status").textContent = action && !reset ? (ACTIVITY[action] ?? "is busy…") : (chat.private ? `bot · you are ${chat.title}` : "group");
  const fresh = chat.private && !chat.started && !chat.blocked;
  $("welcome").hidden = !fresh;
  $("description").hidden = !bot.description;
  $("description").textContent = bot.description;
  $("blocked").hidden = !chat.blocked;
  $("bottom").hidden = fresh || chat.blocked;
  $("block").hidden = chat.blocked;
  $("commands").hidden = !bot.commands.length;
  $("menu").replaceChildren(...bot.commands.map(({ command, description }) => element("li", {},
    element("button", { type: "button", onclick: () => { toggle("commands", "menu", false); acts.say(`/${command}`); $("words").focus(); } },
      element("b", {}, `/${command}`), element("span", {}, description)))));
}

function showKeys(markup) {
  const rows = markup?.keyboard ?? [];
  $("words").placeholder = markup?.input_field_placeholder ?? "Message";
  $("keys").hidden = !rows.length;
  const now = JSON.stringify(rows);
  if (now === state.keyboard) return;
  state.keyboard = now;
  $("keys").replaceChildren(...rows.map((row) => element("div", {}, ...row.map((key) =>
    element("button", { type: "button", class: key.style ?? "", onclick: () => tap(key) }, key.text)))));
}

function tap(key) {
  if (key.request_location) return askPlace();
  if (key.request_contact) return act("contact");
  return act("tap", { label: key.text });
}

function showPeople(people) {
  const now = JSON.stringify(people.map(({ id, title }) => [id, title]));
  if (now === $("people").dataset.shown) return;
  $("people").dataset.shown = now;
  $("people").replaceChildren(...people.map(({ id, title, private: own }) =>
    element("option", { value: id, selected: id === state.chat }, own ? title : `${title} (group)`)));
}

// ---- following a chat

function follow() {
  state.stream?.close();
  const stream = new EventSource(`/sandbox/chats/${state.chat}/events?mark=${encodeURIComponent(state.mark)}`);
  state.stream = stream;
  stream.onmessage = (event) => {
    if (stream !== state.stream) return;
    state.mark = event.lastEventId;
    complain("");
    show(JSON.parse(event.data));
  };
  stream.onerror = () => {
    if (stream !== state.stream) return;
    complain("Connection lost. Trying again…");
    // A browser gives up for good on some errors; then the page asks again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(begin, 2000);
  };
}

function open(chat) {
  keepDraft();
  if (chat > 0) state.person = chat;
  state.chat = chat;
  state.mark = "";
  state.keyboard = "";
  state.messages.clear();
  sessionStorage.setItem("chat", chat);
  $("words").value = sessionStorage.getItem(`draft ${chat}`) ?? "";
  grow();
  follow();
}

async function begin() {
  try {
    let { people } = await ask("/sandbox/people");
    if (!people.some((chat) => chat.private)) {
      people = [await ask("/sandbox/people", { first_name: "You", language_code: navigator.language.slice(0, 2) })];
    }
    const wanted = Number(new URLSearchParams(location.search).get("person") ?? sessionStorage.getItem("chat"));
    const known = people.find((chat) => chat.id === wanted) ?? people.find((chat) => chat.private);
    if (!known.private) state.person = people.find((chat) => chat.private).id;
    open(known.id);
  } catch {
    complain("The sandbox does not answer. Trying again…");
    setTimeout(begin, 2000);
  }
}

// ---- writing

function grow() {
  $("words").style.setProperty("height", "auto");
  $("words").style.setProperty("height", `${$("words").scrollHeight + 2}px`);
}

function keepDraft() {
  if (state.chat && !state.editing) sessionStorage.setItem(`draft ${state.chat}`, $("words").value);
}

function stopEditing() {
  state.editing = null;
  $("editing").hidden = true;
}

async function submit(event) {
  event?.preventDefault();
  const text = $("words").value;
  if (!text.trim()) return;
  $("words").value = "";
  grow();
  const edited = state.editing;
  stopEditing();
  keepDraft();
  const done = edited ? await act("edit", { message_id: edited, text }) : await acts.say(text);
  // What could not be sent comes back, before whatever was typed since.
  if (!done) $("words").value = [text, $("words").value].filter(Boolean).join("\n");
  grow();
  keepDraft();
}

function toggle(button, sheet, wanted = $(sheet).hidden) {
  $(sheet).hidden = !wanted;
  $(button).setAttribute("aria-expanded", String(wanted));
}

function askPlace() {
  $("place").returnValue = "";
  $("place").showModal();
}

$("composer").addEventListener("submit", submit);
$("words").addEventListener("input", () => { grow(); keepDraft(); });
$("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  if (event.key === "Escape" && state.editing) { stopEditing(); $("words").value = ""; }
});
$("stop-editing").addEventListener("click", () => { stopEditing(); $("words").value = ""; $("words").focus(); });
$("commands").addEventListener("click", () => toggle("commands", "menu"));
$("attach").addEventListener("click", () => toggle("attach", "attachments"));
$("more").addEventListener("click", () => toggle("more", "panel"));
$("attachments").addEventListener("click", ({ target }) => {
  if (!target.dataset.act) return;
  toggle("attach", "attachments", false);
  if (target.dataset.act === "location") askPlace();
  else act(target.dataset.act);
});
$("place").addEventListener("close", () => {
  if ($("place").returnValue === "send") act("location", { lat: Number($("lat").value), lon: Number($("lon").value) });
});
$("cities").append(...CITIES.map(([name, lat, lon]) =>
  element("button", { type: "button", onclick: () => { $("lat").value = lat; $("lon").value = lon; } }, name)));
$("start").addEventListener("click", () => act("start", { payload: new URLSearchParams(location.search).get("start") ?? "" }));
$("block").addEventListener("click", () => act("block"));
$("unblock").addEventListener("click", () => act("unblock"));
$("clear").addEventListener("click", () => act("clear"));
$("people").addEventListener("change", () => open(Number($("people").value)));
$("new-person").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await ask("/sandbox/people", { first_name: $("new-name").value, language_code: $("new-language").value });
  $("new-name").value = "";
  open(made.id);
});
$("jumps").addEventListener("click", async ({ target }) => {
  if (!target.dataset.target) return;
  for (const button of $("jumps").children) button.disabled = true;
  try {
    setClock(await ask("/sandbox/clock", { target: target.dataset.target }));
    complain("");
  } catch (error) {
    complain(error.message);
  } finally {
    for (const button of $("jumps").children) button.disabled = false;
    target.focus();
  }
});

const home = localStorage.getItem("zone") ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = new Set([home, "UTC", ...(Intl.supportedValuesOf?.("timeZone") ?? [])]);
$("zone").append(...[...zones].map((name) => element("option", { value: name, selected: name === home }, name)));
$("zone").addEventListener("change", () => { localStorage.setItem("zone", zone()); redraw(); tick(); });
// Who reads the newest message keeps reading it when a keyboard takes room away.
new ResizeObserver(([{ target }]) => {
  if (target.dataset.end === "true") toEnd();
}).observe($("log"));
$("log").addEventListener("scroll", () => {
  const log = $("log");
  log.dataset.end = String(log.scrollHeight - log.scrollTop - log.clientHeight < 40);
});
setInterval(tick, 1000);
begin();
