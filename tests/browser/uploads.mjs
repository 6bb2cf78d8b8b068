// Files on their way over a slow line (U17): how much has arrived moves, sending stops when somebody says so, and a line that breaks is told.
import { axe } from "./browser.mjs";
import { check, none, press, send } from "./checks.mjs";

const SLOW = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60_000 };
const FAST = { ...SLOW, uploadThroughput: -1 };

export async function uploads(page, base) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const line = (how) => network.send("Network.emulateNetworkConditions", how);
  const choose = async (buffer) => {
    await page.goto(`${base}/admin/devices/import`);
    await page.locator("#f-file").setInputFiles({ name: "devices.csv", mimeType: "text/csv", buffer });
  };
  const long = "x".repeat(200);
  const rows = Array.from({ length: 9_000 }, (_, at) => `0004f3${at.toString(16).padStart(6, "0")},${long}`);
  const large = Buffer.from(["mac_address,up.x", ...rows].join("\n"));
  const bar = page.getByRole("progressbar");
  const value = async () => Number(await bar.getAttribute("aria-valuenow"));

  await choose(large);
  await line(SLOW);
  await press(page, "Import");
  await page.waitForFunction(() => document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow") > 2);
  const first = await value();
  await page.waitForFunction((first) => document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow") > first, first);
  check("upload: the share that has arrived moves", await value() > first && await value() < 100, `${first}`);
  check("upload: the rest is told in time", /\d+ % of 1\.\d MiB, .+ left/.test(await page.locator(".upload-words").innerText()), await page.locator(".upload").innerText());
  none("upload: accessible on its way", await axe(page));
  await page.locator(".upload").getByRole("button", { name: "Cancel" }).click();
  check("upload: it can be stopped", (await page.locator(".upload [role=alert]").innerText()).includes("was not sent"));

  await line(FAST);
  await page.route("**/admin/devices/import", (route) => route.abort());
  await press(page, "Import");
  await page.getByText("did not arrive").waitFor();
  check("upload: a broken line is told", await page.locator(".upload [role=alert]").count() === 1);
  await page.unroute("**/admin/devices/import");
  const small = { name: "devices.csv", mimeType: "text/csv", buffer: Buffer.from("mac_address\n0004f3000001\n") };
  await page.locator("#f-file").setInputFiles(small);
  await send(page, () => press(page, "Import"));
  check("upload: it can be sent again", (await page.innerText("main")).includes("1 added"), page.url());
  await choose(Buffer.from("no header"));
  await send(page, () => press(page, "Import"));
  check("upload: what is wrong has the focus", await page.evaluate(() => document.activeElement.hasAttribute("data-focus")));
  await page.locator("#f-file").setInputFiles(small);
  await send(page, () => press(page, "Import"));
  check("upload: the form that came back works", page.url().includes("/admin/devices/import/"), page.url());
}
