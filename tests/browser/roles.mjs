// The pages as each role sees them: no link, no button and no form leads to what the role may not do.
import { confirm, open, reachable, signIn } from "./browser.mjs";
import { check, none, press, told } from "./checks.mjs";

const PASSWORD = "five quite unhurried words";
const ROLES = ["viewer", "operator", "account-admin"];

export async function walkEveryRole(page, base, password) {
  for (const role of ROLES) {
    await page.goto(`${base}/admin/users/add`);
    await confirm(page, password);
    await page.getByLabel("Name", { exact: true }).fill(`The ${role}`);
    await page.getByLabel("E-mail").fill(`${role}@example.test`);
    await page.getByLabel("Role", { exact: true }).selectOption(role);
    await page.getByLabel("I type the password").check();
    await page.locator("#f-password").fill(PASSWORD);
    await press(page, "Save");
    check(`${role}: is added`, (await told(page)).includes(`The ${role}`), await told(page));
    await walk(base, role);
  }
}

async function walk(base, role) {
  const { page, complaints, close } = await open(base);
  try {
    await signIn(page, base, { email: `${role}@example.test`, password: PASSWORD });
    complaints.length = 0;
    const addresses = await reachable(page, base);
    none(`${role}: no link leads to a refusal`, [...complaints]);
    check(`${role}: there is something to see`, addresses.length >= 20, addresses.join(" "));
    const tried = new Map();
    for (const address of addresses) {
      await page.goto(base + address);
      for (const href of await page.$$eval("a[download], a[href*='download'], a[href$='.pem']", (links) => links.map((a) => a.href))) {
        if (!tried.has(shape(href))) tried.set(shape(href), (await page.request.get(href)).status());
      }
      for (const form of await page.evaluate(offered)) await send(page, base, form, tried);
    }
    const refused = [...tried].filter(([, status]) => [401, 403, 405].includes(status) || status >= 500);
    none(`${role}: no form leads to a refusal`, refused.map(([what, status]) => `${status} ${what}`));
    check(`${role}: forms were tried`, tried.size >= 3, [...tried.keys()].join(" "));
    if (role === "viewer") check("viewer: changes nothing but what is the viewer's own", [...tried.keys()].every(isOwn), [...tried.keys()].join("\n"));
  } finally {
    await close();
  }
}

// Or only reads: the ticks of an export are more than an address takes.
const isOwn = (what) => !what.startsWith("POST") || /\/(theme|session|account|views)\b|\/profiles\/export$/.test(what);
const shape = (address) => new URL(address).pathname.replace(/\/[0-9a-f]{12,}(?=\/|$)/g, "/KEY").replace(/\/\d+(?=\/|$)/g, "/ID");

// Runs in the page: where each form leads, and each button that leads elsewhere. What is disabled counts too: it is seen all the same.
function offered() {
  const told = (form, action) => ({
    action,
    method: form.method,
    multipart: form.enctype.startsWith("multipart"),
    csrf: form.querySelector("[name=csrf]")?.value ?? "",
  });
  const elsewhere = [...document.querySelectorAll("button[formaction]")].filter((button) => button.form);
  // A field of the name `action` would hide the form's own.
  const forms = [...document.forms].map((form) => told(form, new URL(form.getAttribute("action") ?? "", location.href).href));
  return [...forms, ...elsewhere.map((button) => told(button.form, button.formAction))].filter((form) => !/sign-out/.test(form.action));
}

// Sends a form with nothing in it: it may be turned down for its fields, and for what it does not name, but not for the role.
async function send(page, base, { action, method, multipart, csrf }, tried) {
  const what = `${method.toUpperCase()} ${shape(action)}`;
  if (tried.has(what)) return;
  if (method === "get") {
    tried.set(what, (await page.request.get(action)).status());
    return;
  }
  const body = multipart ? { multipart: { csrf } } : { form: { csrf } };
  const answer = await page.request.post(action, { ...body, headers: { Origin: base }, maxRedirects: 0 });
  tried.set(what, answer.status());
}
