// What admins do with devices and profiles, from the first profile to the deleted device: with a script and without one.
import { send } from "./checks.mjs";

// A vendor-like file: two values that count, one that is empty, one that is what the server's base says anyway, a secret.
const FILE = `<?xml version="1.0" encoding="utf-8"?>
<polycomConfig>
  <lines reg.1.label="Front desk" reg.1.auth.password="CANARY_FILE" reg.1.address="" />
  <up up.idleTimeout="40" />
</polycomConfig>`;

export async function manage(page, base, check, how, scripted) {
  const at = (path) => page.goto(base + path);
  const told = () => page.locator(".flash").innerText();
  const button = (name) => page.getByRole("button", { name, exact: true });

  // A profile, filled from a file: nothing is saved before it is accepted.
  await at("/admin/profiles/add");
  await page.getByLabel("Profile Name").fill("Office / phones");
  await button("Save").click();
  check(`${how}: a name that breaks the rule is told`, (await page.getByRole("alert").innerText()).includes("“/”"));
  check(`${how}: the typed name is still there`, await page.getByLabel("Profile Name").inputValue() === "Office / phones");
  await page.getByLabel("Profile Name").fill("Office phones");
  await button("Save").click();
  const profile = new URL(page.url()).pathname;
  await page.locator("#f-file").setInputFiles({ name: "site.cfg", mimeType: "text/xml", buffer: Buffer.from(FILE) });
  await send(page, () => page.locator("form[enctype] button").click());
  const preview = await page.innerText("main");
  check(`${how}: the preview counts`, /3\s*Added/.test(preview) && /1\s*Left out: empty/.test(preview), preview.slice(0, 400));
  check(`${how}: the preview shows no secret`, !(await page.content()).includes("CANARY_FILE"));
  const waiting = page.url();
  await at(profile);
  check(`${how}: nothing is saved before it is accepted`, (await page.innerText("main")).includes("No parameter yet"));
  await page.goto(waiting);
  await page.getByRole("button", { name: "Accept 3 changes" }).click();
  check(`${how}: the import is told`, (await told()).includes("3 added, 0 changed"), await told());
  check(`${how}: the page holds no secret`, !(await page.content()).includes("CANARY_FILE"));
  await page.goto(waiting);
  check(`${how}: an import is accepted once`, (await told()).includes("over or was decided already"));

  // Pasted text that cancels, and one that is no XML.
  await page.locator("#f-xml").fill('<x up.idleTimeout="50"/>');
  await button("Preview import").last().click();
  check(`${how}: a change shows old and new`, /40[\s\S]*50/.test(await page.locator("#changed").innerText()));
  await button("Cancel").click();
  check(`${how}: cancelling changes nothing`, (await told()).includes("nothing was changed"));
  await page.locator("#f-xml").fill("<x");
  await button("Preview import").last().click();
  check(`${how}: broken XML is told with its place`, /line 1, column/i.test(await page.getByRole("alert").innerText()));

  // Edit in place, and a secret that is kept.
  await at(profile);
  await page.getByRole("link", { name: "Edit up.idleTimeout" }).click();
  check(`${how}: the value to be changed has the focus`, await page.evaluate(() => document.activeElement.id === "f-value"));
  await page.locator("#edit #f-value").fill("60");
  await page.locator("#edit button").click();
  check(`${how}: a value is changed in place`, (await told()).includes("up.idleTimeout is changed"));
  await at(`${profile}?edit=reg.1.auth.password`);
  check(`${how}: a secret is not in its field`, await page.locator("#edit #f-value").inputValue() === "");
  await page.locator("#edit button").click();
  check(`${how}: an empty field keeps the secret`, (await told()).includes("stays as it is"));

  // On Global, and in order with a second one.
  await at(`${profile}/copy`);
  await page.getByLabel("Profile Name").fill("Quiet nights");
  await button("Save").click();
  await page.locator(".flash").waitFor();
  await at("/admin/deployment");
  for (const name of ["Office phones", "Quiet nights"]) {
    await page.locator("#attach").selectOption({ label: name });
    await button("Add").click();
  }
  const order = () => page.locator(".ordered-what a").allInnerTexts();
  check(`${how}: the newest is on top`, (await order()).join() === "Quiet nights,Office phones", (await order()).join());
  await page.getByRole("button", { name: "Move Office phones up" }).click();
  check(`${how}: a button moves it up`, (await order()).join() === "Office phones,Quiet nights", (await order()).join());
  await page.getByLabel("Position of Quiet nights").fill("1");
  await button("Save typed positions").click();
  check(`${how}: a typed position moves it`, (await order()).join() === "Quiet nights,Office phones", (await order()).join());
  await page.getByRole("button", { name: "Remove Quiet nights" }).click();
  check(`${how}: a profile is taken off`, (await order()).join() === "Office phones", (await order()).join());

  // A device, found by its MAC in another spelling, with its effective configuration.
  await at("/admin/devices/add");
  await page.getByLabel("MAC address or serial number").fill("00:04:F2:AA:00:0G");
  await button("Save").click();
  check(`${how}: a wrong MAC is told beside its field`, await page.locator("#f-key[aria-invalid]").count() === 1);
  await page.getByLabel("MAC address or serial number").fill("00:04:F2:AA:00:01");
  await page.getByLabel("Device Model").fill("vvx411");
  await page.getByLabel("Device Name").fill("Empfang Süd");
  await button("Save").click();
  const device = new URL(page.url()).pathname;
  check(`${how}: the device has its page`, device === "/admin/devices/0004f2aa0001", device);
  await at("/admin/devices?all=");
  await page.locator("#q").fill("0004.f2aa.0001");
  await button("Apply").click();
  check(`${how}: it is found by its MAC in any spelling`, await page.locator("tbody tr").count() === 1);
  await page.locator("#q").fill("süd");
  // A script sends the form at the choice; without one the button does.
  const filtered = page.waitForURL(/status=never-seen/);
  await page.locator("#status").selectOption("never-seen");
  if (!scripted) await button("Apply").click();
  await filtered;
  await page.reload();
  check(`${how}: search and filter live in the address`, await page.locator("tbody tr").count() === 1 && page.url().includes("status=never-seen"), page.url());
  await at("/admin/devices");
  check(`${how}: the list is as it was left`, page.url().includes("status=never-seen"), page.url());
  await page.getByRole("link", { name: "Reset" }).click();
  await page.waitForURL((url) => !url.search.includes("status="));
  await at("/admin/devices");
  check(`${how}: after a reset it is the plain list`, !page.url().includes("status"), page.url());
  await at(`${device}/effective?q=idleTimeout`);
  const row = await page.locator("tbody tr").innerText();
  check(`${how}: a value tells where it comes from`, row.includes("60") && row.includes("Office phones") && row.includes("Global"), row);
  await at(`${device}/effective?q=device.prov.serverName`);
  check(`${how}: what a rule adds is marked`, (await page.locator("tbody tr").innerText()).includes("added by rule"));
  await at(`${device}/effective/parameters`);
  const file = await page.content();
  check(`${how}: the file is shown with its secrets masked`, file.includes("up.idleTimeout") && !file.includes("CANARY_FILE"));

  // What reaches a device is shown before it is saved, and saved by the second press.
  await at(`${profile}?edit=up.idleTimeout`);
  await page.locator("#edit #f-value").fill("61");
  await page.locator("#edit button").click();
  const asked = await page.innerText("main");
  check(`${how}: a change shows what it does to devices`, /Change up\.idleTimeout in Office phones\?[\s\S]*1 device gets other[\s\S]*Empfang[\s\S]*up\.idleTimeout[\s\S]*60[\s\S]*61/.test(asked), asked);
  await page.setViewportSize({ width: 390, height: 844 });
  check(`${how}: that page fits 390 px`, await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await page.setViewportSize({ width: 1280, height: 800 });
  await at(`${device}/effective?q=idleTimeout`);
  check(`${how}: nothing is saved before`, (await page.locator("tbody tr").innerText()).includes("60"));
  await at(`${profile}?edit=up.idleTimeout`);
  await page.locator("#edit #f-value").fill("61");
  await page.locator("#edit button").click();
  await button("Change").focus();
  await page.keyboard.press("Enter");
  await page.locator(".flash").waitFor();
  check(`${how}: it is saved once it was shown`, (await told()).includes("up.idleTimeout is changed"), await told());

  // What a person needs to read is on a small screen, too: every view of a device, and why each request got its answer.
  await page.setViewportSize({ width: 390, height: 844 });
  await at(`${device}/logs`);
  const inSight = (box) => box !== null && box.x >= 0 && box.x + box.width <= 390;
  check(`${how}: the current tab is in sight at 390 px`, inSight(await page.locator(".tabs [aria-current]").boundingBox()));
  await page.setViewportSize({ width: 1280, height: 800 });

  // Two people edit the same device.
  await at(device);
  const other = await page.context().newPage();
  await other.goto(base + device);
  await other.getByLabel("Description").fill("beside the lift");
  await other.getByRole("button", { name: "Update" }).click();
  await other.close();
  await page.getByLabel("Device Name").fill("Empfang");
  await button("Update").click();
  check(`${how}: the second to save is told what changed`, (await page.getByRole("alert").innerText()).includes("beside the lift"));
  await page.getByLabel("Description").fill("beside the lift");
  await button("Update").click();
  check(`${how}: and can save then`, (await told()).includes("Updated"));

  // Deleting says what goes, and a blocked key can come back.
  await at(`${profile}`);
  await page.getByRole("link", { name: "Delete…" }).click();
  check(`${how}: deleting a profile tells its reach`, (await page.innerText("main")).includes("1 device gets other values"));
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.waitForURL((url) => url.pathname === "/admin/profiles");
  await at("/admin/devices");
  await page.locator('input[name="select"]').first().check();
  await page.getByRole("button", { name: "Delete…" }).click();
  check(`${how}: deleting a device asks`, (await page.innerText("h1")).includes("Delete Empfang?"), await page.innerText("h1"));
  await page.getByLabel("Block").check();
  await button("Delete 1 device").click();
  check(`${how}: the device is gone`, (await told()).includes("deleted and blocked"));
  await at("/admin/devices/blocked");
  await page.getByRole("button", { name: "Unblock 0004f2aa0001" }).click();
  check(`${how}: the block is lifted`, (await told()).includes("unblocked"));
}
