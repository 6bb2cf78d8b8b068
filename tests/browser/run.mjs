// Opens pdms in headless Chromium and checks every page that can be reached. Run: PDMS_BIN=target/debug/pdms node run.mjs [PART …]
// PDMS_SCREENSHOTS names a folder for pictures of every page; without it none are taken.
import { answerSetUp, axe, confirm, open, OWNER, reachable, signIn } from "./browser.mjs";
import { agree, check, counted, look, lookHere, none, pressByKeyboard, tabTo, typeByKeyboard, walkByKeyboard, WIDTHS } from "./checks.mjs";
import { door } from "./door.mjs";
import { manage } from "./flows.mjs";
import { keep } from "./keep.mjs";
import { bulk } from "./bulk.mjs";
import { files } from "./files.mjs";
import { organise } from "./organise.mjs";
import { people } from "./people.mjs";
import { comeUp } from "./phones.mjs";
import { walkEveryRole } from "./roles.mjs";
import { DEMO_LINK, SET_UP_LINK, start } from "./server.mjs";
import { software } from "./software.mjs";
import { uploads } from "./uploads.mjs";
import { views } from "./views.mjs";

// No part is waited for longer than this: a run without an end tells nobody what went wrong.
const RUN_MS = 30 * 60 * 1000;
setTimeout(() => {
  console.log(`FAILED there is no end after ${RUN_MS / 60_000} minutes`);
  process.exit(1);
}, RUN_MS).unref();

// A server and a browser for one part; what went wrong is told with the page where it did, before either is ended.
async function visit(name, link, serverOptions, browserOptions, walk) {
  const server = await start(link, serverOptions);
  const { page, complaints, close } = await open(server.base, browserOptions);
  try {
    await walk({ page, complaints, server });
  } catch (error) {
    check(`${name}: reaches its end`, false, `at ${page.url()}: ${error.stack}\n${await page.innerText("main").catch(() => "")}`);
  } finally {
    await close();
    await server.stop();
  }
}

// From the printed link to the dashboard, as a person would, with and without a script.
async function firstRun(javaScriptEnabled) {
  const how = javaScriptEnabled ? "first run" : "first run without script";
  await visit(how, SET_UP_LINK, {}, { javaScriptEnabled }, async ({ page, complaints, server }) => {
    const link = server.match[1];
    await page.goto(server.base + link);
    none(`${how}: the set-up page opens cleanly`, [...complaints]);
    if (javaScriptEnabled) await look(page, server.base, link, complaints, "setup");
    await answerSetUp(page);
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
  });
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
    await agree(page);
    check(`${button}: says that it is done`, (await page.getByRole("status").first().textContent()).includes(told));
  }
  await page.getByRole("button", { name: "Show the password" }).click();
  await confirm(page);
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
  none("the theme menu: accessible", await axe(page, ".topbar"));
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
  await agree(page);
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

// Columns are chosen with the keyboard, and the choice stays.
async function chooseColumns(page, base) {
  await page.goto(`${base}/admin/devices?all=`);
  const head = page.locator("thead");
  await tabTo(page, page.locator(".page-actions summary", { hasText: "Columns" }));
  await page.keyboard.press("Enter");
  none("the menu of columns: accessible", await axe(page, ".page-actions"));
  await pressByKeyboard(page, page.getByRole("link", { name: "Hide Public IP" }));
  check("columns: one is hidden", !(await head.innerText()).includes("Public IP"), await head.innerText());
  await page.goto(`${base}/admin/devices`);
  check("columns: the choice stays", !(await head.innerText()).includes("Public IP"), await head.innerText());
  await page.locator(".page-actions summary", { hasText: "Columns" }).click();
  await page.getByRole("link", { name: "Show Public IP" }).click();
  check("columns: it is shown again", (await head.innerText()).includes("Public IP"), await head.innerText());
}

// What can be done with ticked rows is there as long as one is ticked.
async function tickToDelete(page, base) {
  await page.goto(`${base}/admin/devices?all=`);
  const bar = page.locator(".bulk-bar");
  check("ticking: without a ticked row there is no bar", await bar.isHidden());
  await page.locator("[data-select-all]").check();
  check("ticking: the bar counts", (await bar.innerText()).includes("50 selected"), await bar.innerText());
  await page.locator("[data-select-all]").uncheck();
  check("ticking: the bar goes with the last tick", await bar.isHidden());
}

