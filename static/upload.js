// Files on their way: how much of one has arrived, how long the rest takes, and a way to stop it. Every form with a file has it by itself;
// without this script a browser sends such a form as any other.
"use strict";

(() => {
  const MIB = 1024 * 1024;
  const size = (bytes) => (bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${Math.max(1, Math.round(bytes / 1024))} KiB`);
  const time = (seconds) => (seconds >= 90 ? `${Math.round(seconds / 60)} minutes left` : `${Math.max(1, Math.round(seconds))} seconds left`);
  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  // One line below the form: the bar, words, and the button.
  const bar = (form, name) => {
    form.querySelector(".upload")?.remove();
    const line = element("div", { className: "upload" });
    const progress = element("progress", { max: 100, value: 0 });
    progress.setAttribute("role", "progressbar");
    progress.setAttribute("aria-label", `Sending ${name}`);
    const words = element("span", { className: "upload-words" });
    // The words change many times a second; they are told when something happens.
    const told = element("span", { className: "visually-hidden" });
    told.setAttribute("role", "status");
    const cancel = element("button", { type: "button", className: "btn btn-small", textContent: "Cancel" });
    line.append(progress, words, cancel, told);
    form.append(line);
    const at = (percent, text) => {
      progress.value = percent;
      progress.setAttribute("aria-valuenow", String(percent));
      progress.setAttribute("aria-valuetext", text);
      words.textContent = text;
    };
    const waits = (text) => {
      progress.removeAttribute("value");
      progress.removeAttribute("aria-valuenow");
      progress.setAttribute("aria-valuetext", text);
      words.textContent = text;
      told.textContent = text;
      cancel.remove();
    };
    const ends = (text) => {
      progress.remove();
      cancel.remove();
      words.textContent = text;
      words.setAttribute("role", "alert");
    };
    return { at, waits, ends, cancel };
  };

  // The page that the server answers with, in place of this one; where it leads elsewhere, the browser goes there. Not every answer is one
  // of ours: what stands between may have its own.
  const show = (request) => {
    const to = request.getResponseHeader("X-Location");
    if (to) {
      const target = new URL(to, location.href);
      const is_here = target.pathname + target.search === location.pathname + location.search;
      location.assign(target);
      if (is_here && target.hash) location.reload();
      return true;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const main = page.querySelector("main");
    if (!main) return false;
    document.title = page.title;
    document.querySelector("main").replaceWith(main);
    (main.querySelector("[data-focus]") ?? main).focus();
    return true;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const input = form.querySelector("input[type=file]");
    if (event.defaultPrevented || form.enctype !== "multipart/form-data" || !input?.files.length) return;
    event.preventDefault();
    const again = () => { delete form.dataset.sent; };
    const told = bar(form, input.files[0].name);
    const request = new XMLHttpRequest();
    const begun = Date.now();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const percent = Math.floor((100 * loaded) / Math.max(1, total));
      const seconds = ((Date.now() - begun) / 1000) * ((total - loaded) / Math.max(1, loaded));
      told.at(percent, `${percent} % of ${size(total)}, ${time(seconds)}`);
    });
    request.upload.addEventListener("load", () => told.waits("It has arrived; the server reads it…"));
    request.addEventListener("load", () => {
      again();
      if (!show(request)) told.ends("The server did not answer as it should. Load the page again to see whether the file was taken.");
    });
    request.addEventListener("error", () => {
      again();
      told.ends("The file did not arrive: the connection broke off, or the file is too large. Send it again.");
    });
    request.addEventListener("abort", () => { again(); told.ends("Cancelled: the file was not sent."); });
    told.cancel.addEventListener("click", () => request.abort());
    told.at(0, "0 %");
    request.open("POST", form.action);
    request.setRequestHeader("X-Upload", "yes");
    request.send(new FormData(form));
  });
})();
