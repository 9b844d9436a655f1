import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { run, SshClient } from "../../examples/real-client.js";
import type { RunningProcess } from "../../examples/running-process.js";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { type StartedServer, startServer } from "./started-server.js";

let client: SshClient;
let key = "";
/** How ssh logs in. */
let words: readonly string[];

beforeAll(() => {
  client = new SshClient();
  key = join(client.folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  words = ["-i", key, "ann@127.0.0.1"];
});
afterAll(() => client.dispose());

function startExec(): Promise<StartedServer> {
  const secrets = { SPINDLEX_HOST_KEY_PASSPHRASE: "top secret", MY_TOKEN: "token" };
  const env = { ...process.env, XDG_STATE_HOME: join(client.folder, "state"), ...secrets };
  return startServer(["--user", "ann", "--allow-exec", "--shell", "--authorized-keys", `${key}.pub`], env);
}

describe("a server with --allow-exec and --shell", needs("ssh"), () => {
  let shared: StartedServer;
  beforeAll(async () => {
    shared = await startExec();
  });
  afterAll(() => shared?.server.kill());

  const ssh = (command: string, options = {}) => client.run(shared.port, "", [...words, command], options);

  // One command for several things: the login shell of the user who runs the tests may read long files first, as under sshd.
  it("runs commands in the home folder, with their output, errors and status", async () => {
    expect(await ssh("pwd; no-such-command-here 2>&- || echo $?; echo to stderr >&2; exit 7")).toEqual({
      stdout: `${userInfo().homedir}\n127\n`,
      stderr: "to stderr\n",
      code: 7,
    });
  });

  it("passes on the locale of the client if it is UTF-8, and nothing else of the client's or its own environment", async () => {
    const variables = ["-o", "SendEnv=LC_*", "-o", "SetEnv=LC_TEST=yes BASH_ENV=/tmp/x LD_PRELOAD=y"];
    const all = [...client.options, ...variables, "-p", String(shared.port), ...words, "env"];
    const script = 'export LC_A=text LC_B="$(printf "\\377")"; exec ssh "$@"';
    const { stdout } = await run("sh", ["-c", script, "sh", ...all], { env: client.environment("") });
    expect(stdout).toContain(`HOME=${userInfo().homedir}\n`);
    expect(stdout).toContain("LC_A=text\n");
    expect(stdout).toContain("LC_TEST=yes\n");
    expect(stdout).not.toMatch(/LC_B|BASH_ENV|LD_PRELOAD|MY_TOKEN|PASSPHRASE|XDG_STATE_HOME|VITEST/);
    await shared.server.errorOutput(/variables that are not UTF-8 were left out/);
  });

  // Each shell reads long files first, so the gate leaves these to the tests of `runProgram`.
  if (isLong) {
    it("carries much data both ways", async () => {
      const input = Buffer.alloc(16 * 1024 * 1024, "0123456789abcdef");
      const { stdout } = await ssh("cat", { input });
      expect(stdout === input.toString("latin1")).toBe(true);
    });

    it("ends when the program does, though it has not read its input", async () => {
      const outcome = await ssh("head -c 3", { input: Buffer.alloc(8 * 1024 * 1024, "x") });
      expect(outcome).toMatchObject({ stdout: "xxx", code: 0 });
      expect(await ssh("exec <&-; echo closed; sleep 0.2", { input: Buffer.alloc(8 * 1024 * 1024) })).toMatchObject({
        stdout: "closed\n",
        code: 0,
      });
    });

    it("reports the signal that ended a program", async () => {
      const outcome = await ssh("kill -TERM $$", {});
      expect(outcome.code).toBe(255);
    });

    it("runs commands on a terminal where the client asks for one", async () => {
      const { stdout, code } = await client.run(shared.port, "", ["-tt", ...words, "tty; stty size; exit 6"]);
      expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\n\d+ \d+\r\n$/);
      expect(code).toBe(6);
    });
  }

  it("runs the login shell on a terminal", async () => {
    const shell = client.start(shared.port, "", ["-tt", ...words]);
    shell.write('echo "<$0 $(tty)>"; exit 5\n');
    await shell.output(/<-\w+ \/dev\/pts\/\d+>/);
    expect(await shell.exitCode()).toBe(5);
  });

  it("runs a login shell that reads commands", async () => {
    const outcome = await client.run(shared.port, "", ["-T", ...words], { input: "echo $0; exit 3\n" });
    expect(outcome).toMatchObject({ stdout: expect.stringMatching(/^-\w+\n$/), code: 3 });
  });

  it("ends the program and its children when the client goes away", async () => {
    const marker = join(client.folder, "marker");
    mkdirSync(marker);
    const gone = client.start(shared.port, "", [...words, `cd ${marker}; sleep 300 & echo $! $$; wait`]);
    const [, child, shell] = await gone.output(/^(\d+) (\d+)$/m);
    expect(isAlive(Number(child))).toBe(true);
    await gone.kill();
    await Promise.all([untilGone(Number(child)), untilGone(Number(shell))]);
  });
});

describe("a server with --allow-exec that stops", needs("ssh"), () => {
  let server: RunningProcess | undefined;
  afterEach(() => server?.kill());

  async function start(): Promise<{ readonly server: RunningProcess; readonly port: number }> {
    const started = await startExec();
    server = started.server;
    return started;
  }

  it("ends programs that ignore being told to when it stops", async () => {
    const { server, port } = await start();
    const stubborn = client.start(port, "", [...words, "trap '' HUP TERM; echo $$; while :; do sleep 1; done"]);
    const [, pid] = await stubborn.output(/^(\d+)$/m);
    server.signal("SIGTERM");
    expect(await server.exitCode()).toBe(0);
    await untilGone(Number(pid));
    await stubborn.kill();
  });

  it("ends at once at the second signal, and leaves nothing behind", async () => {
    const { server, port } = await start();
    const stubborn = client.start(port, "", [...words, "trap '' HUP TERM; echo $$; while :; do sleep 1; done"]);
    const [, pid] = await stubborn.output(/^(\d+)$/m);
    server.signal("SIGINT");
    await server.errorOutput(/stopping/);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(1);
    await untilGone(Number(pid));
    await stubborn.kill();
  });
});

/** A zombie is not alive: only its parent has not looked yet. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 50 }).toBe(false);
}