// A table that is to be read on a desk needs no scrolling there, and the reasons of a run none on a small screen either.
async function columns(page, base) {
  const overflow = () => page.locator(".table-wrap").first().evaluate((one) => one.scrollWidth - one.clientWidth);
  for (const query of ["all=", "q=vvx&status=online", "model=Poly Studio X30", "sort=-last_seen"]) {
    await page.goto(`${base}/admin/devices?${query}`);
    check(`Device Monitor, ${query}: all columns are seen at 1280 px`, await overflow() <= 0, `${await overflow()} px are not`);
  }
  // Also with the longest of what changes from hour to hour.
  await page.locator("main table").first().evaluate((table) => {
    const longest = { "Public IP": "<code>192.168.100.200</code>", "Private IP": "<code>192.168.100.200</code>", "Last seen": "<time>59 minutes ago</time>", "Software Version": "<span class=nowrap>10.10.0.15602</span> <span class=badge>below the least version</span>" };
    const heads = [...table.tHead.rows[0].cells].map((head) => head.innerText.trim());
    for (const row of table.tBodies[0].rows) for (const [head, text] of Object.entries(longest)) row.cells[heads.indexOf(head)].innerHTML = text;
  });
  check("Device Monitor, long values: all columns are seen at 1280 px", await overflow() <= 0, `${await overflow()} px are not`);
  await page.goto(`${base}/admin/devices?q=vvx&status=online`);
  await page.locator("tbody th a").first().click();
  const device = new URL(page.url()).pathname;
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    await page.goto(`${base}${device}/runs`);
    check(`the reasons of a run are seen at ${width} px`, await overflow() <= 0, `${await overflow()} px are not`);
  }
  await page.setViewportSize({ width: WIDTHS[0][0], height: WIDTHS[0][1] });
}

// What only one part of the pages needs: people who sign in, what is kept for bad days, and a phone from the box.
async function trust() {
  await visit("trust", SET_UP_LINK, { plainHttp: true }, {}, async ({ page, complaints, server }) => {
    await page.goto(server.base + server.match[1]);
    await answerSetUp(page);
    await people(page, server.base, complaints);
    await keep(page, server.base, complaints);
    await door(page, server.base, complaints);
    await comeUp(page, server, complaints);
  });
}

// The password that is printed beside the link of a demo.
const DEMO_EMAIL = "demo@example.lan";
const demoPassword = (server) => server.output().match(/give the password (\S+)/)[1];

// Whoever came by a link gave no password: it is asked for before a secret is shown, with and without a script, and with a wrong one.
async function confirmByKeyboard(page, server, complaints) {
  const shown = page.locator("main p[role=status]", { hasText: "The password is" });
  await page.goto(`${server.base}/admin/provisioning`);
  await pressByKeyboard(page, page.getByRole("button", { name: "Show the password" }));
  check("confirming: the password is asked for", await page.getByRole("heading", { level: 1, name: "Confirm that it is you" }).count() === 1);
  await lookHere(page, "confirm", complaints);
  await typeByKeyboard(page, [["Your password", "not the password"]], "Confirm");
  check("confirming: a wrong one is told", await page.getByRole("alert").count() === 1 && await shown.count() === 0);
  none("confirming: accessible with an error", await axe(page));
  await typeByKeyboard(page, [["Your password", demoPassword(server)]], "Confirm");
  check("confirming: the page with the secret comes at once", await shown.count() === 1, await page.innerText("main"));
  await page.goto(`${server.base}/admin/provisioning`);
  await page.getByRole("button", { name: "Show the password" }).click();
  check("confirming: then it is not asked for again", await shown.count() === 1, await page.innerText("main"));
  complaints.length = 0;
}

// Every page of a server with simulated phones.
async function demo() {
  await visit("demo", DEMO_LINK, { flags: ["--demo"] }, {}, async ({ page, complaints, server }) => {
    await page.goto(server.base + server.match[1]);
    const button = page.getByRole("button", { name: "Sign in to the demo" });
    if (await button.count() > 0) await button.click();
    check("demo: the link signs in", await page.getByRole("heading", { level: 1, name: "Dashboard" }).count() === 1, page.url());
    await confirmByKeyboard(page, server, complaints);
    const addresses = await reachable(page, server.base);
    check("demo: a device's page is among the pages", addresses.some((a) => a.startsWith("/admin/devices/")), addresses.join(" "));
    for (const address of addresses) await look(page, server.base, address, complaints, "demo");
    await columns(page, server.base);
    await chooseColumns(page, server.base);
    await tickToDelete(page, server.base);
    await bulk(page, server.base, complaints);
    await views(page, server.base, { email: DEMO_EMAIL, password: demoPassword(server) }, complaints);
    await organise(page, server.base, complaints);
    await walkEveryRole(page, server.base, demoPassword(server));
    await beforeTheEnd(page, server.base, complaints);
  });
}

// What is uploaded and what phones upload, in the demonstration.
async function send() {
  await visit("uploads", DEMO_LINK, { flags: ["--demo"] }, {}, async ({ page, complaints, server }) => {
    await page.goto(server.base + server.match[1]);
    const button = page.getByRole("button", { name: "Sign in to the demo" });
    if (await button.count() > 0) await button.click();
    await uploads(page, server.base);
    await software(page, server.base, complaints);
    await files(page, server.base, complaints);
  });
}

const PARTS = { "first-run": () => firstRun(true), "no-script": () => firstRun(false), trust, demo, uploads: send };
const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  try {
    await part();
  } catch (error) {
    check("the run reaches its end", false, error.stack);
  }
}
console.log(`${counted.passed} passed, ${counted.failed} failed`);
process.exit(counted.failed === 0 && counted.passed > 0 ? 0 : 1);
