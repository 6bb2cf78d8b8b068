// Sites, groups, people and rooms, and the order of profiles: what their forms answer, and an order changed in three ways.
import { axe } from "./browser.mjs";
import { agree, check, look, lookHere, none, press, pressByKeyboard, send, told } from "./checks.mjs";

export async function organise(page, base, complaints) {
  await sites(page, base, complaints);
  await groups(page, base, complaints);
  await people(page, base, complaints);
  await order(page, base);
  await profiles(page, base, complaints);
  await files(page, base);
  await undo(page, base, complaints);
}

// What was deleted is taken back from the message: it is said, stays while it is pointed at or has the focus, and works by keyboard.
async function undo(page, base, complaints) {
  await page.clock.install();
  const remove = async () => {
    await page.goto(`${base}/admin/groups?q=Pilot`);
    await page.getByRole("checkbox", { name: "Select Pilot" }).check();
    await press(page, "Delete…");
    await page.getByRole("button", { name: /^Delete/ }).last().click();
    return page.locator("[data-toast]");
  };
  let toast = await remove();
  check("undo: the message is said", await toast.getByRole("status").count() === 1 && (await toast.innerText()).includes("is deleted"));
  check("undo: it floats", await toast.evaluate((one) => getComputedStyle(one).position) === "fixed");
  await page.clock.runFor(10_000);
  check("undo: it is there after ten seconds", await toast.isVisible());
  await toast.hover();
  await page.clock.runFor(120_000);
  check("undo: it stays while it is pointed at", await toast.isVisible());
  await page.getByRole("heading", { level: 1 }).hover();
  await toast.getByRole("button", { name: "Undo" }).focus();
  await page.clock.runFor(120_000);
  check("undo: it stays while it has the focus", await toast.isVisible());
  await lookHere(page, "undo", complaints);
  await pressByKeyboard(page, toast.getByRole("button", { name: "Undo" }));
  check("undo: the group is back", (await told(page)).includes("Pilot is restored."), await told(page));
  toast = await remove();
  await page.getByRole("heading", { level: 1 }).hover();
  await page.clock.runFor(60_000);
  check("undo: it goes by itself", await toast.isHidden());
  await look(page, base, "/admin/recycle-bin", complaints, "recycle bin");
  await page.getByRole("link", { name: /Pilot/ }).first().click();
  await lookHere(page, "a deletion", complaints);
  await press(page, "Restore");
  await agree(page);
  check("undo: the bin restores too", (await told(page)).includes("Pilot is restored."), await told(page));
  await page.clock.resume();
}

async function sites(page, base, complaints) {
  await page.goto(`${base}/admin/sites/add`);
  await page.getByLabel("Site Name").fill("Lisbon");
  await page.locator("input[name=ip]").first().fill("10.44.0.0");
  await page.locator("input[name=mask]").first().fill("16");
  await press(page, "Save");
  check("a site is added", (await told(page)).includes("The site is added."));
  const here = new URL(page.url()).pathname;
  for (const tab of ["", "/public", "/private", "/profiles", "/download-path"]) await look(page, base, here + tab, complaints, "site");
  await page.goto(`${base}${here}/download-path`);
  await page.getByLabel("Download Path").fill("https://10.1.1.1/");
  await press(page, "Update");
  check("a download path without a name is told beside its field", await page.locator("#f-download_path[aria-invalid]").count() === 1);
  await lookHere(page, "download path refused", complaints);
  await page.getByLabel("Download Path").fill("https://relay.example.com");
  await press(page, "Update");
  check("a download path is kept with its slash", await page.getByLabel("Download Path").inputValue() === "https://relay.example.com/");
  await look(page, base, "/admin/sites/test?seen=10.44.1.1&own=", complaints, "tester");
  check("the tester names the site", (await page.innerText("main")).includes("Lisbon"));
  await look(page, base, "/admin/sites/1/profiles", complaints, "Internet");
  await page.goto(`${base}/admin/sites/import`);
  const rows = ["site_name;subnets", 'Lisbon;{"public-subnet-list":[{"ip-address":"10.45.0.0","mask-length":"16"}]}', "Porto;x"];
  await page.locator("#f-file").setInputFiles({ name: "sites.csv", mimeType: "text/csv", buffer: Buffer.from(rows.join("\n")) });
  await send(page, () => press(page, "Import"));
  check("an import is shown first, with what is wrong", (await page.innerText("main")).includes("subnets"), await page.innerText("main"));
  await lookHere(page, "import preview", complaints);
  await page.goto(`${base}/admin/sites/delete?select=${here.split("/").pop()}`);
  await lookHere(page, "a site to delete", complaints);
  await look(page, base, "/admin/sites/moves", complaints, "pending moves");
  await page.locator("[data-select-all]").check();
  await press(page, "Keep at their site");
  check("pending moves are decided", (await told(page)).includes("Kept at its site"), await told(page));
}

