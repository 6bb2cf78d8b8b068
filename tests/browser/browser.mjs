// Headless Chromium as a person would meet pdms: what it complains about is collected, nothing outside the server is reached.
import { chromium } from "playwright-core";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

const CLOSE_MS = 15_000;

export const OWNER = { name: "Ada Example", email: "ada@example.test", password: "four unhurried words" };

const AXE = fs.readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

// One browser with an empty profile. `complaints` grows with everything that no page of ours may cause.
export async function open(base, options = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "pdms-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const complaints = [];
  const origin = new URL(base).origin;
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(20_000);
  waitAfterClicks(page);
  page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`script: ${error}`));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== origin) complaints.push(`outside: ${url.href}`);
  });
  page.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
  // A browser that does not end by itself is ended with this run: waiting for it would hide what went wrong before.
  const close = async () => {
    await Promise.race([context.close(), setTimeout(CLOSE_MS)]);
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { page, complaints, close };
}

// A click is over when the page that it led to is there: what counts elements looks at once, also on a busy machine.
function waitAfterClicks(page) {
  const locators = Object.getPrototypeOf(page.locator("html"));
  if (Object.hasOwn(locators, "pressed")) return;
  locators.pressed = locators.click;
  locators.click = async function click(options) {
    await this.pressed(options);
    await this.page().waitForLoadState("domcontentloaded");
  };
}

// Everything that axe-core finds wrong on the page that is open, or in a part of it: an open menu covers what is below.
export async function axe(page, part = "html") {
  await page.evaluate(AXE);
  // What the bars at the top and at the end cover for the moment is not too small.
  const bars = (position) => page.evaluate((position) => document.querySelectorAll(".bulk-bar").forEach((bar) => (bar.style.position = position)), position);
  await page.evaluate(() => window.scrollTo(0, 0));
  await bars("static");
  const { violations } = await page.evaluate(([at, rules]) => globalThis.axe.run(at, { runOnly: rules }), [part, RULES]);
  await bars("");
  return violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].target} ${v.nodes[0].failureSummary ?? ""}`.replaceAll("\n", " "));
}

// The answers of the first run, down to the dashboard.
export async function answerSetUp(page) {
  await page.getByLabel("Your name").fill(OWNER.name);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.locator("input[name=password]").fill(OWNER.password);
  await page.locator("input[name=password_again]").fill(OWNER.password);
  await page.getByLabel("Manage fully").check();
  await page.getByRole("button", { name: "Finish set-up" }).click();
}

// The two steps of signing in.
export async function signIn(page, base, owner, next = "/admin/") {
  await page.goto(base + next);
  await page.locator("input[autocomplete=username]").fill(owner.email);
  await page.getByRole("button", { name: "Next" }).click();
  await page.locator("input[autocomplete=current-password]").fill(owner.password);
  await page.getByRole("button", { name: "Sign In" }).click();
}

// Gives the password once more where a page asks for it: after ten minutes it does.
export async function confirm(page, password = OWNER.password) {
  const field = page.locator("#f-confirm_password");
  if (await field.count() === 0) return;
  await field.fill(password);
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
}

// Every page that a person can get to by links: of pages of one kind the first, and the first with a query.
export async function reachable(page, base, most = 200) {
  const origin = new URL(base).origin;
  const seen = new Map();
  const queue = ["/admin/"];
  const shape = (address) => address.pathname.replace(/\/[0-9a-f]{12}(?=\/|$)/, "/DEVICE").replace(/\/\d+(?=\/|$)/, "/ID")
    .replace(/\/\d+\.\d+\.\d+\.\d+(?=\/|$)/, "/ADDRESS") + (address.search === "" ? "" : "?");
  while (queue.length > 0 && seen.size < most) {
    const url = new URL(queue.shift(), base);
    const kind = shape(url);
    if (seen.has(kind)) continue;
    seen.set(kind, undefined);
    // A file is saved and not shown: the page stays the one before.
    const answer = await page.goto(url.href).catch((error) => {
      if (!String(error).includes("Download is starting")) throw error;
    });
    if (!(answer?.headers()["content-type"] ?? "").startsWith("text/html")) continue;
    seen.set(kind, url.pathname + url.search);
    for (const href of await page.$$eval("a[href]", (links) => links.filter((a) => !a.hasAttribute("download") && !a.search.includes("hide=")).map((a) => a.href))) {
      const to = new URL(href);
      if (to.origin === origin && to.pathname.startsWith("/admin/") && !seen.has(shape(to))) queue.push(to.pathname + to.search);
    }
  }
  return [...seen.values()].filter((address) => address !== undefined);
}
