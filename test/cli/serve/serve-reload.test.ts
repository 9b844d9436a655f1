import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { RunningProcess } from "../../examples/running-process.js";
import { builtFile } from "../../support/build.js";
import { needs, TOOLS } from "../../support/clients.js";
import { PacketClient } from "../../support/packet-client.js";
import { temporaryFolder } from "../../support/tools.js";
import { MAIN, type StartedServer, startServer } from "./started-server.js";

const folder = temporaryFolder();
const environment = { ...process.env, XDG_STATE_HOME: folder };
let count = 0;

/** Runs a program on a terminal, tells what it puts out, and closes the terminal at the end of its input. */
const ON_TERMINAL = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
print(f"pid {pid}", flush=True)
while True:
    ready, _, _ = select.select([fd, 0], [], [])
    if fd in ready:
        sys.stdout.write(os.read(fd, 65536).decode()); sys.stdout.flush()
    if 0 in ready and not os.read(0, 4096):
        break
os.close(fd)
os.waitpid(pid, 0)
print("ended", flush=True)
`;

describe("a server that gets SIGHUP", () => {
  let started: StartedServer;
  let hostKey: string;
  let rules: string;

  const newHostKey = async () => {
    const key = PKey.generate({ keyType: "ed25519" });
    rmSync(hostKey, { force: true });
    await key.writeFile(hostKey);
    return key;
  };
  const allow = (...operations: string[]) =>
    writeFileSync(rules, JSON.stringify({ rules: [{ path: "/**", allow: operations }] }), { mode: 0o600 });
  const login = () => PacketClient.login(started.port, "ann", started.password);
  const mayRead = async (client: PacketClient) => (await client.exec("sha256sum file")).exitStatus === 0;

  /** Sends the signal, and resolves when the log has so many lines of this kind. */
  async function reload(line: RegExp): Promise<void> {
    const seen = started.server.stderr.length;
    started.server.signal("SIGHUP");
    await expect.poll(() => line.test(started.server.stderr.slice(seen)), { timeout: 5000 }).toBe(true);
  }

  beforeEach(async () => {
    const own = join(folder, `${count++}`);
    mkdirSync(join(own, "served"), { recursive: true });
    writeFileSync(join(own, "served", "file"), "text");
    hostKey = join(own, "host_key");
    rules = join(own, "rules.json");
    allow("read", "stat");
    const args = ["--user", "ann", "--host-key", hostKey, "--rules", rules, join(own, "served")];
    started = await startServer(args, environment);
  });

  afterEach(() => started.server.kill());

  it("reads its host key and its rules again, while sessions go on as before", async () => {
    const old = await login();
    const next = await newHostKey();
    allow("stat");
    await reload(/the settings were reloaded/);
    expect(started.server.stderr).toContain(next.fingerprint());
    const current = await login();
    expect(current.hostKeyBlob).toEqual(next.publicBlob);
    expect(await mayRead(current)).toBe(false);
    expect(await mayRead(old)).toBe(true);
    await old.exchangeKeys();
    expect(old.hostKeyBlob).not.toEqual(next.publicBlob);
  });

  it("keeps the old settings where a file cannot be used, and says which", async () => {
    const { hostKeyBlob } = await login();
    allow("stat");
    renameSync(hostKey, `${hostKey}.gone`);
    await reload(/the old settings stay in force.*host_key is not there/);
    expect(existsSync(hostKey)).toBe(false);
    const client = await login();
    expect([client.hostKeyBlob, await mayRead(client)]).toEqual([hostKeyBlob, true]);
    await newHostKey();
    writeFileSync(rules, "{");
    await reload(/the old settings stay in force.*--rules .*rules\.json/);
    expect((await login()).hostKeyBlob).toEqual(hostKeyBlob);
    allow("read");
    await reload(/the settings were reloaded/);
    expect((await login()).hostKeyBlob).not.toEqual(hostKeyBlob);
  });

  it("bears many at once, and stops in between", async () => {
    const client = await login();
    for (let times = 0; times < 50; times++) started.server.signal("SIGHUP");
    await reload(/the settings were reloaded/);
    expect(await mayRead(client)).toBe(true);
    started.server.signal("SIGHUP");
    started.server.signal("SIGTERM");
    started.server.signal("SIGHUP");
    expect(await started.server.exitCode()).toBe(0);
  });
});

describe("a server with users in files", () => {
  it("tells at SIGHUP what is wrong with them", async () => {
    const file = join(folder, "authorized_keys");
    const key = PKey.generate({ keyType: "ed25519" });
    writeFileSync(file, `${key.toPublicString()}\n`, { mode: 0o600 });
    const { server, port } = await startServer(["--user", "ann", "--authorized-keys", file], environment);
    try {
      writeFileSync(file, "", { mode: 0o600 });
      server.signal("SIGHUP");
      await server.errorOutput(/the old settings stay in force.*authorized_keys holds no authorized key/);
      writeFileSync(file, `${key.toPublicString()}\n`, { mode: 0o600 });
      server.signal("SIGHUP");
      await server.errorOutput(/the settings were reloaded/);
      const client = await PacketClient.authenticating(port);
      expect((await client.authPublickey("ann", key))[0]).toBe(52);
    } finally {
      await server.kill();
    }
  });
});

describe("a server on a terminal", needs("python3"), () => {
  it("reloads at SIGHUP, and ends with the terminal", async () => {
    const command = [process.execPath, builtFile(MAIN), "serve", "--port", "0"];
    const terminal = new RunningProcess(TOOLS.python3, ["-c", ON_TERMINAL, ...command], environment);
    try {
      const [, pid] = await terminal.output(/pid (\d+)/);
      await terminal.output(/Password/);
      process.kill(Number(pid), "SIGHUP");
      await terminal.output(/the settings were reloaded/);
      terminal.endInput();
      await terminal.output(/ended/);
    } finally {
      await terminal.kill();
    }
  });
});
