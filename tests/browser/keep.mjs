// What is kept for bad days: backups and the way back on the page of the first run, and the activity log by weeks.
import fs from "node:fs";
import { axe, confirm, open, OWNER, signIn } from "./browser.mjs";
import { check, look, lookHere, none, press, pressByKeyboard, send as sendFile, tabTo, told } from "./checks.mjs";
import { SET_UP_LINK, start } from "./server.mjs";

const PASSPHRASE = "a passphrase that nobody guesses";

export async function keep(page, base, complaints) {
  const file = await backups(page, base, complaints);
  await restore(file);
  await activity(page, base);
}

// A backup is made and verified with the keyboard alone; the answer is the encrypted one's file.
async function backups(page, base, complaints) {
  const row = page.locator("tbody tr");
  await page.goto(`${base}/admin/backups`);
  await pressByKeyboard(page, page.getByRole("button", { name: "Back up now" }));
  check("backups: one is made", (await told(page)).includes("is made and verified"), await told(page));
  await pressByKeyboard(page, page.getByRole("button", { name: /^Verify/ }));
  check("backups: verifying is told", (await told(page)).includes("is whole"), await told(page));
  check("backups: it is marked as not encrypted", /no/.test(await row.innerText()), await row.innerText());
  await look(page, base, "/admin/backups", complaints, "with a backup");

  await page.getByLabel("How often").selectOption("day");
  await page.getByLabel("Hour").fill("3");
  await page.getByLabel("Encrypt with a passphrase").check();
  await page.getByLabel("New passphrase").fill("short");
  await page.getByLabel("The same again").fill("short");
  await press(page, "Save");
  check("backups: a short passphrase is told", await page.locator("#f-passphrase[aria-invalid]").count() === 1);
  none("backups: accessible with errors", await axe(page));
  await page.getByLabel("New passphrase").fill(PASSPHRASE);
  await press(page, "Save");
  check("backups: a passphrase that was typed once is told", await page.locator("#f-passphrase_again[aria-invalid]").count() === 1);
  await page.getByLabel("New passphrase").fill(PASSPHRASE);
  await page.getByLabel("The same again").fill(PASSPHRASE);
  await pressShow(page);
  await press(page, "Save");
  check("backups: the plan is saved", (await told(page)).includes("plan is saved"));
  check("backups: the plan is shown", await page.getByLabel("How often").inputValue() === "day" && await page.getByLabel("Hour").inputValue() === "3");
  check("backups: nothing warns of clear text any more", await page.locator(".note-warn").count() === 0);

  await row.getByText("Delete…").click();
  await page.getByRole("button", { name: /^Delete/ }).click();
  check("backups: one is deleted", (await told(page)).includes("is deleted") && await row.count() === 0);
  await press(page, "Back up now");
  check("backups: the next one is encrypted", /yes/.test(await row.innerText()), await row.innerText());
  const begun = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download/ }).click().catch(() => {});
  await confirm(page);
  const download = await begun;
  return { path: await download.path(), name: download.suggestedFilename() };
}

// What is typed can be looked at, in both fields.
async function pressShow(page) {
  const kinds = () => page.locator("#f-passphrase, #f-passphrase_again").evaluateAll((fields) => fields.map((field) => field.type).join());
  const show = page.getByRole("button", { name: "Show what is typed" });
  await tabTo(page, show);
  await page.keyboard.press("Enter");
  check("backups: the passphrase can be looked at", await kinds() === "text,text" && await show.getAttribute("aria-pressed") === "true", await kinds());
  none("backups: accessible with the passphrase shown", await axe(page));
  await show.click();
  check("backups: and is hidden again", await kinds() === "password,password", await kinds());
}

// Another machine: what is no backup and a missing passphrase are told; then the owner of the old server signs in.
async function restore({ path, name }) {
  const server = await start(SET_UP_LINK);
  const { page, close } = await open(server.base);
  const send = async (what, buffer, passphrase) => {
    await page.goto(server.base + server.match[1]);
    await page.getByRole("link", { name: "Restore it instead" }).click();
    await page.getByLabel("Backup", { exact: true }).setInputFiles({ name: what, mimeType: "application/octet-stream", buffer });
    await page.getByLabel("Passphrase").fill(passphrase);
    await sendFile(page, () => press(page, "Restore"));
  };
  try {
    await send("holiday.jpg", Buffer.from("not a backup at all"), "");
    check("restore: what is no backup is told", await page.getByRole("alert").count() === 1);
    none("restore: accessible with errors", await axe(page));
    const bytes = fs.readFileSync(path);
    await send(name, bytes, "");
    check("restore: a missing passphrase is told", (await page.getByRole("alert").innerText()).includes("passphrase"));
    await send(name, bytes, PASSPHRASE);
    check("restore: it is done", await page.getByRole("heading", { name: "The backup is restored" }).count() === 1, page.url());
    await lookHere(page, "restored", []);
    await comesBack(page, server.base);
    await signIn(page, server.base, OWNER);
    check("restore: the owner of the old server gets in", await page.getByRole("heading", { name: "Dashboard" }).count() === 1, page.url());
  } finally {
    await close();
    await server.stop();
  }
}

// Until a server that starts again has its pages: the sign-in page stands where the first run was.
async function comesBack(page, base) {
  const ends = Date.now() + 60_000;
  while (Date.now() < ends) {
    const answer = await page.goto(`${base}/admin/sign-in`).catch(() => null);
    if (answer?.ok() && page.url().endsWith("/admin/sign-in")) return;
    await page.waitForTimeout(200);
  }
  check("restore: the server comes back within a minute", false);
}

// Any day of a week gives that week's file.
async function activity(page, base) {
  await page.goto(`${base}/admin/activity`);
  for (const [format, ending] of [["csv", ".csv"], ["json", ".json"]]) {
    await page.getByLabel("Format").selectOption(format);
    const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Download")]);
    check(`the activity log as ${format}: is a file`, download.suggestedFilename().endsWith(ending), download.suggestedFilename());
    check(`the activity log as ${format}: has what was done`, fs.readFileSync(await download.path(), "utf8").includes("Ada Example"));
  }
  await page.getByLabel("Search", { exact: true }).fill("nothing that was ever done");
  await press(page, "Apply");
  check("the activity log: nothing found has a way on", await page.getByRole("link", { name: "Show all entries" }).count() === 1);
}
