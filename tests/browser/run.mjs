// Opens pdms in headless Chromium and checks every page that can be reached. Run: PDMS_BIN=target/debug/pdms node run.mjs
// PDMS_SCREENSHOTS names a folder for pictures of every page; without it none are taken.
import fs from "node:fs";
import path from "node:path";
import { axe, open, reachable, signIn } from "./browser.mjs";
import { manage } from "./flows.mjs";
import { start } from "./server.mjs";

const BINARY = path.resolve(process.env.PDMS_BIN ?? "../../target/debug/pdms");
const PICTURES = process.env.PDMS_SCREENSHOTS;
const OWNER = { name: "Ada Example", email: "ada@example.test", password: "four unhurried words" };
const WIDTHS = [[1280, 800], [390, 844]];

let passed = 0;
let failed = 0;
const check = (name, holds, detail = "") => {
  holds ? passed++ : failed++;
  if (!holds) console.log(`FAILED ${name}${detail === "" ? "" : `\n       ${detail}`}`);
};
const none = (name, list) => check(name, list.length === 0, list.join("\n       "));

// One page in both schemes and both widths.
async function look(page, base, address, complaints, prefix) {
  for (const [width, height] of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      const name = `${prefix} ${address} at ${width} px, ${colorScheme}`;
      complaints.length = 0;
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto(base + address);
      none(`${name}: nothing to complain about`, [...complaints]);
      none(`${name}: accessible`, await axe(page));
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      check(`${name}: fits the screen`, wide <= room, `${wide} > ${room}`);
      if (PICTURES) {
        fs.mkdirSync(PICTURES, { recursive: true });
        const file = `${prefix}${address.replace(/\W+/g, "_")}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: path.join(PICTURES, file), fullPage: true });
      }
    }
  }
  await page.setViewportSize({ width: WIDTHS[0][0], height: WIDTHS[0][1] });
  check(`${prefix} ${address}: has one heading of the first rank`, await page.locator("h1").count() === 1);
  const title = await page.title();
  check(`${prefix} ${address}: has a title`, /\S.* · pdms$/.test(title), title);
}

// The first Tab is the skip link, and every stop shows where it is.
async function walkByKeyboard(page, base, address) {
  await page.goto(base + address);
  await page.keyboard.press("Tab");
  check(`${address}: the first Tab is the skip link`, await page.evaluate(() => document.activeElement.className === "skip-link"));
  const hidden = [];
  for (let stop = 0; stop < 60; stop++) {
    const state = await page.evaluate(() => {
      const at = document.activeElement;
      if (at === document.body) return null;
      const box = at.getBoundingClientRect();
      const style = getComputedStyle(at);
      const on = document.elementFromPoint(box.x + Math.min(box.width, 40) / 2, box.y + Math.min(box.height, 24) / 2);
      const visible = on !== null && (at === on || at.contains(on) || on.contains(at));
      const told = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      return { what: at.outerHTML.slice(0, 90), good: visible && told };
    });
    if (state === null) break;
    if (!state.good) hidden.push(state.what);
    await page.keyboard.press("Tab");
  }
  none(`${address}: the focus is seen at every stop`, hidden);
}

// From the printed link to the dashboard, as a person would, with and without a script.
async function firstRun(javaScriptEnabled) {
  const how = javaScriptEnabled ? "first run" : "first run without script";
  const server = await start(BINARY, /https:\/\/[^\s]+(\/setup\?token=[\w-]+)/);
  const { page, complaints, close } = await open(server.base, { javaScriptEnabled });
  try {
    const link = server.match[1];
    await page.goto(server.base + link);
    none(`${how}: the set-up page opens cleanly`, [...complaints]);
    if (javaScriptEnabled) await look(page, server.base, link, complaints, "setup");
    await page.getByLabel("Your name").fill(OWNER.name);
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.locator("input[name=password]").fill(OWNER.password);
    await page.locator("input[name=password_again]").fill(OWNER.password);
    await page.getByLabel("Manage fully").check();
    await page.getByRole("button", { name: "Finish set-up" }).click();
    check(`${how}: ends on the dashboard`, page.url() === `${server.base}/admin/`, page.url());
    check(`${how}: the dashboard says so`, await page.getByRole("heading", { level: 1, name: "Dashboard" }).count() === 1);
    complaints.length = 0;
    const again = await page.goto(server.base + link);
    check(`${how}: the link works once`, again.status() === 404 || page.url().endsWith("/admin/"), `${again.status()} ${page.url()}`);
    await session(page, server.base, how, complaints);
    if (javaScriptEnabled) {
      for (const address of await reachable(page, server.base)) await look(page, server.base, address, complaints, "empty");
      for (const address of ["/admin/", "/admin/devices", "/admin/provisioning"]) await walkByKeyboard(page, server.base, address);
      await pressEverything(page, server.base, complaints);
    } else {
      await editWithoutScript(page, server.base);
    }
    await manage(page, server.base, check, how, javaScriptEnabled);
  } finally {
    await close();
    await server.stop();
  }
}

// Signing out, wrong passwords, signing in and coming back to the same page.
async function session(page, base, how, complaints) {
  await page.goto(`${base}/admin/`);
  await page.locator(".topbar-end .menu summary").last().click();
  await page.getByRole("button", { name: "Sign Out" }).click();
  check(`${how}: signing out leads to the sign-in page`, page.url().includes("/admin/sign-in"), page.url());
  if (how === "first run") await look(page, base, "/admin/sign-in", complaints, "signed-out");
  await signIn(page, base, { email: OWNER.email, password: "not the password" });
  check(`${how}: a wrong password is told as an alert`, await page.getByRole("alert").count() === 1);
  await page.context().clearCookies();
  await signIn(page, base, OWNER, "/admin/activity?q=signed");
  check(`${how}: signing in returns to the page asked for`, page.url() === `${base}/admin/activity?q=signed`, page.url());
  await page.goto(`${base}/admin/sign-in?next=//example.test/`);
  check(`${how}: no sign-in leads to another site`, page.url().startsWith(base), page.url());
}

// The buttons of the frame and of the settings, each with what it should do.
async function pressEverything(page, base, complaints) {
  complaints.length = 0;
  await page.goto(`${base}/admin/provisioning`);
  for (const [button, told] of [["Save account", "account is saved"], ["Save time", "are saved"], ["Save base", "base is saved"]]) {
    await page.getByRole("button", { name: button }).click();
    check(`${button}: says that it is done`, (await page.getByRole("status").first().textContent()).includes(told));
  }
  await page.getByRole("button", { name: "Show the password" }).click();
  check("Show the password: shows one", /The password is\s+\S{8,}/.test(await page.locator("main p[role=status]").textContent()));
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download CA certificate" }).click()]);
  check("Download CA certificate: is a file", download.suggestedFilename() === "pdms-ca.pem", download.suggestedFilename());
  await page.getByText("Change Address").click();
  await page.getByLabel("Public name").fill("not a name");
  await page.getByRole("button", { name: "Save address" }).click();
  check("a rejected form: the summary has the focus", await page.evaluate(() => document.activeElement.getAttribute("role") === "alert"));
  none("settings: accessible with errors", await axe(page));
  await page.locator(".error-summary a").first().click();
  check("a rejected form: the summary leads to the field", await page.evaluate(() => document.activeElement.id === "f-public_name"));
  complaints.length = 0;
  await page.goto(`${base}/admin/provisioning/phone-certificates`);
  await page.getByLabel("Prefer").check();
  await page.getByRole("button", { name: "Save policy" }).click();
  check("certificates of phones: the policy is kept", await page.getByLabel("Prefer").isChecked());
  none("certificates of phones: nothing to complain about", [...complaints]);
  await page.getByLabel("Require").check();
  await page.getByRole("button", { name: "Save policy" }).click();
  check("certificates of phones: none can be required without a CA", (await page.getByRole("alert").textContent()).includes("Upload the CA"));
  none("certificates of phones: accessible with errors", await axe(page));
  complaints.length = 0;
  await page.goto(`${base}/admin/`);
  await page.locator(".menu summary").first().click();
  none("the theme menu: accessible", await axe(page));
  await page.getByRole("button", { name: "Dark" }).click();
  check("the theme: dark is kept", await page.evaluate(() => document.documentElement.dataset.theme === "dark"));
  await page.locator(".menu summary").first().click();
  await page.getByRole("button", { name: "As the system" }).click();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("link", { name: "Menu", exact: true }).click();
  await page.getByRole("link", { name: "Activity Log" }).first().click();
  check("the menu on a small screen leads on", new URL(page.url()).pathname === "/admin/activity", page.url());
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  none("forced colours: accessible", await axe(page));
  await page.emulateMedia({ forcedColors: "none", reducedMotion: "no-preference" });
  none("the buttons: nothing to complain about", [...complaints]);
}

// A setting is changed and read back, and a list searched, with nothing but forms and links.
async function editWithoutScript(page, base) {
  await page.goto(`${base}/admin/provisioning`);
  await page.getByLabel("Time server").fill("time.example.test");
  await page.getByRole("button", { name: "Save time" }).click();
  check("without script: a setting is saved", await page.getByRole("status").count() === 1);
  check("without script: the saved value is shown", await page.getByLabel("Time server").inputValue() === "time.example.test");
  await page.goto(`${base}/admin/activity`);
  await page.getByLabel("Search", { exact: true }).fill("time.example.test");
  await page.getByRole("button", { name: "Apply" }).click();
  check("without script: the list is searched", await page.locator("tbody tr").count() === 1);
}

// Before a session ends the page says so, in every tab, and one press keeps it.
async function beforeTheEnd(page, base, complaints) {
  complaints.length = 0;
  await page.clock.install();
  await page.goto(`${base}/admin/activity`);
  const note = page.locator("[data-session-seconds]");
  check("the session's end: nothing is said at first", await note.isHidden());
  await page.clock.fastForward("11:56:00");
  check("the session's end: the note comes before", (await note.innerText()).includes("You will be signed out at"));
  none("the session's end: accessible", await axe(page));
  await note.getByRole("button", { name: "Stay signed in" }).click();
  await note.waitFor({ state: "hidden" });
  await page.clock.fastForward("12:01:00");
  check("the session's end: it says what to do then", (await note.innerText()).includes("not lost"));
  none("the session's end: nothing to complain about", [...complaints]);
}

// A table that is to be read on a desk needs no scrolling there, and the reasons of a run none on a small screen either.
async function columns(page, base) {
  const overflow = () => page.locator(".table-wrap").first().evaluate((one) => one.scrollWidth - one.clientWidth);
  await page.goto(`${base}/admin/devices?q=vvx&status=online`);
  check("Device Monitor: all columns are seen at 1280 px", await overflow() <= 0, `${await overflow()} px are not`);
  await page.locator("tbody th a").first().click();
  const device = new URL(page.url()).pathname;
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    await page.goto(`${base}${device}/runs`);
    check(`the reasons of a run are seen at ${width} px`, await overflow() <= 0, `${await overflow()} px are not`);
  }
  await page.setViewportSize({ width: WIDTHS[0][0], height: WIDTHS[0][1] });
}

// Every page of a server with simulated phones.
async function demo() {
  const server = await start(BINARY, /https:\/\/[^\s/]+(\/admin\/[^\s]*)/, ["--demo"]);
  const { page, complaints, close } = await open(server.base);
  try {
    await page.goto(server.base + server.match[1]);
    const button = page.getByRole("button", { name: "Sign in to the demo" });
    if (await button.count() > 0) await button.click();
    check("demo: the link signs in", await page.getByRole("heading", { level: 1, name: "Dashboard" }).count() === 1, page.url());
    const addresses = await reachable(page, server.base);
    check("demo: a device's page is among the pages", addresses.some((a) => a.startsWith("/admin/devices/")), addresses.join(" "));
    for (const address of addresses) await look(page, server.base, address, complaints, "demo");
    await columns(page, server.base);
    await beforeTheEnd(page, server.base, complaints);
  } finally {
    await close();
    await server.stop();
  }
}

for (const part of [() => firstRun(true), () => firstRun(false), demo]) {
  try {
    await part();
  } catch (error) {
    check("the run reaches its end", false, error.stack);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
