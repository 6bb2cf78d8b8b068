// What every part of the run counts with, and what is asked of every page: accessible, fitting the screen, nothing to complain about.
import fs from "node:fs";
import path from "node:path";
import { axe } from "./browser.mjs";

export const PICTURES = process.env.PDMS_SCREENSHOTS;
export const WIDTHS = [[1280, 800], [390, 844]];

export const counted = { passed: 0, failed: 0 };

export function check(name, holds, detail = "") {
  holds ? counted.passed++ : counted.failed++;
  if (!holds) console.log(`FAILED ${name}${detail === "" ? "" : `\n       ${detail}`}`);
}

export const none = (name, list) => check(name, list.length === 0, list.join("\n       "));

// The message of what was done last.
export const told = (page) => page.locator(".flash").innerText();
// Says yes where a page asks for what a change does to devices.
export async function agree(page) {
  const save = page.locator('form:has(input[name="impact_form"]) button');
  if (await save.count() > 0) await save.click();
}
export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

// The page that is open, in both schemes and both widths. `again` opens it anew each time: the answers to forms cannot be.
export async function lookHere(page, name, complaints, again = async () => {}) {
  for (const [width, height] of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      const at = `${name} at ${width} px, ${colorScheme}`;
      complaints.length = 0;
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await again();
      none(`${at}: nothing to complain about`, [...complaints]);
      none(`${at}: accessible`, await axe(page));
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      check(`${at}: fits the screen`, wide <= room, `${wide} > ${room}`);
      if (PICTURES) {
        fs.mkdirSync(PICTURES, { recursive: true });
        const file = `${name.replace(/\W+/g, "_").slice(0, 90)}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: path.join(PICTURES, file), fullPage: true });
      }
    }
  }
  await page.setViewportSize({ width: WIDTHS[0][0], height: WIDTHS[0][1] });
  await page.emulateMedia({ colorScheme: "light" });
  check(`${name}: has one heading of the first rank`, await page.locator("h1").count() === 1);
  const title = await page.title();
  check(`${name}: has a title`, /\S.* · pdms$/.test(title), title);
}

// A page that an address opens.
export const look = (page, base, address, complaints, prefix) =>
  lookHere(page, `${prefix} ${address}`, complaints, () => page.goto(base + address));

// Where the focus is: whether it is seen and shown there. Nothing at the end of the page.
const atFocus = (page) => page.evaluate(() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const on = document.elementFromPoint(box.x + Math.min(box.width, 40) / 2, box.y + Math.min(box.height, 24) / 2);
  const visible = on !== null && (at === on || at.contains(on) || on.contains(at));
  const told = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return { what: at.outerHTML.slice(0, 90), good: visible && told };
});

// The first Tab is the skip link, and every stop shows where it is.
export async function walkByKeyboard(page, base, address) {
  await page.goto(base + address);
  await page.keyboard.press("Tab");
  check(`${address}: the first Tab is the skip link`, await page.evaluate(() => document.activeElement.className === "skip-link"));
  const hidden = [];
  for (let stop = 0; stop < 60; stop++) {
    const state = await atFocus(page);
    if (state === null) break;
    if (!state.good) hidden.push(state.what);
    await page.keyboard.press("Tab");
  }
  none(`${address}: the focus is seen at every stop`, hidden);
}

// Goes to something with the Tab key alone.
export async function tabTo(page, target) {
  const name = String(target);
  for (let stop = 0; stop < 90; stop++) {
    if (await target.evaluate((one) => one === document.activeElement)) {
      const state = await atFocus(page);
      check(`by keyboard: ${name} shows that it has the focus`, state.good, state.what);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`no Tab leads to ${name} on ${page.url()}`);
}

// Fills fields and presses a button without a mouse. A select takes the first letters of a choice.
export async function typeByKeyboard(page, fields, button) {
  for (const [label, text] of fields) {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await page.keyboard.type(text);
  }
  await pressByKeyboard(page, page.getByRole("button", { name: button, exact: true }));
}

// Sends a form with a file: its script loads the next page, or puts the same one with what is wrong in the place of this one.
export async function send(page, act) {
  await page.evaluate(() => document.querySelector("main").setAttribute("data-before", ""));
  await act();
  await page.locator("main:not([data-before])").waitFor();
  await page.waitForLoadState();
}

export async function pressByKeyboard(page, target) {
  await tabTo(page, target);
  const loaded = page.waitForEvent("load");
  await page.keyboard.press("Enter");
  await loaded;
}
