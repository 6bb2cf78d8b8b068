// Phones at the door: their manufacturers' CAs, what the dashboard warns of, the addresses handed out, and a phone from the box.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { axe } from "./browser.mjs";
import { agree, check, look, none, press, pressByKeyboard, send, tabTo, told, typeByKeyboard } from "./checks.mjs";
import { BINARY } from "./server.mjs";

const MAC = "0004f2fe0001";
const CERTIFICATES = "/admin/provisioning/phone-certificates";

export async function comeUp(page, server, complaints) {
  await manufacturers(page, server.base, complaints);
  await warnings(page, server.base, complaints);
  await fromTheBox(page, server, complaints);
  await addresses(page, server.base, complaints);
}

// A CA as a manufacturer has one.
function authority() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pdms-ca-"));
  const [key, certificate] = ["key", "pem"].map((name) => path.join(folder, `ca.${name}`));
  const flags = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/O=Example Phones/CN=Example Equipment Root CA"];
  execFileSync("openssl", ["req", ...flags, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const buffer = fs.readFileSync(certificate);
  fs.rmSync(folder, { recursive: true });
  return { name: "root.pem", mimeType: "application/x-pem-file", buffer };
}

async function manufacturers(page, base, complaints) {
  const choose = page.getByLabel("Certificate file");
  await page.goto(base + CERTIFICATES);
  await choose.setInputFiles({ name: "letter.txt", mimeType: "text/plain", buffer: Buffer.from("Dear phones,") });
  await send(page, () => press(page, "Upload"));
  check("manufacturers: what is no certificate is told", (await page.getByRole("alert").innerText()).length > 20);
  none("manufacturers: accessible with errors", await axe(page));
  await choose.setInputFiles(authority());
  await pressByKeyboard(page, page.getByRole("button", { name: "Upload" }));
  check("manufacturers: the CA is told", (await told(page)).includes("1 CA certificate is here now"), await told(page));
  await tabTo(page, page.getByLabel("Off"));
  await page.keyboard.press("ArrowDown");
  await pressByKeyboard(page, page.getByRole("button", { name: "Save policy" }));
  check("manufacturers: the policy counts", (await page.innerText("#state ~ p >> nth=0")).includes("Each phone is asked"));
  await look(page, base, CERTIFICATES, complaints, "with a CA");
  const remove = page.getByRole("link", { name: "Delete… O=Example Phones" });
  await page.getByRole("link", { name: /^Delete…/ }).click();
  await look(page, base, page.url().slice(base.length), complaints, "a CA");
  await page.getByRole("link", { name: "Cancel" }).click();
  check("manufacturers: cancelling keeps it", await page.locator("tbody tr").count() === 1);
  await page.getByRole("link", { name: /^Delete…/ }).click();
  await press(page, "Delete CA certificate");
  check("manufacturers: deleting is told", (await told(page)).includes("is deleted") && await remove.count() === 0);
}

// The factory default counts as open doors; each warning leads to where it is mended.
async function warnings(page, base, complaints) {
  await page.goto(`${base}/admin/provisioning/credentials`);
  await page.getByLabel("User name", { exact: true }).fill("PlcmSpIp");
  await page.getByLabel("New password").fill("PlcmSpIp");
  await page.getByLabel("They leaked").check();
  await press(page, "Change the shared credentials");
  await page.goto(`${base}/admin/`);
  const warning = page.locator(".note", { hasText: "factory default" });
  check("the dashboard warns of the factory default", await warning.count() === 1);
  await look(page, base, "/admin/", complaints, "warned");
  await warning.getByRole("link").click();
  check("the warning leads to where it is mended", new URL(page.url()).pathname === "/admin/provisioning", page.url());
}

// A phone that knows an HTTP address and nothing else is followed, without a reload, until its next poll is all that is left.
async function fromTheBox(page, server, complaints) {
  await page.goto(`${server.base}/admin/coming-up`);
  await typeByKeyboard(page, [["MAC or network address of the phone", "00:04:f2:fe:00:0g"]], "Look");
  check("coming up: a wrong MAC is told", await page.locator("#f-phone[aria-invalid]").count() === 1);
  await page.goto(`${server.base}/admin/coming-up`);
  await typeByKeyboard(page, [["MAC or network address of the phone", "00:04:F2:FE:00:01"]], "Look");
  const steps = page.locator("[data-follow]");
  const done = steps.locator("li.done");
  check("coming up: nothing is heard at first", await done.count() === 0 && (await steps.innerText()).includes("What to do"), await steps.innerText());
  const address = new URL(page.url());
  await look(page, server.base, address.pathname + address.search, complaints, "not heard");
  await page.evaluate(() => { globalThis.notReloaded = true; });
  const flags = ["simulate", "--fresh", "--server", server.http, "--first-mac", MAC, "--wait", "30"];
  const phone = spawn(BINARY, flags, { stdio: "ignore" });
  const ended = new Promise((resolve) => phone.on("exit", resolve));
  check("coming up: the phone says that it is done", await ended === 0);
  for (const step of ["From plain HTTP to HTTPS", "Let in", "Configuration", "Logs"]) await done.filter({ hasText: step }).waitFor();
  const open = await steps.locator("li:not(.done)").allInnerTexts();
  check("coming up: binding alone is left", open.length === 1 && open[0].includes("of 2 complete runs"), open.join("\n"));
  check("coming up: the page was not loaded again", await page.evaluate(() => globalThis.notReloaded === true));
  await look(page, server.base, address.pathname + address.search, complaints, "come up");
  await page.getByRole("link", { name: "in the Device Monitor" }).click();
  check("coming up: it leads to the device", page.url().endsWith(`/admin/devices/${MAC}`), page.url());
  await look(page, server.base, `/admin/devices/${MAC}/detail`, complaints, "came up");
}

// An address that was handed out is listed and can be taken away.
async function addresses(page, base, complaints) {
  await page.goto(`${base}/admin/provisioning`);
  await page.getByText("Change Address").click();
  await page.getByLabel("Public name").fill("127.0.0.1");
  await press(page, "Save address");
  await agree(page);
  await page.goto(`${base}/admin/provisioning`);
  for (const summary of await page.locator("main summary").all()) await summary.click();
  none("addresses: accessible with everything open", await axe(page));
  const rows = page.locator("#address ~ details tbody tr");
  check("addresses: the old one is still there", (await rows.allInnerTexts()).some((row) => row.includes("localhost")), (await rows.allInnerTexts()).join("\n"));
  await page.getByRole("link", { name: /^Take away…/ }).first().click();
  await look(page, base, page.url().slice(base.length), complaints, "an address");
  await page.locator(".form-actions button").click();
  check("addresses: taking one away is told", await page.locator(".flash").count() === 1, await page.innerText("main"));
}
