// Files for phones and of phones: resource files, files of one device, its overrides, its directories, its logs, and the disk they lie on.
import fs from "node:fs";
import { axe } from "./browser.mjs";
import { agree, check, look, lookHere, none, press, pressByKeyboard, send, told } from "./checks.mjs";

// One white pixel.
const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG9mRfAAAAABJRU5ErkJggg==", "base64");
const DIRECTORY = (name, number) => `<directory><item_list><item><fn>${name}</fn><ct>${number}</ct></item></item_list></directory>`;
const OVERRIDES = '<?xml version="1.0"?><PHONE_CONFIG><OVERRIDES up.timeOut="77" tcpIpApp.sntp.gmtOffset="-7200" reg.1.auth.password="CANARY_FLASH"/></PHONE_CONFIG>';

const text = (name, content, mimeType = "text/xml") => ({ name, mimeType, buffer: Buffer.from(content) });

export async function files(page, base, complaints) {
  await resources(page, base, complaints);
  const device = await deviceFiles(page, base, complaints);
  await logs(page, base, complaints);
  await page.goto(`${base}/admin/storage`);
  check("storage: the rows add up to something", /Resource files[\s\S]*\d (B|bytes|KB|KiB|MB)/i.test(await page.innerText("main")), await page.innerText("main"));
  return device;
}

// Several at once, of which one lies about what it is.
async function resources(page, base, complaints) {
  await page.goto(`${base}/admin/resources/add`);
  await page.getByLabel("Folder").fill("pictures");
  await page.getByLabel("Description").fill("For the lobby");
  await page.locator("#f-file").setInputFiles([
    { name: "lobby.png", mimeType: "image/png", buffer: PICTURE },
    { name: "ring.wav", mimeType: "audio/wav", buffer: PICTURE },
  ]);
  await send(page, () => press(page, "Save"));
  const outcome = await page.innerText("main");
  check("resources: what is what its name says is uploaded", /uploaded\s+pictures\/lobby\.png/.test(outcome), outcome);
  check("resources: what lies is refused with the reason", /refused\s+(pictures\/)?ring\.wav[\s\S]*PNG/i.test(outcome), outcome);
  check("resources: the outcome has the focus", await page.evaluate(() => document.activeElement.hasAttribute("data-focus")));
  none("resources: accessible with an outcome", await axe(page));
  await page.getByRole("link", { name: "pictures/lobby.png" }).click();
  const resource = new URL(page.url()).pathname;
  check("resources: a picture is shown", await page.locator("img.preview").evaluate((one) => one.decode().then(() => one.naturalWidth === 1)));
  await look(page, base, resource, complaints, "resource");
  await page.getByLabel("Description").fill("For the lobby and the hall");
  await press(page, "Update");
  check("resources: a description is changed", (await page.innerText("main")).includes("Updated") || (await told(page)) !== "");

  // A value that names a file has a button for it (R124).
  await page.goto(`${base}/admin/profiles/add`);
  await page.getByLabel("Profile Name").fill("Lobby picture");
  await press(page, "Save");
  const profile = new URL(page.url()).pathname;
  await page.locator("#f-xml").fill('<bg bg.color.bm.1.name="pictures/lobby.png"/>');
  await page.getByRole("button", { name: "Preview import" }).last().click();
  await page.getByRole("button", { name: /^Accept/ }).click();
  await page.goto(base + resource);
  check("resources: its page tells the profile that names it", (await page.innerText("section[aria-labelledby=used-title]")).includes("Lobby picture"));
  await page.goto(`${base}${profile}?edit=bg.color.bm.1.name`);
  none("resources: the value's editor is accessible", await axe(page));
  complaints.length = 0;

  await page.goto(`${base}${resource}/replace`);
  await page.locator("#f-file").setInputFiles(text("other.png", "no picture", "image/png"));
  await send(page, () => press(page, "Replace"));
  check("resources: nothing but a picture takes its place", await page.getByRole("alert").count() === 1, await page.innerText("main"));
  await look(page, base, "/admin/resources", complaints, "with a file");
  await page.getByRole("row").filter({ hasText: "pictures/lobby.png" }).locator('input[name="select"]').check();
  await pressByKeyboard(page, page.getByRole("button", { name: "Delete…" }));
  check("resources: deleting tells who names it", (await page.innerText("main")).includes("Lobby picture"), await page.innerText("main"));
  none("resources: accessible before it is deleted", await axe(page));
  await page.getByRole("button", { name: /^Delete/ }).click();
  await agree(page);
  check("resources: it is deleted", /is deleted/.test(await told(page)) && await page.getByRole("link", { name: "pictures/lobby.png" }).count() === 0, await page.innerText("main"));
}

