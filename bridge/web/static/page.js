// The page of one room, and of all rooms: it shows what the bridge says, and of a press its result.

const SILENCE = 1900; // ms: the bridge speaks each second; silent for longer, it counts as lost
const PATIENCE = 4000; // ms that an attempt to connect may take
const LONGEST_PAUSE = 4000; // ms between two attempts
const HOLD = 1000; // ms for which Stop is held; page.css fills the button in the same time
const SHOWN_FOR = 8000; // ms for which a press shows that it was carried out

const asked = new URLSearchParams(location.search);
const kiosk = asked.has("kiosk");
const path = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
const room = path.at(-1) ?? null; // `/` is all rooms; `/<room>` and `/rooms/<room>` are one

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readTexts() {
  for (;;) {
    const answer = await fetch("/static/texts.json").catch(() => null); // the bridge may just have gone
    if (answer?.ok) return answer.json();
    await sleep(1000);
  }
}

const table = await readTexts();
const language = [asked.get("lang"), ...navigator.languages, "en"]
  .map((each) => each?.toLowerCase().split("-")[0])
  .find((each) => Object.hasOwn(table, each));
const locale = navigator.languages.find((each) => each.startsWith(language)) ?? language; // 3 PM or 15:00
const texts = table[language];

const $ = (id) => document.getElementById(id);
const put = (element, text) => element.textContent !== text && (element.textContent = text);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// Time. The tablet's own clock may be wrong; what is shown is reckoned by the bridge's.

const rooms = new Map(); // by room: what `learn` makes of the bridge's word about it
let offset = 0; // ms that the bridge's clock is ahead of this one
let heard = performance.now(); // when the bridge last said something
let lost = null; // since when (Date) it has not; null while it speaks

const now = () => Date.now() + offset;

function setClock(bridge) {
  const ahead = Date.parse(bridge) - Date.now();
  // What comes late seems to be behind, so the greatest counts, but not for ever: clocks are set.
  offset = Math.abs(ahead - offset) > 5000 ? ahead : Math.max(ahead, offset - 20);
}

function clockTime(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date(now()).toDateString();
  const day = today ? {} : { weekday: "short", day: "numeric", month: "short" };
  return date.toLocaleString(locale, { ...day, hour: "2-digit", minute: "2-digit" });
}

function timeLeft(milliseconds) {
  const minutes = Math.max(0, Math.ceil(milliseconds / 60000));
  const parts = minutes < 60 ? [["minute", minutes]] : [["hour", Math.floor(minutes / 60)], ["minute", minutes % 60]];
  return parts
    .filter(([, count], place) => count || !place)
    .map(([unit, count]) => count.toLocaleString(locale, { style: "unit", unit, unitDisplay: "short" }))
    .join(" ");
}

