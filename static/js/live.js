// Owns the live list: new rows on top, their number and chart above it, the state in words, and the pause. Never
// decides what a row looks like: the server draws it, every value escaped.

const mostRows = 300;
const states = {
  connecting: "Connecting…",
  live: "Live",
  paused: "Paused",
  again: "Reconnecting…",
  off: "Not live: reload the page",
  ended: "Not live: you are signed out",
};

const live = document.querySelector("[data-live]");
const list = document.querySelector("#attempts tbody");
const state = live.querySelector("[data-live-state]");
const pause = live.querySelector("[data-live-pause]");
const address = new URL(live.dataset.events, location.href);
let source;

const show = (name) => {
  state.dataset.state = name;
  state.textContent = states[name];
  pause.hidden = name === "off" || name === "ended";
};

const add = (event) => {
  address.searchParams.set("from", event.lastEventId);
  if (!list) return location.reload(); // the page says that there is nothing yet
  if (list.querySelector(`[data-id="${event.lastEventId}"]`)) return undefined;
  const template = document.createElement("template");
  template.innerHTML = event.data;
  const row = template.content.firstElementChild;
  row.classList.add("log-new");
  list.prepend(row);
  while (list.rows.length > mostRows) list.lastElementChild.remove();
  return undefined;
};

const sum = (event) => {
  const page = new DOMParser().parseFromString(event.data, "text/html");
  const [chart, count] = [".chart", ".count"].map((name) => [document.querySelector(`main ${name}`), page.querySelector(name)]);
  if (chart[0] && chart[1]) chart[0].replaceWith(chart[1]);
  if (count[0] && count[1]) count[0].textContent = count[1].textContent;
};

const close = (name) => {
  source?.close();
  source = undefined;
  show(name);
};

const open = () => {
  show("connecting");
  source = new EventSource(address);
  source.addEventListener("open", () => show("live"));
  source.addEventListener("attempt", add);
  source.addEventListener("summary", sum);
  source.addEventListener("ended", () => close("ended"));
  source.addEventListener("error", () => (source?.readyState === EventSource.CLOSED ? close("off") : show("again")));
};

pause.addEventListener("click", () => {
  const paused = Boolean(source);
  if (paused) close("paused");
  else open();
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Resume" : "Pause";
});

addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => event.persisted && source && open());
open();