async function groups(page, base, complaints) {
  await page.goto(`${base}/admin/groups`);
  await page.getByRole("link", { name: "Pilot" }).click();
  const here = new URL(page.url()).pathname;
  await look(page, base, `${here}/devices?show=others`, complaints, "a group");
  await page.goto(`${base}${here}/devices`);
  await page.getByLabel("MAC addresses or serial numbers").fill("00:04:F2:7F:00:10\nnonsense");
  await page.getByRole("button", { name: "Add to this group" }).last().click();
  check("a pasted line that is no device is told", await page.getByRole("alert").count() === 1);
  await lookHere(page, "paste refused", complaints);
  await page.getByLabel("MAC addresses or serial numbers").fill("00:04:F2:7F:00:10");
  await page.getByRole("button", { name: "Add to this group" }).last().click();
  check("a pasted device joins", (await told(page)).includes("1 device joined"), await told(page));
  await page.goto(`${base}/admin/groups`);
  await page.locator("tbody input[type=checkbox]").first().check();
  await page.getByRole("button", { name: /Set to Top Priority/ }).click();
  await lookHere(page, "top priority", complaints);
  await look(page, base, "/admin/groups/default", complaints, "default groups");
  await page.goto(`${base}/admin/devices?all=`);
  await page.locator("tbody input[type=checkbox]").first().check();
  await page.getByRole("button", { name: /Owner/ }).click();
  await lookHere(page, "owners", complaints);
  await page.getByLabel("Owner").selectOption({ label: "Bruno Keller" });
  await press(page, "Save");
  check("ticked devices get an owner", /Saved for 1 device|Nothing changed/.test(await told(page)), await told(page));
}

async function people(page, base, complaints) {
  await page.goto(`${base}/admin/person-groups`);
  await page.getByRole("link", { name: "Sales" }).first().click();
  const here = new URL(page.url()).pathname;
  await look(page, base, `${here}/members?show=others`, complaints, "a person group");
  await page.locator("[data-select-all]").check();
  await press(page, "Add to this group");
  check("people join a group together", (await told(page)).includes("joined"), await told(page));
  await page.goto(`${base}/admin/rooms/add`);
  await page.getByLabel("Room Name").fill("Büro");
  await press(page, "Save");
  check("a room's name is ASCII", await page.locator("#f-name[aria-invalid]").count() === 1);
}

// One order, changed by a button, with the keyboard, by a typed position and by dragging: always told, always the same.
async function order(page, base) {
  await page.goto(`${base}/admin/deployment`);
  const names = () => page.locator(".ordered-what a").allInnerTexts();
  const [first, second] = await names();
  const upside = [second, first].join();
  await page.getByRole("button", { name: `Move ${second} up` }).click();
  check("order by a button", (await names()).slice(0, 2).join() === upside, (await names()).join());
  check("the new order is told", await page.locator(".flash[role=status], [role=status] .flash, .flash").count() === 1);
  await pressByKeyboard(page, page.getByRole("button", { name: `Move ${first} up` }));
  check("order by keyboard", (await names()).slice(0, 2).join() === [first, second].join(), (await names()).join());
  await page.getByLabel(`Position of ${second}`).fill("1");
  await press(page, "Save typed positions");
  check("order by typed positions", (await names()).slice(0, 2).join() === upside, (await names()).join());
  const loaded = page.waitForEvent("load");
  await page.locator("[data-row]").nth(1).dragTo(page.locator("[data-row]").first(), { targetPosition: { x: 60, y: 2 } });
  await loaded;
  check("order by dragging", (await names()).slice(0, 2).join() === [first, second].join(), (await names()).join());
  const small = await page.locator(".ordered-buttons button").evaluateAll((all) => all.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width < 24 || box.height < 24;
  }).length);
  check("order: every button is big enough to be hit", small === 0, `${small} are not`);
}

async function profiles(page, base, complaints) {
  await page.goto(`${base}/admin/profiles?q=LineRegistration-TEMPLATE`);
  await page.locator("tbody").getByRole("link", { name: "LineRegistration-TEMPLATE", exact: true }).click();
  const template = new URL(page.url()).pathname;
  await look(page, base, `${template}/copy`, complaints, "template");
  await page.getByLabel("Profile Name").fill("Line 900");
  await page.locator("form.panel").evaluate((form) => { form.noValidate = true; });
  await press(page, "Save");
  none("a template that lacks what it asks for: accessible", await axe(page));
  check("a template says what it lacks", await page.getByRole("alert").count() === 1);
  await page.goto(`${base}/admin/profiles?kind=user-defined`);
  await page.locator("tbody th a").first().click();
  const own = new URL(page.url()).pathname;
  await look(page, base, `${own}/fields?q=24HourClock`, complaints, "standard fields");
}

// Every list hands out what it found.
async function files(page, base) {
  for (const path of ["groups", "people", "profiles", "activity", "deployment", "users"]) {
    await page.goto(`${base}/admin/${path}?all=`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export", exact: true }).click()]);
    check(`${path}: the list is a file`, download.suggestedFilename().endsWith(".csv"), download.suggestedFilename());
  }
}
