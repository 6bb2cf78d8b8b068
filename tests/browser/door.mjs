// Who gets in: Pending with everything that can be done there, what a device's page says of trust, and the shared credentials.
import https from "node:https";
import { axe, confirm } from "./browser.mjs";
import { check, look, none, press, pressByKeyboard, tabTo, told, WIDTHS } from "./checks.mjs";

const [ADOPTED, HELD] = ["0004f2fe0101", "0004f2fe0102"];
const PENDING = "/admin/pending";
const CREDENTIALS = "/admin/provisioning/credentials";

export async function door(page, base, complaints) {
  await pending(page, base, complaints);
  await device(page, base, complaints);
  await deleted(page, base, complaints);
  await settings(page, base);
  await credentials(page, base, complaints);
}

// What a phone asks for, with these credentials; answers the status.
const asks = (base, mac, credentials, localAddress = "127.0.0.1") => new Promise((resolve, reject) => {
  const headers = { "User-Agent": `FileTransport PolycomVVX-VVX_411-UA/5.9.6.2327 (SN:${mac}) Type/Application` };
  const request = https.get(`${base}/${mac}.cfg`, { auth: credentials, headers, localAddress, agent: false, rejectUnauthorized: false }, (answer) => {
    answer.resume();
    answer.on("end", () => resolve(answer.statusCode));
  });
  request.on("error", reject);
});

const FACTORY = "PlcmSpIp:PlcmSpIp";

async function pending(page, base, complaints) {
  await page.goto(base + PENDING);
  await press(page, "Let new phones in for 30 minutes");
  check("the window: it is told how long it is open", (await page.innerText("main")).includes("for 30 minutes more"), await page.innerText("main"));
  await look(page, base, PENDING, complaints, "open window");
  await press(page, "Close it now");
  check("the window: closing is told", (await told(page)).includes("closed"), await told(page));
  for (const mac of [ADOPTED, HELD]) check("a phone with factory settings waits", await asks(base, mac, FACTORY) === 503);
  await page.goto(`${base}/admin/`);
  const alert = page.locator(".note", { hasText: "2 phones wait to be let in" });
  check("the dashboard tells who waits", await alert.count() === 1, await page.innerText("main"));
  await alert.getByRole("link").click();
  check("the dashboard leads to them", new URL(page.url()).pathname === PENDING, page.url());
  await look(page, base, PENDING, complaints, "two wait");
  check("a second address asks for the same phone", await asks(base, HELD, FACTORY, "127.6.6.7") === 503);
  await page.reload();
  const there = page.getByRole("button", { name: `: ${HELD}` }).filter({ hasText: "Adopt there" });
  check("both addresses are named, each with its click", await there.count() === 2, await page.innerText("main"));
  await look(page, base, PENDING, complaints, "two addresses for one phone");
  await longest(page);
  await page.getByRole("link", { name: `How far it is: ${ADOPTED}` }).click();
  check("a phone that waits: how far it is", (await page.innerText("main")).includes("adopt it under Pending"), await page.innerText("main"));
  await page.getByRole("link", { name: "Open Pending" }).click();
  check("from there back to Pending, to this phone alone", await page.locator("tbody tr").count() === 1, page.url());
  await pressByKeyboard(page, page.getByRole("button", { name: `Adopt: ${ADOPTED}` }));
  check("adopting is told with what happens next", (await told(page)).includes("is let in when it next asks"), await told(page));
  check("an adopted phone gets its configuration", await asks(base, ADOPTED, FACTORY) === 200);
  await page.goto(`${base}${PENDING}?all=`);
  await tabTo(page, page.getByLabel(`Select ${HELD}`));
  await page.keyboard.press("Space");
  none("pending, one ticked: accessible", await axe(page));
  await pressByKeyboard(page, page.getByRole("button", { name: "Block", exact: true }));
  check("blocking is told", (await told(page)).includes("is blocked"), await told(page));
  check("a blocked phone keeps what it has", await asks(base, HELD, FACTORY) === 503);
  await page.goto(`${base}${PENDING}?all=`);
  await page.getByRole("button", { name: `Unblock: ${HELD}` }).click();
  check("unblocking is told", (await told(page)).includes("is unblocked"), await told(page));
  await asks(base, HELD, FACTORY);
  await page.goto(`${base}${PENDING}?all=`);
  await page.getByLabel(`Select ${HELD}`).check();
  await press(page, "Take off the list");
  check("taking off the list is told", (await told(page)).includes("off the list"), await told(page));
}

