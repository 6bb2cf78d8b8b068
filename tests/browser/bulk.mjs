// All that a list finds, chosen in its bulk bar, asked about with the number, and left by Escape.
import { check, lookHere } from "./checks.mjs";

// Ticks the page, takes all that match, and presses Delete. Answers their number.
async function ask(page, list) {
  await page.goto(list);
  const offer = page.locator(".bulk-all");
  await page.locator('input[name="select"]').first().check();
  check("bulk: one ticked row offers no more than itself", await offer.isHidden());
  await page.locator("[data-select-all]").check();
  check("bulk: a ticked page offers all that match", await offer.isVisible());
  const number = (await offer.innerText()).match(/Select all ([\d,]+) matching/)?.[1];
  await offer.locator("input").check();
  const told = await page.locator("[data-selected]").innerText();
  check("bulk: the bar shows the number", told === `${number} selected`, `${told}, not ${number}`);
  await page.locator('input[name="select"]').first().uncheck();
  check("bulk: without one of the rows it is not all any more", await offer.isHidden() && !(await offer.locator("input").isChecked()));
  await page.locator("[data-select-all]").check();
  await offer.locator("input").check();
  await page.getByRole("button", { name: "Delete…", exact: true }).click();
  return number;
}

// The phones of the demonstration come one after the other: what is counted must have come to rest.
async function settled(page, list) {
  const total = async () => {
    await page.goto(list);
    return page.locator(".pager p").innerText();
  };
  for (let before = await total(), tries = 0; tries < 60; tries++) {
    await page.waitForTimeout(2000);
    const now = await total();
    if (now === before) return;
    before = now;
  }
}

export async function bulk(page, base, complaints) {
  const list = `${base}/admin/devices?all=&per_page=25`;
  await settled(page, list);
  const number = await ask(page, list);
  const title = await page.locator("h1").innerText();
  check("bulk: the question repeats the number", title === `Delete ${number} devices?`, title);
  await lookHere(page, "all devices to delete", complaints);
  const sent = [];
  const note = (request) => { if (request.method() !== "GET") sent.push(request.url()); };
  page.on("request", note);
  await page.keyboard.press("Escape");
  await page.waitForURL(/\/admin\/devices\?/);
  check("bulk: Escape is Cancel, and sends nothing", sent.length === 0, sent.join(" "));
  page.off("request", note);

  await ask(page, list);
  await page.getByLabel(/^Type \d+ to go on/).fill("7");
  await page.locator(".confirm .btn-danger").click();
  check("bulk: another number is not taken", (await page.getByRole("alert").innerText()).includes("Type the number"), page.url());
  await page.getByRole("link", { name: "Cancel", exact: true }).click();
  await page.goto(list);
  const shown = await page.locator(".pager p").innerText();
  check("bulk: nothing was deleted", shown.endsWith(`of ${number.replace(",", "")}`), shown);
}
