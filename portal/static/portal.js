// What pages do by themselves where a script may run. Without it every link and form still works.
"use strict";

document.documentElement.classList.add("runs-scripts"); // what only a script can do is shown now

const REFRESH_MS = 15_000; // pages ask for news this often, while they are looked at
let asked = Date.now();

function ask() {
  if (document.hidden) return;
  asked = Date.now();
  document.body.dispatchEvent(new CustomEvent("refresh"));
}

setInterval(ask, REFRESH_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - asked >= REFRESH_MS) ask();
});

// <time data-until="…"> counts down. The server's clock counts: data-now is what it said.
function remaining(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function count() {
  for (const each of document.querySelectorAll("time[data-until]")) {
    each.shift ??= Date.parse(each.dataset.now) - Date.now();
    const left = Date.parse(each.dataset.until) - Date.now() - each.shift;
    each.textContent = left > 0 ? remaining(Math.ceil(left / 1000)) : "a moment";
  }
}

setInterval(() => { if (!document.hidden) count(); }, 1000);

// <button data-copy="text">
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const said = button.querySelector("[data-said]") ?? button;
  const before = said.textContent;
  said.textContent = "Copied";
  setTimeout(() => { said.textContent = before; }, 2000);
});

// <input data-focus-key="/">: that key goes there from wherever nothing is typed.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
  const field = document.querySelector(`[data-focus-key="${CSS.escape(event.key)}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// Places in a row that is wider than a phone: the one that is open is in view.
document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// <button data-print>
document.addEventListener("click", (event) => {
  if (event.target.closest?.("button[data-print]")) window.print();
});

// A fragment with errors: to the first field that has one.
document.addEventListener("htmx:afterSwap", (event) => {
  const swapped = event.detail.target ?? event.target; // going back, there is none
  const form = document.getElementById(swapped.id) ?? swapped;
  form.querySelector?.("[aria-invalid=true]")?.focus();
});
// An answer that never came.
document.addEventListener("htmx:sendError", () => {
  const notice = document.getElementById("notice");
  if (notice) notice.textContent = "Dreamland can't be reached at the moment. What you see may be old.";
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.xhr.status < 400) document.getElementById("notice")?.replaceChildren();
});

// <select data-zone> begins at the browser's own time zone, where nothing is chosen yet.
const RENAMED = { // names that browsers still tell of zones that are called otherwise
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires", "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu", "Asia/Rangoon": "Asia/Yangon", "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe", "Europe/Kiev": "Europe/Kyiv",
};
const told = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zone = RENAMED[told] ?? told;
for (const each of document.querySelectorAll("select[data-zone]")) {
  if (!each.value && [...each.options].some((option) => option.value === zone)) each.value = zone;
}
