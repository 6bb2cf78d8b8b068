// Saved views (U08): what a list shows lives in its address, and the same rows come back each time it is opened.
import { open, signIn } from "./browser.mjs";
import { check, lookHere, press, told } from "./checks.mjs";

// What the list shows: its rows and what it says of their number.
async function shown(page) {
  const rows = await page.locator("tbody th[scope=row] a").allTextContents();
  return JSON.stringify([rows, await page.locator("nav.pager p").textContent()]);
}

// Chooses the first value of a filter that leaves some rows.
async function narrow(page, name) {
  const values = await page.locator(`select[name=${name}] option`).evaluateAll((options) => options.map((one) => one.value).filter(Boolean));
  for (const value of values) {
    const before = page.url();
    await Promise.all([page.waitForURL((url) => url.href !== before), page.locator(`select[name=${name}]`).selectOption(value)]);
    if (await page.locator("tbody tr").count() > 0) return;
    await page.goto(before);
  }
  check(`views: a value of ${name} leaves rows`, false, values.join(", "));
}

export async function views(page, base, owner, complaints) {
  await page.goto(`${base}/admin/devices?status=offline`);
  for (const name of ["site", "model"]) await narrow(page, name);
  const address = page.url();
  const rows = await shown(page);
  check("views: model, site and state are in the address", ["model=", "site=", "status=offline"].every((part) => address.includes(part)), address);
  await page.reload();
  check("views: reloaded, the same rows", (await shown(page)) === rows);
  await page.goto(`${base}/admin/devices?all=`);
  await page.goBack();
  check("views: Back, the same rows", page.url() === address && (await shown(page)) === rows, page.url());
  await page.goForward();
  await page.goBack();
  check("views: Forward and Back, the same rows", (await shown(page)) === rows);
  const { page: second, close } = await open(base);
  await signIn(second, base, owner, new URL(address).pathname + new URL(address).search);
  check("views: in a second session, the same rows", (await shown(second)) === rows);

  await page.getByRole("link", { name: "Save view" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Name").fill("Quiet ones");
  await lookHere(page, "save view", complaints);
  await press(page, "Save");
  check("views: kept", (await told(page)).includes("The view Quiet ones is kept."), await told(page));
  check("views: the list is marked as it", await page.locator("nav.views [aria-current=page]").textContent() === "Quiet ones");
  await lookHere(page, "list with views", complaints);
  check("views: kept, the same rows", (await shown(page)) === rows);
  await second.goto(`${base}/admin/devices?all=`);
  await second.locator("nav.views").getByRole("link", { name: "Quiet ones" }).click();
  check("views: by its link in a second session, the same rows", (await shown(second)) === rows);
  await page.getByRole("link", { name: "Save view" }).click();
  await page.getByLabel("Name").fill("quiet ONES");
  await press(page, "Save");
  check("views: a taken name is told beside its field", await page.locator("#f-name[aria-invalid]").count() === 1);
  await lookHere(page, "view refused", complaints);

  await page.goto(`${base}/admin/views?list=devices`);
  await lookHere(page, "views", complaints);
  await page.getByRole("link", { name: "Edit Quiet ones" }).click();
  await page.getByLabel("Name").fill("Silent ones");
  await press(page, "Save");
  check("views: renamed, the same rows", (await shown(page)) === rows && (await page.locator("nav.views").innerText()).includes("Silent ones"));
  await page.goto(`${base}/admin/views?list=devices`);
  await page.getByRole("link", { name: "Delete… Silent ones" }).click();
  await lookHere(page, "a view to delete", complaints);
  await press(page, "Delete");
  check("views: deleted", !(await page.locator("nav.views").innerText()).includes("Silent ones"));
  await page.goto(address);
  check("views: deleted, its address shows the same rows", (await shown(page)) === rows);
  await close();
  await page.goto(`${base}/admin/devices?all=`);
}
