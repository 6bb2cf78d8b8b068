// Packages of software on their way: sent in pieces that go on where they stopped, after a broken connection and after a restart of the
// server or the browser. Without this script the form is sent as any other.
"use strict";

(() => {
  const PIECE = 8 * 1024 * 1024;
  const PAUSES = [1, 2, 5, 10, 20, 30];
  const MB = 1000 * 1000;
  const size = (bytes) => (bytes >= 1000 * MB ? `${(bytes / MB / 1000).toFixed(2)} GB` : `${Math.ceil(bytes / MB)} MB`);
  const element = (name, properties) => Object.assign(document.createElement(name), properties);

  const bar = (form, name) => {
    form.querySelector(".upload")?.remove();
    const line = element("div", { className: "upload" });
    const progress = element("progress", { max: 100, value: 0 });
    progress.setAttribute("aria-label", `Sending ${name}`);
    const words = element("span", { className: "upload-words" });
    words.setAttribute("role", "status");
    const cancel = element("button", { type: "button", className: "btn btn-small", textContent: "Cancel" });
    line.append(progress, words, cancel);
    form.append(line);
    return {
      cancel,
      at: (percent, text) => { progress.value = percent; words.textContent = text; },
      ends: (text) => { progress.remove(); cancel.remove(); words.textContent = text; words.setAttribute("role", "alert"); },
    };
  };

  // What the server says against it: no pause helps then.
  class Refused extends Error {}

  for (const form of document.querySelectorAll("form[data-resume]")) {
    const base = form.dataset.resume;
    const headers = { "X-CSRF-Token": form.elements.csrf.value };
    let stopped = null;

    const ask = async (method, path, json) => {
      const options = { method, headers: { ...headers }, signal: stopped.signal };
      if (json) {
        options.headers["Content-Type"] = "application/json";
        options.body = JSON.stringify(json);
      }
      const answer = await fetch(base + path, options);
      const body = await answer.json().catch(() => ({}));
      if (answer.ok) return body;
      const told = body.errors?.map((error) => error.message).join("; ") || body.detail || `status ${answer.status}`;
      if (answer.status >= 500) throw new Error(told);
      throw Object.assign(new Refused(told), { status: answer.status });
    };

    // One piece, with its progress; XMLHttpRequest alone tells how much is sent.
    const piece = (path, blob, progress) => new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      request.open("PUT", base + path);
      request.setRequestHeader("X-CSRF-Token", headers["X-CSRF-Token"]);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
      request.addEventListener("load", () => {
        if (request.status === 200) return done(JSON.parse(request.responseText));
        // 409: another piece is wanted, or another connection is not closed yet. Either shows when it is asked again.
        const passes = request.status >= 500 || request.status === 409 || request.status === 400;
        let told = `status ${request.status}`;
        try { told = JSON.parse(request.responseText).detail ?? told; } catch { /* what stands between may answer in its own way */ }
        failed(passes ? new Error(told) : new Refused(told));
      });
      request.addEventListener("error", () => failed(new Error("the connection broke off")));
      request.addEventListener("abort", () => failed(new Refused("cancelled")));
      stopped.signal.addEventListener("abort", () => request.abort(), { once: true });
      request.send(blob);
    });

    const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

    // Whoever chooses the same file again goes on with it.
    const begun = async (file) => {
      const { items } = await ask("GET", "");
      const same = items.find((one) => one.stage === "receiving" && one.file === file.name && one.size_bytes === file.size);
      return same ?? ask("POST", "", { file: file.name, size_bytes: file.size });
    };

    const send = async (file, told) => {
      let upload = await begun(file);
      let failures = 0;
      while (upload.received < file.size) {
        const from = upload.received;
        const shown = (loaded) => {
          const sent = Math.min(file.size, from + loaded);
          const percent = Math.floor((100 * sent) / file.size);
          told.at(percent, `${percent} % of ${size(file.size)}`);
        };
        shown(0);
        try {
          upload = await piece(`/${upload.id}?offset=${from}`, file.slice(from, from + PIECE), shown);
          failures = 0;
        } catch (error) {
          if (error instanceof Refused) throw error;
          for (;;) {
            const seconds = PAUSES[Math.min(failures, PAUSES.length - 1)];
            failures += 1;
            told.at((100 * from) / file.size, `${error.message}; it goes on by itself`);
            await pause(seconds);
            if (stopped.signal.aborted) throw new Refused("cancelled");
            try {
              upload = await ask("GET", `/${upload.id}`);
              break;
            } catch (again) {
              if (again instanceof Refused || stopped.signal.aborted) throw again;
            }
          }
        }
      }
      await ask("POST", `/${upload.id}/finish`);
      return upload.id;
    };

    form.addEventListener("submit", async (event) => {
      const file = form.elements.file.files[0];
      if (!file) return;
      event.preventDefault();
      if (stopped) return;
      stopped = new AbortController();
      const told = bar(form, file.name);
      let id = null;
      told.cancel.addEventListener("click", () => stopped.abort());
      try {
        id = await send(file, told);
        location.assign(`/admin/software/uploads/${id}`);
      } catch (error) {
        const cancelled = stopped.signal.aborted;
        stopped = null;
        told.ends(cancelled ? "Cancelled. Choose the same file to go on, or cancel its upload in the list above." : `The file was not sent: ${error.message}.`);
        delete form.dataset.sent;
      }
    });
  }
})();