// Also with the longest serial number, name and address nothing has to be scrolled for on a desk, and nothing leaves a small screen.
async function longest(page) {
  await page.locator("tbody").evaluate((rows) => {
    for (const row of rows.rows) {
      row.querySelector("th code").textContent = "8".padEnd(32, "g");
      row.querySelector("th").insertAdjacentHTML("beforeend", `<span class="why">claims to be <a href="#">${"N".repeat(80)}</a></span>`);
      for (const code of row.querySelectorAll("td code")) code.textContent = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff";
    }
  });
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    const overflow = await page.locator(".table-wrap").evaluate((one) => one.scrollWidth - one.clientWidth);
    check(`pending, the longest names: all columns are seen at ${width} px`, overflow <= 0, `${overflow} px are not`);
  }
  await page.setViewportSize({ width: WIDTHS[0][0], height: WIDTHS[0][1] });
  await page.reload();
}

async function device(page, base, complaints) {
  const here = `/admin/devices/${ADOPTED}`;
  await page.goto(base + here);
  await press(page, "Expect it back");
  check("a device is expected back", (await told(page)).includes("expected back for 24 hours"), await told(page));
  await press(page, "Show the phone's admin password");
  await confirm(page);
  const shown = page.getByRole("status").filter({ hasText: "admin password is" });
  check("the phone's admin password is shown on demand", await shown.count() === 1, await page.innerText("main"));
  none("a device with its password: accessible", await axe(page));
  await look(page, base, here, complaints, "expected");
  check("the password is gone with the page", await shown.count() === 0);
  await page.goto(`${base}/admin/activity?q=${ADOPTED}`);
  check("who asked for it is in the Activity Log", /password/.test(await page.innerText("tbody")), await page.innerText("main"));
}

async function deleted(page, base, complaints) {
  await page.goto(`${base}/admin/devices/delete?select=${ADOPTED}`);
  await page.locator(".panel.confirm form button").last().click();
  await page.locator(".flash").waitFor();
  await page.goto(`${base}/admin/devices`);
  await page.getByRole("link", { name: "Deleted devices" }).click();
  const address = new URL(page.url()).pathname;
  await look(page, base, address, complaints, "one deleted");
  await page.getByRole("button", { name: `Show the admin password of ${ADOPTED}` }).click();
  await confirm(page);
  check("a deleted device's password is still shown", (await page.getByRole("status").innerText()).includes(ADOPTED));
}

async function settings(page, base) {
  await page.goto(`${base}/admin/provisioning`);
  await page.getByLabel("One place, IPv4").fill("99");
  await press(page, "Save who gets in");
  check("who gets in: a wrong number is told", await page.locator("[aria-invalid]").count() === 1);
  none("who gets in, with an error: accessible", await axe(page));
  await page.getByLabel("One place, IPv4").fill("22");
  await page.getByLabel("New devices").selectOption({ index: 1 });
  await press(page, "Save who gets in");
  check("who gets in: the change is told", await page.locator(".flash").count() === 1, await page.innerText("main"));
  check("who gets in: it is kept", await page.getByLabel("One place, IPv4").inputValue() === "22");
  await page.getByLabel("New devices").selectOption({ index: 0 });
  await press(page, "Save who gets in");
}

async function credentials(page, base, complaints) {
  const change = () => press(page, "Change the shared credentials");
  await page.goto(`${base}/admin/provisioning`);
  await page.getByRole("link", { name: "Change the shared credentials…" }).click();
  check("the shared credentials have a page", new URL(page.url()).pathname === CREDENTIALS, page.url());
  await change();
  check("it must be said why they change", /say whether the change is planned/i.test(await page.innerText("main")), await page.innerText("main"));
  none("shared credentials, with an error: accessible", await axe(page));
  await page.getByLabel("Planned").check();
  await change();
  check("a planned change is told", (await told(page)).includes("are changed"), await told(page));
  await look(page, base, CREDENTIALS, complaints, "planned");
  await press(page, "End them now");
  check("the former ones are ended", (await told(page)).includes("count no more"), await told(page));
  await page.getByLabel("They leaked").check();
  await change();
  check("a change after a leak leaves none before", await page.getByRole("button", { name: "End them now" }).count() === 0);
  await page.goto(`${base}/admin/provisioning`);
  await press(page, "Show the password");
  await confirm(page);
  check("the password is shown on demand", (await page.getByRole("status").allInnerTexts()).some((text) => text.includes("The password is")));
}
