// Small comforts of the admin pages. Every page works without this file: it only saves presses.
"use strict";

// Copy buttons are hidden until there is something that can copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const done = button.querySelector(".copy-done");
    done.textContent = "Copied";
    setTimeout(() => { done.textContent = ""; }, 2000);
  });
}

// A rejected form shows its errors first: the summary takes the focus.
document.querySelector("[data-focus]")?.focus();

// Drop-downs close on Escape and on a press elsewhere.
const openMenus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (location.hash === "#menu") location.hash = "#main";
});
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

// What was just deleted can be taken back: the message floats, is said once more to whoever listens, and goes after a while, but never
// while it is pointed at or has the focus. Without this file it stands in the page.
const TOAST_MS = 15000;
for (const toast of document.querySelectorAll("[data-toast]")) {
  const text = toast.querySelector("[role=status]");
  const said = text.textContent;
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const isHeld = () => toast.matches(":hover") || toast.contains(document.activeElement);
  const start = () => {
    stop();
    timer = setTimeout(() => { if (isHeld()) start(); else toast.hidden = true; }, TOAST_MS);
  };
  toast.classList.add("floating");
  setTimeout(() => text.replaceChildren(said), 100);
  const close = toast.querySelector("[data-toast-close]");
  close.hidden = false;
  const end = () => {
    stop();
    toast.hidden = true;
    document.querySelector("main").focus();
  };
  close.addEventListener("click", end);
  toast.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

// Lists follow their filters without a press on Apply (the button stays).
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// One box ticks all rows, and the bulk bar counts them.
for (const all of document.querySelectorAll("[data-select-all]")) {
  const id = all.dataset.selectAll;
  const boxes = [...document.querySelectorAll(`input[name="select"][form="${id}"]`)];
  const count = document.querySelector(`[data-selected="${id}"]`);
  // All that match are offered once all rows of the page are ticked.
  const matching = document.querySelector(`[data-matching="${id}"]`);
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    if (matching && !all.checked) matching.checked = false;
    if (matching) matching.parentElement.hidden = !all.checked;
    if (count) count.textContent = `${matching?.checked ? matching.dataset.number : ticked} selected`;
  };
  matching?.addEventListener("change", tell);
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}

// Escape leaves a question as Cancel does: nothing is sent.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || openMenus().length) return;
  if (event.target.matches?.("input[type=search]")) return;
  document.querySelector(".confirm .form-actions a[href]")?.click();
});

// A second press on Save sends nothing while the first is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A form that takes its time says so.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    if (form.querySelector(".busy")) return;
    const busy = document.createElement("p");
    busy.className = "busy";
    busy.setAttribute("role", "status");
    busy.append(document.createElement("progress"), form.dataset.busy);
    form.append(busy);
  });
}
window.addEventListener("pageshow", () => {
  for (const busy of document.querySelectorAll(".busy")) busy.remove();
});

// A typed password can be looked at.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const fields = button.dataset.reveal.split(" ").map((id) => document.getElementById(id));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = fields[0].type === "password";
    for (const field of fields) field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
}

// Ordered lists can be dragged; the buttons beside each row do the same.
for (const form of document.querySelectorAll("form[data-order]")) {
  const list = form.querySelector("ol");
  const rows = () => [...list.querySelectorAll("[data-row]")];
  let dragged = null;
  let before = [];
  for (const row of rows()) {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      before = rows();
      row.classList.add("dragging");
      event.dataTransfer.effectAllowed = "move";
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged === row) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      list.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? row : row.nextSibling);
    });
    row.addEventListener("dragend", () => {
      dragged = null;
      row.classList.remove("dragging");
      if (rows().every((one, at) => one === before[at])) return;
      rows().forEach((one, at) => { one.querySelector("input").value = at + 1; });
      form.requestSubmit(form.querySelector('[name="do"][value="order"]'));
    });
  }
}

// What follows something goes on by itself, as long as somebody may be looking at it.
for (const part of document.querySelectorAll("[data-follow]")) {
  const EVERY_MS = 4000;
  const ends = Date.now() + 30 * 60 * 1000;
  const read = (text) => Object.assign(document.createElement("template"), { innerHTML: text }).innerHTML.trim();
  // Much may have happened since the page itself was made.
  let shown = part.innerHTML.trim();
  const look = async () => {
    if (!document.hidden) {
      const answer = await fetch(part.dataset.follow, { redirect: "manual" }).catch(() => null);
      // Whoever is signed out is told by the next page; a server that restarts answers again.
      if (answer && !answer.ok) return;
      const text = answer ? read(await answer.text()) : shown;
      if (text !== shown) part.innerHTML = text;
      shown = text;
    }
    if (Date.now() < ends) setTimeout(look, EVERY_MS);
  };
  look();
}

// Before a session ends the page says so. Every page and every tab that is used puts the end off, so the tabs share it.
for (const note of document.querySelectorAll("[data-session-seconds]")) {
  const WARN_MS = 5 * 60 * 1000;
  const KEY = "pdms-session-ends";
  const words = note.querySelector("[role=status]");
  const button = note.querySelector("button");
  let timer;
  const say = (text, stay) => {
    note.hidden = false;
    button.hidden = !stay;
    if (words.textContent !== text) words.textContent = text;
  };
  const look = () => {
    clearTimeout(timer);
    const ends = Number(localStorage.getItem(KEY));
    const left = ends - Date.now();
    if (left <= 0) {
      say("You are signed out. What you typed on this page is not lost: save it, sign in, and it is back.", false);
    } else if (left <= WARN_MS) {
      const at = new Date(ends).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      say(button.disabled ? `Your sign-in ends at ${at}, however much you do: save your work.` : `You will be signed out at ${at}, because nothing was done for a long time.`, !button.disabled);
      timer = setTimeout(look, left + 500);
    } else {
      note.hidden = true;
      timer = setTimeout(look, left - WARN_MS + 500);
    }
  };
  const begin = (seconds) => {
    localStorage.setItem(KEY, String(Date.now() + seconds * 1000));
    look();
  };
  note.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(note.action, { method: "POST", body: new URLSearchParams(new FormData(note)), redirect: "manual" }).catch(() => null);
    if (answer?.ok) {
      const { seconds } = await answer.json();
      button.disabled = seconds * 1000 <= WARN_MS;
      begin(seconds);
    } else if (answer) {
      begin(0);
    } else {
      say("The server did not answer. Try again.", true);
    }
  });
  window.addEventListener("storage", (event) => { if (event.key === KEY) look(); });
  document.addEventListener("visibilitychange", look);
  begin(Number(note.dataset.sessionSeconds));
}

// A row that is edited in place has the focus.
document.querySelector("[data-autofocus]")?.focus();