async function upload(page, base, device, directory, file) {
  await page.goto(`${base}/admin/devices/upload?select=${device.split("/").pop()}&back=${device}/files`);
  await page.getByLabel("Directory").selectOption({ label: (await page.getByLabel("Directory").locator("option").allInnerTexts()).find((one) => one.startsWith(directory)) });
  await page.locator("#f-files").setInputFiles(file);
  await send(page, () => press(page, "Save"));
}

async function deviceFiles(page, base, complaints) {
  await page.goto(`${base}/admin/devices?status=online&model=VVX 411`);
  await page.locator("tbody th a").first().click();
  const device = new URL(page.url()).pathname;
  await upload(page, base, device, "Overrides", text("phone.cfg", OVERRIDES));
  const question = await page.innerText("main");
  check("device files: what a file does is shown first", question.includes("up.timeOut") && question.includes("77"), question);
  check("device files: a secret in it is not", !(await page.content()).includes("CANARY_FLASH"));
  await lookHere(page, "device files: the question", complaints);
  await page.getByRole("button", { name: /^Save 1 file/ }).click();
  await look(page, base, `${device}/files`, complaints, "with overrides");
  check("device files: the values in it are told", /up\.timeOut[\s\S]*77/.test(await page.innerText("main")));
  check("device files: secrets stay masked", !(await page.content()).includes("CANARY_FLASH"));

  await page.getByRole("button", { name: /^Delete up\.timeOut/ }).click();
  await agree(page);
  await page.goto(`${base}${device}/files`);
  check("device files: one value of an override is deleted, the others stay", !(await page.innerText("main")).includes("up.timeOut") && (await page.innerText("main")).includes("gmtOffset"));
  await page.getByRole("button", { name: /^Delete tcpIpApp\.sntp\.gmtOffset/ }).click();
  check("device files: a clock that goes moves the polling minute, and that is shown", (await page.innerText("main")).includes("prov.polling.time"), await page.innerText("main"));
  await agree(page);
  await page.goto(`${base}${device}/files`);
  await page.getByRole("link", { name: /former$/ }).first().click();
  await look(page, base, new URL(page.url()).pathname, complaints, "versions");
  await page.getByRole("link", { name: /^What changed/ }).first().click();
  check("device files: two versions are compared", (await page.innerText("main")).includes("gmtOffset"), await page.innerText("main"));
  none("device files: the comparison is accessible", await axe(page));
  complaints.length = 0;
  await upload(page, base, device, "Contacts", text("directory.xml", DIRECTORY("Porter", "100")));
  await page.getByRole("button", { name: /^Save 1 file/ }).click();
  check("device files: a directory is kept", (await page.goto(`${base}${device}/files`), await page.innerText("main")).includes("directory.xml"));
  await upload(page, base, device, "Misc", text("../secret.cfg", "<a/>"));
  check("device files: a name that is none is told", await page.getByRole("alert").count() > 0 || !(await page.content()).includes("../"), await page.innerText("main"));
  return device;
}

async function logs(page, base, complaints) {
  await page.goto(`${base}/admin/devices?sort=-last_seen`);
  await page.locator("tbody th a").first().click();
  const device = new URL(page.url()).pathname;
  await look(page, base, `${device}/logs`, complaints, "logs");
  const all = page.locator("table tbody tr");
  check("logs: uploads of phones are listed", await all.count() > 0);
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Day as ZIP" }).click()]);
  check("logs: a day is taken away as a ZIP file", fs.readFileSync(await zip.path()).subarray(0, 2).toString() === "PK", zip.suggestedFilename());
  await all.first().getByRole("link").first().click();
  await page.locator(".log-lines li").first().waitFor();
  none("logs: one is accessible", await axe(page));
  const word = (await page.locator(".log-text").first().innerText()).match(/\w{4,}/)[0];
  await page.goto(`${base}${device}/logs`);
  await page.getByLabel("Search inside").fill(word.toUpperCase());
  await page.locator("main").getByRole("button", { name: "Search" }).click();
  check("logs: a search finds lines of all logs of the day", await page.locator(".log-lines.found li").count() > 0, word);
  none("logs: what is found is accessible", await axe(page));
  await page.getByRole("link", { name: "Delete this day…" }).click();
  none("logs: the question is accessible", await axe(page));
  await page.getByRole("button", { name: /^Delete/ }).click();
  check("logs: they are deleted", (await told(page)).includes("deleted"), await told(page));
  complaints.length = 0;
}