function recorded({ view, began, counted }) {
  if (!view.recording) return "";
  const seconds = Math.floor(counts(view) ? (performance.now() - began) / 1000 : counted);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

const counts = (view) => view.state === "recording" && !view.stale;

function learn(key, view) {
  const before = rooms.get(key);
  let began = performance.now() - view.elapsed * 1000;
  let counted = view.elapsed;
  if (before && counts(before.view) && before.view.started_at === view.started_at) {
    // Whole seconds are told, some of them a while ago: it never began later than any of them says.
    began = Math.min(began, before.began);
    counted = Math.max(counted, (performance.now() - began) / 1000);
  }
  const since = view.stale_since ? filled(texts.stale, { time: clockTime(view.stale_since) }) : texts.stale_before;
  rooms.set(key, { view, began, counted, stale: view.stale ? since : "" });
}

// What is shown.

const form = ({ state }) => (["idle", "recording", "paused", "error", "unknown"].includes(state) ? state : "changing");
const icon = (name) => `#i-${name}`;

function word(view) {
  return texts.states[view.state] ?? view.state;
}

const capital = (text) => text.charAt(0).toLocaleUpperCase(language) + text.slice(1);

function alarmOf(view) {
  const known = texts.alarms[view.alarm];
  if (!view.alarm) return null;
  return { means: capital(known?.means ?? view.alarm), do: capital(known?.do ?? "") };
}

function wear(element, view) {
  element.dataset.form = form(view);
  element.toggleAttribute("data-stale", view.stale);
}

function showRoom() {
  const known = rooms.get(room);
  $("room").hidden = !known || $("absent").hidden === false;
  if (!known) return;
  const { view, stale } = known;
  const alarm = alarmOf(view);
  put($("name"), view.name ?? room);
  document.title = `${view.state === "recording" ? "● " : ""}${word(view)} · ${view.name ?? room}`;
  wear(document.body, view);
  $("form").firstElementChild.setAttribute("href", icon(form(view)));
  put($("word"), word(view));
  put($("title"), view.title ?? "");
  $("stale").hidden = !view.stale;
  put($("stale"), stale);
  $("alarm").hidden = !alarm;
  if (alarm) {
    put($("alarm-means"), `${alarm.means}.`);
    put($("alarm-do"), alarm.do && `${alarm.do}.`);
    const more = view.error && view.error.code !== view.alarm;
    put($("alarm-hmp"), more ? `${view.error.message} (${view.error.code})` : "");
  }
  showFacts(view);
  showButtons(view);
  say([word(view), stale, alarm && `${texts.alarm}: ${alarm.means}`].filter(Boolean).join(". "));
}

function showFacts(view) {
  const meetings = view.meetings.filter((each) => !each.dismissed);
  const rows = meetings.slice(0, 2).map((meeting) => {
    const [start, end] = [meeting.start, meeting.end].map((each) => each && clockTime(each));
    const times = end && filled(start ? texts.meeting_times : texts.meeting_end, { start, end });
    return [texts.meeting, [meeting.title, meeting.organizer, times].filter(Boolean).join(" · ")];
  });
  if (meetings.length > 2) rows.push(["", filled(texts.more_meetings, { count: meetings.length - 2 })]);
  if (view.ends_at && view.state !== "stopping") {
    const left = timeLeft(Date.parse(view.ends_at) - now());
    rows.push([texts.ends, filled(texts.ends_at, { time: clockTime(view.ends_at), left })]);
  }
  if (view.bridge && !view.bridge.broker) rows.push(["", texts.no_broker]);
  const facts = $("facts");
  facts.hidden = !rows.length;
  while (facts.children.length > rows.length) facts.lastElementChild.remove();
  rows.forEach(([name, value], place) => {
    const row = facts.children[place] ?? facts.appendChild(document.createElement("li"));
    if (!row.children.length) row.append(document.createElement("b"), " ", document.createElement("span"));
    put(row.firstElementChild, name);
    put(row.lastElementChild, value);
  });
}

function showButtons(view) {
  const operates = view.role !== "look";
  $("controls").hidden = !operates;
  $("look").hidden = operates;
  for (const button of buttons) {
    if (["pause", "resume"].includes(button.dataset.action)) {
      button.dataset.action = ["pausing", "paused"].includes(view.state) ? "resume" : "pause";
      button.querySelector("use").setAttribute("href", icon(button.dataset.action));
    }
    put(button.querySelector(".what"), texts.actions[button.dataset.action]);
    const can = lost === null && view.actions[button.dataset.action];
    button.setAttribute("aria-disabled", String(!can));
    const hint = can && button.dataset.action === "stop" ? texts.hold : "";
    put(button.querySelector("small"), fateOf(button) ?? hint);
  }
  if (!can($("stop"))) $("sure").close("no");
}

const tiles = new Map(); // by room

function showRooms() {
  $("rooms").hidden = false;
  $("none").hidden = rooms.size > 0;
  for (const [key, tile] of tiles) if (!rooms.has(key) && tiles.delete(key)) tile.remove();
  for (const key of rooms.keys()) showTile(key);
  const shape = (innerWidth / innerHeight) * 0.62; // a tile is best when it is wider than high
  const columns = Math.round(Math.sqrt(rooms.size * shape));
  $("tiles").style.setProperty("--columns", Math.max(1, Math.min(rooms.size, columns)));
}

function showTile(key) {
  if (!tiles.has(key)) tiles.set(key, newTile(key));
  const tile = tiles.get(key);
  const { view, stale } = rooms.get(key);
  wear(tile, view);
  tile.querySelector("use").setAttribute("href", icon(form(view)));
  const alarm = alarmOf(view);
  tile.toggleAttribute("data-alarm", alarm !== null);
  const line = alarm?.means ?? view.title ?? view.meetings.find((each) => !each.dismissed)?.title ?? "";
  const parts = { name: view.name ?? key, word: word(view), line, since: stale };
  for (const [part, text] of Object.entries(parts)) put(tile.querySelector(`.${part}`), text);
}

function newTile(key) {
  const tile = $("tile").content.firstElementChild.cloneNode(true);
  tile.querySelector("a").href = `/rooms/${encodeURIComponent(key)}${location.search}`;
  tile.dataset.room = key;
  return $("tiles").appendChild(tile);
}

function show(key) {
  if (room !== null) showRoom();
  else if (tiles.has(key) && rooms.has(key)) showTile(key);
  else showRooms();
}

function say(text) {
  put($("announcement"), text);
}

function showTime() {
  const silent = !attempt.refused && performance.now() - heard > SILENCE;
  if (silent !== (lost !== null)) {
    lost = silent ? new Date(now() - (performance.now() - heard)) : null;
    $("lost").hidden = !silent;
    if (silent) put($("lost"), filled(texts.lost, { time: lost.toLocaleTimeString(locale) }));
    if (room !== null) showRoom();
    say(silent ? $("lost").textContent : `${texts.back} ${$("announcement").textContent}`);
  }
  if (silent && performance.now() - attempt.since > attempt.patience) attempt.end.abort();
  const link = silent ? "lost" : rooms.size ? "connected" : "connecting";
  document.body.dataset.link = link;
  put($("link-text"), texts.link[link]);
  put($("clock"), new Date(now()).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" }));
  if (performance.now() > told) put($("result"), "");
  for (const [button, fate] of fates) if (performance.now() > fate.until) fates.delete(button);
  if (silent) return; // nobody knows whether it still counts
  if (room === null) {
    for (const [key, tile] of tiles) put(tile.querySelector(".elapsed"), recorded(rooms.get(key)));
  } else if (rooms.has(room)) {
    put($("elapsed"), recorded(rooms.get(room)));
    showFacts(rooms.get(room).view);
    showButtons(rooms.get(room).view);
  }
}

// Buttons. Each shows what became of it; what it is called says what it does.

const buttons = [...document.querySelectorAll("[data-action]")];
const can = (button) => button.getAttribute("aria-disabled") === "false";
const fates = new Map(); // by button: the word for what became of it, and until when (performance.now) it is shown
const presses = new Map(); // by id: what this page has asked for
let told = Infinity; // until when (performance.now) the last result is shown

function fate(button, text, shownFor, action = null) {
  fates.set(button, { text, action, until: performance.now() + shownFor });
  put(button.querySelector("small"), fateOf(button) ?? "");
}

function fateOf(button) {
  const { text, action } = fates.get(button) ?? { action: null };
  return action === null || action === button.dataset.action ? text : undefined; // Pause may be Resume meanwhile
}

async function press(button, parameters = {}) {
  if (!can(button)) return;
  const { action } = button.dataset;
  const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  presses.set(id, { button, outcome: null });
  button.dataset.fate = "asked";
  button.setAttribute("aria-busy", "true");
  fate(button, texts.fates.asked, Infinity);
  const failed = (code, message) => ({ action, outcome: "failed", error: { code, message } });
  let result = { action, outcome: "unknown", error: { code: "no_answer" } };
  try {
    const answer = await fetch(`/rooms/${encodeURIComponent(room)}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...parameters, id }),
    });
    const said = await answer.json().catch(() => null);
    if (answer.status === 401) askForSecret();
    if (answer.status === 202) return; // HMP takes long: the stream tells the result
    if (said?.outcome) result = said;
    else if (answer.status === 401 || answer.status === 403) result = failed("not_allowed");
    else if (answer.status === 429) result = failed("too_many_requests");
    else result = failed(said?.error?.code ?? String(answer.status), said?.error?.message ?? answer.statusText);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the connection was lost: the stream may still tell
  }
  settle({ ...result, id });
}

function settle({ id, action, outcome, error }) {
  const own = presses.get(id);
  if (own?.outcome === outcome || !texts.actions[action] || (!own && outcome === "ignored")) return;
  const why = texts.problems[error?.code] ?? (error ? `${error.message} (${error.code})` : "");
  const news = filled(texts.outcomes[outcome] ?? "{action}: {why}", { action: texts.actions[action], why }).trim();
  put($("result"), news);
  put($("news"), news);
  $("result").dataset.outcome = outcome;
  told = performance.now() + (["ok", "ignored"].includes(outcome) ? SHOWN_FOR : Infinity);
  if (!own) return;
  own.outcome = outcome;
  own.button.dataset.fate = outcome;
  own.button.removeAttribute("aria-busy");
  fate(own.button, texts.fates[outcome] ?? outcome, SHOWN_FOR, action);
}

function onHeld(button, act) {
  let timer = null;
  let assisted = false; // by a screen reader, whose touch has no size
  let acted = false;
  const letGo = () => {
    clearTimeout(timer);
    button.removeAttribute("data-held");
  };
  button.addEventListener("pointerdown", (event) => {
    assisted = event.width === 0 && event.height === 0;
    acted = false;
    if (!event.isPrimary || event.button !== 0 || !can(button)) return;
    button.releasePointerCapture(event.pointerId); // so that a finger that slides off leaves
    button.setAttribute("data-held", "");
    timer = setTimeout(() => {
      letGo();
      acted = true;
      act();
    }, HOLD);
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(end, letGo);
  addEventListener("blur", letGo);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => {
    if (acted || !can(button)) return;
    if (event.detail === 0 || event.buttons === 1 || assisted) $("sure").showModal();
    else fate(button, texts.hold, SHOWN_FOR);
  });
  $("sure").addEventListener("close", () => {
    if ($("sure").returnValue === "yes") act();
    $("sure").returnValue = "";
  });
}

function wireButtons() {
  for (const button of buttons) {
    if (button.id === "stop") onHeld(button, () => press(button));
    else if (button.form === null) button.addEventListener("click", () => press(button));
  }
  $("marking").addEventListener("submit", (event) => {
    event.preventDefault();
    const title = $("mark-title").value.trim();
    if (can($("mark"))) $("mark-title").value = "";
    press($("mark"), title ? { title } : {});
  });
}

// Who may. A link's fragment is in no log, and does not stay in the address either.

let admitted = null; // called once a secret was taken

function askForSecret() {
  if (!$("door").hidden) return;
  $("door").hidden = false;
  $("cancel").hidden = !rooms.size; // without one there is nothing to see
  $("secret").focus();
}

async function enter(secret) {
  let fault = "secret_unheard";
  try {
    const { ok, status } = await fetch("/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ secret }),
    });
    fault = ok ? null : status === 429 ? "too_many_secrets" : "wrong_secret";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  put($("secret-fault"), fault ? texts[fault] : "");
  if (fault) return askForSecret();
  $("door").hidden = true;
  $("secret").value = "";
  attempt.last = null; // whoever may more is told all anew
  attempt.end.abort();
  admitted?.();
}

async function useFragment() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("secret");
  if (secret === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  await enter(secret);
}

// The stream of events. It is read by hand: EventSource gives up at some answers, and tells no status.

const attempt = { since: 0, patience: PATIENCE, end: new AbortController(), again: () => {}, refused: false, last: null };

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value.replaceAll("\r", "")).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split("\n").map((line) => /^(\w*):? ?(.*)$/.exec(line).slice(1));
      const field = (name) => lines.filter(([key]) => key === name).map(([, text]) => text);
      yield { id: field("id").at(-1), kind: field("event").at(-1), data: field("data").join("\n") };
    }
  }
}

const lifeOf = (id) => id.split("-")[0];

async function follow() {
  let pause = 0;
  for (;;) {
    Object.assign(attempt, { since: performance.now(), patience: PATIENCE, end: new AbortController() });
    let status = 0;
    try {
      const events = room === null ? "/events" : `/rooms/${encodeURIComponent(room)}/events`;
      const headers = attempt.last === null ? {} : { "Last-Event-ID": attempt.last };
      const answer = await fetch(events, { headers, signal: attempt.end.signal, cache: "no-store" });
      status = answer.status;
      const present = new Set(attempt.last === null ? [] : rooms.keys()); // the rooms that the bridge has
      if (answer.ok) {
        for await (const { id, kind, data } of eventsOf(answer.body)) {
          // Another process than before tells all anew.
          if (id && attempt.last && lifeOf(id) !== lifeOf(attempt.last)) present.clear();
          attempt.last = id ?? attempt.last;
          pause = 0;
          attempt.patience = 0; // from here on silence is enough
          heard = performance.now();
          take(kind, data && JSON.parse(data), present);
        }
      }
    } catch (error) {
      // A connection that was not made, or ended, is tried again.
      if (!(error instanceof TypeError) && error.name !== "AbortError") throw error;
    }
    attempt.refused = [401, 403, 404].includes(status); // the bridge is there, and says no
    if (status === 403) put($("secret-fault"), texts.problems.not_allowed);
    if (status === 401 || status === 403) await new Promise((resolve) => ((admitted = resolve), askForSecret()));
    if (status === 404) forget(room);
    pause = Math.min(LONGEST_PAUSE, pause * 2 || 200);
    const again = new Promise((resolve) => (attempt.again = resolve));
    await Promise.race([again, sleep(pause * (0.5 + Math.random() / 2))]); // many pages do not come at once
  }
}

function take(kind, data, present) {
  if (kind === "room" && data.view === null) {
    forget(data.room);
  } else if (kind === "room") {
    present.add(data.room);
    learn(data.room, data.view);
    $("absent").hidden = true;
    show(data.room);
  } else if (kind === "result" && data.room === room) {
    settle(data.result);
  } else if (kind === "beat") {
    setClock(data.now);
    [...rooms.keys()].filter((key) => !present.has(key)).forEach(forget); // the present rooms came first
    if (room === null && !rooms.size) showRooms();
  }
  showTime();
}

function forget(key) {
  rooms.delete(key);
  if (room === null) showRooms();
  else showAbsent();
}

function showAbsent() {
  put($("name"), room);
  put($("absent-text"), filled(texts.no_room, { room }));
  $("absent").hidden = false;
  $("room").hidden = true;
}

// On the wall: the whole screen, which stays on where the browser allows it (over TLS, or on this machine).

function beKiosk() {
  document.body.dataset.kiosk = "";
  const stayOn = () => document.hidden || navigator.wakeLock?.request("screen").catch(() => {});
  stayOn();
  document.addEventListener("visibilitychange", stayOn);
  addEventListener("click", () => {
    if (!document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
  });
}

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", texts[element.dataset.label]);
$("mark-title").placeholder = texts.if_wanted;
if (room === null) document.title = texts.all_rooms;
addEventListener("resize", () => room === null && rooms.size && showRooms());
document.body.dataset.page = room === null ? "rooms" : "room";
$("back").hidden = room === null || kiosk;
put($("name"), room ?? texts.all_rooms);
wireButtons();
$("unlock").addEventListener("click", askForSecret);
$("cancel").addEventListener("click", () => ($("door").hidden = true));
$("secret-form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("secret").value);
});
addEventListener("hashchange", useFragment);
addEventListener("online", () => attempt.again());
if (kiosk) beKiosk();
setInterval(showTime, 250);
await useFragment();
follow();
