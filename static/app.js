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

// Lists follow their filters without a press on Apply (the button stays).
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// One box ticks all rows, and the bulk bar counts them.
for (const all of document.querySelectorAll("[data-select-all]")) {
  const id = all.dataset.selectAll;
  const boxes = [...document.querySelectorAll(`input[name="select"][form="${id}"]`)];
  const count = document.querySelector(`[data-selected="${id}"]`);
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    if (count) count.textContent = `${ticked} selected`;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}

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

// A typed password can be looked at.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
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

// A row that is edited in place has the focus.
document.querySelector("[data-autofocus]")?.focus();
