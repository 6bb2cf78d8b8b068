// People and programs that sign in: an invitation from both sides, roles, sessions, API tokens, the second factor.
import { createHmac } from "node:crypto";
import { axe, confirm, open, OWNER, signIn } from "./browser.mjs";
import { check, look, lookHere, none, press, pressByKeyboard, tabTo, told, typeByKeyboard } from "./checks.mjs";

const GUEST = { email: "grace@example.test", password: "another few plain words" };

export async function people(page, base, complaints) {
  await invite(page, base, complaints);
  await changeAPerson(page, base, complaints);
  await tokens(page, base, complaints);
  await secondFactor(page, base, complaints);
}

// An owner invites with the keyboard alone; the person takes the link up in a browser of its own.
async function invite(page, base, complaints) {
  await page.goto(`${base}/admin/users`);
  await pressByKeyboard(page, page.getByRole("link", { name: "Add", exact: true }));
  await typeByKeyboard(page, [["Name", "Grace"], ["E-mail", GUEST.email], ["Role", "oper"]], "Save");
  await confirm(page);
  check("an invitation: the page says what it is", await page.getByRole("heading", { name: "Link for Grace" }).count() === 1);
  const link = await page.locator("main .copy code").innerText();
  check("an invitation: the link leads here", link.startsWith(`${base}/admin/invitation?token=`), link);
  await lookHere(page, "invitation made", complaints);
  await page.getByRole("link", { name: "To the users" }).click();
  check("an invitation: the list tells it", /operator\s+invited/.test(await page.locator("tbody").innerText()));
  await look(page, base, "/admin/users", complaints, "with a guest");

  const guest = await open(base);
  try {
    const path = link.slice(base.length);
    await look(guest.page, base, path, guest.complaints, "invitation");
    await guest.page.goto(link);
    await guest.page.getByLabel("Password").fill(GUEST.password);
    await guest.page.getByLabel("The same again").fill("not the same");
    await press(guest.page, "Save");
    check("an invitation: two passwords are told", (await guest.page.getByRole("alert").innerText()).includes("differ"));
    none("an invitation: accessible with errors", await axe(guest.page));
    await guest.page.getByLabel("Password").fill(GUEST.password);
    await guest.page.getByLabel("The same again").fill(GUEST.password);
    await press(guest.page, "Save");
    check("an invitation: the password is set", (await told(guest.page)).includes("Sign in with it"));
    await signIn(guest.page, base, GUEST);
    check("an invitation: the person gets in", new URL(guest.page.url()).pathname === "/admin/", guest.page.url());
    await guest.page.goto(link);
    check("an invitation: the link is good once", (await told(guest.page)).includes("used before"));
  } finally {
    await guest.close();
  }
}

// The page of another user, each of its buttons.
async function changeAPerson(page, base, complaints) {
  const list = page.locator("tbody");
  const openGuest = async () => {
    await page.goto(`${base}/admin/users`);
    await page.getByRole("link", { name: "Grace" }).click();
  };
  await openGuest();
  const here = new URL(page.url()).pathname;
  await look(page, base, here, complaints, "a user");
  await press(page, "End the session of Chrome on Linux");
  check("a user: a session is ended", (await told(page)).includes("has ended"));
  await page.getByLabel("Name", { exact: true }).fill("");
  await page.getByLabel("E-mail").fill("x");
  await page.locator("form.panel").evaluate((form) => { form.noValidate = true; });
  await press(page, "Save");
  check("a user: what is wrong is told beside its field", await page.locator("#f-name[aria-invalid]").count() === 1, await page.innerText("main"));
  await openGuest();
  await page.getByLabel("Role", { exact: true }).selectOption("viewer");
  await page.getByLabel("Sign-in").selectOption("off");
  await press(page, "Save");
  await confirm(page);
  check("a user: role and sign-in are changed", /viewer\s+disabled/.test(await list.innerText()), await list.innerText());
  for (const [link, button, words] of [
    ["Make a link for a new password…", "Make the link", "Link for Grace"],
    ["Delete…", "Delete", "Grace is deleted"],
  ]) {
    await page.goto(base + here);
    await page.getByRole("link", { name: link }).click();
    await look(page, base, new URL(page.url()).pathname, complaints, "a user");
    await page.getByRole("link", { name: "Cancel" }).click();
    check(`${link} cancelling leads back`, new URL(page.url()).pathname === here, page.url());
    await page.getByRole("link", { name: link }).click();
    await press(page, button);
    await confirm(page);
    check(`${link} says that it is done`, (await page.innerText("main")).includes(words), await page.innerText("main"));
  }
}

