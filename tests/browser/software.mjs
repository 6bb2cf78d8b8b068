// Software for phones as an admin meets it: a package on its way that breaks off and goes on, what is asked about it, and what phones make of it.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { axe } from "./browser.mjs";
import { agree, check, lookHere, look, none, press, pressByKeyboard, told } from "./checks.mjs";

const PIECES = "**/images/uploads/*?offset=*";

// A package with software for a VVX 450 that takes more than one piece to send.
function packed(folder) {
  const inside = path.join(folder, "package");
  fs.mkdirSync(inside);
  fs.writeFileSync(path.join(inside, "3111-48840-001.sip.ld"), randomBytes(20_000_000));
  fs.writeFileSync(path.join(inside, "sip.ver"), "6.4.9.1234");
  const file = path.join(folder, "UC_Software_6_4_9_release_sig_split.zip");
  execFileSync("python3", ["-m", "zipfile", "-c", file, ...fs.readdirSync(inside)], { cwd: inside });
  return file;
}

export async function software(page, base, complaints) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pdms-software-"));
  try {
    const image = await uploadInPieces(page, base, complaints, packed(folder));
    await chooseIt(page, base, complaints);
    await askedAbout(page, base, complaints, folder);
    await deleteIt(page, base, image);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

// From the page of an upload to what it became; a quick one is there at once.
async function becameOf(page) {
  await page.waitForURL(/\/admin\/software\/(uploads\/|\d+$)/);
  if (page.url().includes("/uploads/")) await page.getByRole("link", { name: "See what became of it" }).click();
}

// Sent in pieces: stopped by the person, then by the line, and gone on with both times. The answer is the address of the image.
async function uploadInPieces(page, base, complaints, file) {
  const choose = async () => {
    await page.goto(`${base}/admin/software`);
    await page.locator("#f-file").setInputFiles(file);
  };
  // The second piece waits for good, so that somebody can stop it.
  let pieces = 0;
  await page.route(PIECES, (route) => (pieces += 1) === 1 && route.continue());
  await choose();
  await press(page, "Upload");
  await page.getByText(/^[1-9]\d* % of 21 MB/).waitFor();
  none("software: accessible on its way", await axe(page));
  await page.locator(".upload").getByRole("button", { name: "Cancel" }).click();
  await page.locator(".upload [role=alert]", { hasText: "Choose the same file to go on" }).waitFor();
  await page.unroute(PIECES);
  await page.goto(`${base}/admin/software`);
  const waiting = await page.locator("section[aria-labelledby=uploads]").innerText();
  check("software: a stopped upload is in the list with what has arrived", /UC_Software_6_4_9[\s\S]*receiving[\s\S]*[1-9]\d? %/.test(waiting), waiting);
  none("software: accessible with an upload", await axe(page));

  const offsets = [];
  await page.route(PIECES, (route) => {
    offsets.push(Number(new URL(route.request().url()).searchParams.get("offset")));
    return offsets.length === 2 ? route.abort() : route.continue();
  });
  await choose();
  await press(page, "Upload");
  await page.locator(".upload").waitFor({ state: "detached" });
  await page.unroute(PIECES);
  check("software: the same file goes on where it stopped", offsets[0] > 0, offsets.join());
  check("software: after a broken line it goes on by itself", offsets.length > 2 && offsets[2] === offsets[1], offsets.join());
  complaints.length = 0;
  await becameOf(page);
  check("software: it ends on the page of the image", (await page.locator("h1").innerText()).includes("6.4.9.1234"), page.url());
  const image = new URL(page.url()).pathname;
  const facts = await page.innerText("main");
  check("software: the version is read from the package", /Version\s+6\.4\.9\.1234/.test(facts), facts);
  check("software: the devices that it is for are told by the part number", /Devices\s+VVX/.test(facts), facts);
  check("software: its hash is shown", /[0-9a-f]{64}/.test(facts), facts);
  await look(page, base, image, complaints, "software");
  return image;
}

// Whoever has it chosen for all sees which phones take it, before and after.
async function chooseIt(page, base, complaints) {
  await page.goto(`${base}/admin/deployment`);
  const profile = page.locator("#attach");
  const label = (await profile.locator("option").allInnerTexts()).find((name) => name.includes("6.4.9.1234"));
  check("software: its profile can be deployed", label !== undefined);
  await profile.selectOption({ label });
  await press(page, "Add");
  const question = await page.innerText("main");
  check("software: what it does to phones is shown first", question.includes("6.4.9.1234") && /devices? gets? other/.test(question), question.slice(0, 600));
  none("software: accessible as a question", await axe(page));
  await agree(page);
  await page.goto(`${base}/admin/devices?model=VVX 450`);
  await page.locator("tbody th a").first().click();
  const device = new URL(page.url()).pathname;
  await look(page, base, `${device}/software`, complaints, "chosen");
  const shown = await page.innerText("main");
  check("software: a phone's page tells what is chosen, and by whom", /Chosen: VVX 6\.4\.9\.1234[\s\S]*By [\s\S]*Global/.test(shown), shown);
  await look(page, base, "/admin/software/report", complaints, "chosen");
  check("software: the report counts who is below", /Below what is chosen\s+[1-9]/.test(await page.innerText("main")));
  await pressByKeyboard(page, page.locator("main table th[scope=row] a").first());
  check("software: a row of the report leads to its devices", page.url().includes("/admin/devices?") && await page.locator("tbody tr").count() > 0, page.url());
}

// A single file tells no version: it is asked for, by keyboard, and a wrong answer is told.
async function askedAbout(page, base, complaints, folder) {
  const file = path.join(folder, "3111-48350-001.sip.ld");
  fs.writeFileSync(file, randomBytes(100_000));
  await page.goto(`${base}/admin/software`);
  await page.locator("#f-file").setInputFiles(file);
  await press(page, "Upload");
  const version = page.getByLabel("Version");
  await page.waitForURL(/\/admin\/software\/uploads\//);
  const done = page.getByRole("link", { name: "See what became of it" });
  await version.or(done).waitFor();
  if (await done.count() > 0) await done.click();
  const upload = new URL(page.url()).pathname;
  await look(page, base, upload, complaints, "asked");
  await version.fill("the newest");
  await press(page, "Go on");
  check("software: a version that is none is told", await page.getByRole("alert").count() === 1, await page.innerText("main"));
  none("software: accessible with an error", await axe(page));
  await page.getByLabel("Version").fill("5.9.9.1");
  await pressByKeyboard(page, page.getByRole("button", { name: "Go on" }));
  await becameOf(page);
  check("software: what was said of it counts", (await page.innerText("main")).includes("5.9.9.1"), page.url());
  complaints.length = 0;
}

async function deleteIt(page, base, image) {
  await page.goto(base + image);
  await page.getByRole("link", { name: "Delete…" }).click();
  const question = await page.innerText("main");
  check("software: deleting tells that its profile goes too", /profile/i.test(question) && question.includes("6.4.9.1234"), question);
  none("software: accessible before it is deleted", await axe(page));
  await page.getByRole("button", { name: /^Delete/ }).click();
  await agree(page);
  check("software: it is deleted", (await told(page)).includes("6.4.9.1234"), await told(page));
}
