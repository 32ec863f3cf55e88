// Messages become elements here. Text is only ever set as text, so nothing a message says can run.

export function element(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

function safeLink(address, words) {
  const allowed = /^(https?:|tel:|mailto:|tg:)/i.test(address);
  if (!allowed) return element("span", {}, words);
  return element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, words);
}

function wrap(entity, inner, text, acts) {
  if (TAGS[entity.type]) return element(TAGS[entity.type], {}, inner);
  switch (entity.type) {
    case "text_link": return safeLink(entity.url, inner);
    case "url": return safeLink(text, inner);
    case "email": return safeLink(`mailto:${text}`, inner);
    case "phone_number": return element("a", { href: `tel:${text.replace(/[^+\d]/g, "")}` }, inner);
    case "bot_command": return element("button", { class: "command", type: "button", onclick: () => acts.say(text) }, inner);
    case "spoiler": {
      const cover = element("span", { class: "spoiler", tabindex: "0", role: "button", "aria-label": "Hidden text, open" }, inner);
      const open = () => { cover.classList.add("open"); cover.removeAttribute("aria-label"); };
      cover.addEventListener("click", open);
      cover.addEventListener("keydown", (event) => { if (event.key === "Enter") open(); });
      return cover;
    }
    default: return inner;
  }
}

// Offsets are UTF-16 code units, which is also how strings are counted here.
export function drawText(text, entities, acts) {
  const build = (from, to, among) => {
    const piece = document.createDocumentFragment();
    let at = from;
    for (let index = 0; index < among.length; index += 1) {
      const entity = among[index];
      if (entity.offset < at) continue;
      const end = Math.min(entity.offset + entity.length, to);
      piece.append(text.slice(at, entity.offset));
      const within = among.slice(index + 1).filter((other) => other.offset < end);
      piece.append(wrap(entity, build(entity.offset, end, within), text.slice(entity.offset, end), acts));
      at = end;
    }
    piece.append(text.slice(at, to));
    return piece;
  };
  return element("div", { class: "text", dir: "auto" }, build(0, text.length, entities));
}

function drawCard(symbol, title, small, href, download) {
  const inside = [element("span", { "aria-hidden": "true" }, symbol), element("span", {}, title, element("small", {}, small))];
  return href ? element("a", { class: "card", href, download }, ...inside) : element("div", { class: "card" }, ...inside);
}

function drawContact(contact) {
  const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
  const number = element("a", { class: "call", href: `tel:${contact.phone_number.replace(/[^+\d*#]/g, "")}` }, contact.phone_number);
  return element("div", { class: "card" }, element("span", { "aria-hidden": "true" }, "☎\ufe0e"), element("span", {}, name, element("br"), number));
}

function drawContent(message, acts) {
  const parts = [];
  if (message.reply) parts.push(element("p", { class: "reply" }, `${message.reply.name}: ${message.reply.text}`));
  if (message.photo) {
    const { url, width, height } = message.photo;
    parts.push(element("img", { class: "photo", src: url, width, height, alt: message.text || "Picture" }));
  }
  if (message.document) {
    const size = `${Math.max(1, Math.round(message.document.size / 1024))} KB · download`;
    parts.push(drawCard("📄", message.document.name, size, message.document.url, message.document.name));
  }
  if (message.contact) parts.push(drawContact(message.contact));
  if (message.location) {
    const { latitude, longitude } = message.location;
    parts.push(drawCard("📍", "Location", `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`));
  }
  if (message.voice) parts.push(drawCard("▶\ufe0e", "Voice message", `0:${String(message.voice.duration).padStart(2, "0")}`));
  if (message.video) parts.push(drawCard("▶\ufe0e", "Video", `0:0${message.video.duration}`));
  if (message.sticker) parts.push(element("div", { class: "sticker", role: "img", "aria-label": `Sticker ${message.sticker.emoji}` }, message.sticker.emoji));
  if (message.text) parts.push(drawText(message.text, message.entities, acts));
  return parts;
}

function bell() {
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", "sent without sound");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", "M4 4 20 20M18 15v-4a6 6 0 0 0-8.5-5.45M6.3 9A6 6 0 0 0 6 11v5l-1.5 2H17M10.5 21h3");
  path.setAttribute("fill", "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", "2");
  path.setAttribute("stroke-linecap", "round");
  drawn.append(path);
  return drawn;
}

function drawKeyboard(message, acts) {
  if (!message.keyboard.length) return null;
  const rows = message.keyboard.map((row) => element("div", {}, ...row.map((button) => {
    if (button.url) return element("a", { class: button.style ?? "", href: /^(https?|tg):/i.test(button.url) ? button.url : "#", target: "_blank", rel: "noopener noreferrer" }, `${button.text} ↗`);
    const made = element("button", { type: "button", class: button.style ?? "" }, button.text);
    made.addEventListener("click", () => acts.press(message, button, made));
    return made;
  })));
  return element("div", { class: "keyboard", role: "group", "aria-label": "Answers" }, ...rows);
}

export function drawMessage(message, { mine, fresh, time, acts }) {
  if (message.new_chat_members || message.left_chat_member) {
    return element("p", { class: "service" }, message.new_chat_members ? "The bot was added to the group" : "The bot left the group");
  }
  const pencil = mine && message.text && !message.photo && !message.document
    ? element("button", { class: "pencil", type: "button", "aria-label": `Edit: ${message.text.slice(0, 60)}`, onclick: () => acts.edit(message) }, "✎")
    : null;
  const meta = element("div", { class: "meta" },
    message.silent ? bell() : null,
    message.edited ? element("span", {}, "edited") : null,
    element("time", { datetime: new Date(message.date * 1000).toISOString() }, time),
    pencil);
  const bubble = element("div", { class: fresh ? "bubble fresh" : "bubble" }, ...drawContent(message, acts), meta);
  if (pencil) bubble.addEventListener("dblclick", () => acts.edit(message));
  const keyboard = drawKeyboard(message, acts);
  const reaction = message.reactions.length ? element("div", { class: "reaction", "aria-label": `Reaction ${message.reactions.join(" ")}` }, ...message.reactions) : null;
  const classes = ["message", mine ? "mine" : "", keyboard ? "keyed" : ""].filter(Boolean).join(" ");
  return element("article", { class: classes, "aria-label": mine ? "You" : message.name, id: `message-${message.id}` }, bubble, reaction, keyboard);
}