// A token is made, seen once, used and revoked.
async function tokens(page, base, complaints) {
  await page.goto(`${base}/admin/tokens`);
  await typeByKeyboard(page, [["Name", "monitoring"], ["Role", "oper"]], "Make token");
  await confirm(page);
  const text = await page.locator("main .copy code").innerText();
  check("a token: it is shown", /^pdms_\w{20,}/.test(text), text.slice(0, 12));
  await lookHere(page, "token made", complaints);
  await page.getByRole("link", { name: "To the tokens" }).click();
  check("a token: it is not shown again", !(await page.content()).includes(text));
  const other = await open(base);
  try {
    const used = await other.page.request.fetch(`${base}/api/v1/server`, { headers: { Authorization: `Bearer ${text}` } });
    check("a token: it opens the API", used.status() === 200, String(used.status()));
    await look(page, base, "/admin/tokens", complaints, "with a token");
    await page.getByRole("link", { name: "Revoke… monitoring" }).click();
    await look(page, base, new URL(page.url()).pathname, complaints, "a token");
    await press(page, "Revoke");
    check("a token: revoking is told", (await told(page)).includes("revoked"), await told(page));
    const late = await other.page.request.fetch(`${base}/api/v1/server`, { headers: { Authorization: `Bearer ${text}` } });
    check("a token: revoked it opens nothing", late.status() === 401, String(late.status()));
  } finally {
    await other.close();
  }
  await page.locator("#f-days").fill("4000");
  await page.locator("#f-name").fill("for ever");
  await press(page, "Make token");
  check("a token: a life too long is told", await page.locator("#f-days[aria-invalid]").count() === 1);
}

// The code of an authenticator app, so many steps of half a minute from now (RFC 6238).
function code(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/\s/g, "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function secondFactor(page, base, complaints) {
  const enter = async (text) => {
    await page.goto(`${base}/admin/`);
    await page.locator(".topbar-end .menu summary").last().click();
    await press(page, "Sign Out");
    await signIn(page, base, OWNER);
    await page.getByLabel("Code").fill(text);
    await press(page, "Sign In");
  };
  await page.goto(`${base}/admin/account`);
  await pressByKeyboard(page, page.getByRole("link", { name: "Set up" }));
  const secret = await page.locator("main .copy code").innerText();
  await typeByKeyboard(page, [["Code that the app shows", "000000"], ["Your password", OWNER.password]], "Switch on");
  check("second factor: a wrong code is told", await page.locator("#f-code[aria-invalid]").count() === 1);
  const offered = await page.locator("main .copy code").innerText();
  check("second factor: a wrong code keeps the secret that was scanned", offered === secret, `${secret} ${offered}`);
  await typeByKeyboard(page, [["Code that the app shows", code(offered)], ["Your password", OWNER.password]], "Switch on");
  const recovery = await page.locator(".codes code").allInnerTexts();
  check("second factor: there are recovery codes", recovery.length >= 8, recovery.join(" "));
  await lookHere(page, "recovery codes", complaints);
  await page.getByRole("link", { name: "I have kept them" }).click();
  check("second factor: the account says that it is on", /Second factor\s+on/.test(await page.innerText("main")));
  await look(page, base, "/admin/account/second-factor", complaints, "switched on");

  await enter("123456");
  check("second factor: a wrong code keeps people out", await page.getByRole("alert").count() === 1);
  await lookHere(page, "sign-in code", complaints);
  await page.getByLabel("Code").fill(code(offered, 1));
  await press(page, "Sign In");
  check("second factor: the code of the app lets in", new URL(page.url()).pathname === "/admin/", page.url());
  await enter(recovery[0]);
  check("second factor: a recovery code lets in", new URL(page.url()).pathname === "/admin/", page.url());

  await page.goto(`${base}/admin/account/second-factor`);
  check("second factor: a used code is gone", (await page.innerText("main")).includes(`${recovery.length - 1} recovery codes`));
  await page.getByLabel("Your password").fill(OWNER.password);
  await press(page, "Make new recovery codes");
  const fresh = await page.locator(".codes code").allInnerTexts();
  check("second factor: new codes are others", fresh.length === recovery.length && !fresh.includes(recovery[1]));
  await page.goto(`${base}/admin/account/second-factor`);
  await page.getByLabel("Your password").fill(OWNER.password);
  await press(page, "Switch off");
  check("second factor: it is off", (await told(page)).includes("off"), await told(page));
  await page.goto(`${base}/admin/account`);
  await tabTo(page, page.getByLabel("Current password"));
  await page.keyboard.type("not the password");
  await page.getByLabel("New password", { exact: true }).fill("yet another phrase");
  await page.getByLabel("New password again").fill("yet another phrase");
  await press(page, "Change password");
  check("own password: a wrong one is told", await page.getByRole("alert").count() === 1);
}
