// The binary under test, in a state directory of its own, stopped and removed at the end.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

// A port that nobody has at this moment.
async function freePort() {
  const probe = net.createServer();
  await new Promise((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

export const BINARY = path.resolve(process.env.PDMS_BIN ?? "../../target/debug/pdms");

// What is printed where the server runs: the link to set it up, and the one that signs in to a demo.
export const SET_UP_LINK = /https:\/\/[^\s]+(\/setup\?token=[\w-]+)/;
export const DEMO_LINK = /https:\/\/[^\s/]+(\/admin\/[^\s]*)/;

// Starts `pdms serve` and waits for a line that `pattern` finds.
export async function start(pattern, { flags = [], plainHttp = false } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pdms-state-"));
  const port = await freePort();
  const http = plainHttp ? `127.0.0.1:${await freePort()}` : "off";
  const child = spawn(BINARY, ["serve", "--https", `127.0.0.1:${port}`, "--http", http, ...flags], {
    cwd: folder,
    env: { ...process.env, PDMS_STATE: path.join(folder, "state") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const found = new Promise((resolve, reject) => {
    const hear = (chunk) => {
      output += chunk;
      const match = output.match(pattern);
      if (match) resolve(match);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`pdms ended with ${code} before it was ready:\n${output}`)));
    setTimeout(() => reject(new Error(`pdms printed no ${pattern} in 60 s:\n${output}`)), 60_000).unref();
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((done) => child.on("exit", done));
      child.kill("SIGTERM");
      await ended;
    }
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const match = await found;
    return { base: `https://localhost:${port}`, http: `http://${http}/`, match, stop, output: () => output };
  } catch (error) {
    child.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
