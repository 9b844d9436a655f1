import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { run, SshClient } from "../examples/real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "../examples/running-process.js";
import { builtFile } from "../support/build.js";
import { needs } from "../support/clients.js";

const MAIN = join("src", "cli", "main.ts");
const USER = userInfo().username;

let client: SshClient;
let server: RunningProcess | undefined;

beforeAll(() => {
  client = new SshClient();
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
});
afterAll(() => client.dispose());

/** The environment of a machine where nothing was started before. */
function environment(name: string): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(client.folder, name) };
}

async function start(args: readonly string[], env = environment("state")) {
  server = startProgram(MAIN, ["serve", "--port", "0", ...args], env);
  const port = await listeningPort(server);
  const [, password = ""] = /^Password: {2}(\S+)/m.exec(server.stdout) ?? [];
  return { server, port, password };
}

function makeKey(name: string, ...options: string[]): string {
  const path = join(client.folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path, ...options]);
  return path;
}

function runMain(args: readonly string[], env: NodeJS.ProcessEnv = environment("run")) {
  const options = { env, encoding: "utf8", timeout: 20_000 } as const;
  return spawnSync(process.execPath, [builtFile(MAIN), ...args], options);
}

describe("spindlex", () => {
  it("shows help and version", () => {
    expect(runMain(["--help"])).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("Usage:") });
    expect(runMain(["serve", "--help"]).stdout).toContain("--authorized-keys");
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(runMain(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it("refuses a wrong command line in one line", () => {
    expect(runMain(["serve", "--prot", "22"])).toMatchObject({
      status: 2,
      stdout: "",
      stderr: "spindlex: Unknown option '--prot' (see spindlex serve --help)\n",
    });
  });
});

describe("a server that cannot start", () => {
  const expectOneLine = (args: readonly string[], pattern: RegExp, env?: NodeJS.ProcessEnv) => {
    const { status, stdout, stderr } = runMain(["serve", "--port", "0", ...args], env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(pattern);
    expect(stderr).toMatch(/^spindlex: [^\n]+\n$/);
  };
  const quiet = ["--log-level", "silent"];

  it("says that the port is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    expectOneLine([...quiet, `--port=${port}`], new RegExp(`127\\.0\\.0\\.1 port ${port} is already in use`));
    await new Promise((resolve) => other.close(resolve));
  });

  it("says that the address is not this machine's", () => {
    expectOneLine([...quiet, "--host", "192.0.2.1"], /192\.0\.2\.1 is not an address of this machine/);
  });

  it("says that the host key cannot be read", () => {
    const path = join(client.folder, "no-key");
    writeFileSync(path, "not a key\n", { mode: 0o600 });
    expectOneLine(["--host-key", path], /no-key/);
  });

  it("says that the passphrase is wrong, or missing", needs("ssh-keygen"), () => {
    const path = join(client.folder, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "right", "-f", path]);
    expectOneLine(["--host-key", path], /passphrase/, { ...process.env, SPINDLEX_HOST_KEY_PASSPHRASE: "wrong" });
    expectOneLine(["--host-key", path], /passphrase/);
  });

  it("says that a host key is given twice", () => {
    const path = join(client.folder, "twice");
    expectOneLine([...quiet, "--host-key", path, "--host-key", path], /the same ssh-ed25519 key is given twice/);
  });

  it("says that nobody could log in", () => {
    const path = join(client.folder, "empty");
    writeFileSync(path, "# nobody\n", { mode: 0o600 });
    expectOneLine([...quiet, "--authorized-keys", path], /empty holds no key that can be used/);
    expectOneLine([...quiet, "--authorized-keys", `${path}-not`], /cannot be used: there is no such file/);
  });
});

describe("a server with defaults", needs("ssh"), () => {
  it("tells how to connect, and that works", async () => {
    const { server, port, password } = await start([], environment("fresh"));
    const hostKey = join(client.folder, "fresh", "spindlex", "host_key");
    const [, fingerprint = ""] = execFileSync("ssh-keygen", ["-lf", hostKey], { encoding: "utf8" }).split(" ");
    expect(server.stdout).toContain(`Listening on 127.0.0.1:${port}\n`);
    expect(server.stdout).toContain(`Host key:  ${fingerprint}\n`);
    expect(server.stdout).toContain(`Connect:   ssh -p ${port} ${USER}@127.0.0.1 hello\n`);
    expect(statSync(hostKey).mode & 0o777).toBe(0o600);
    const outcome = await client.run(port, password, [`${USER}@127.0.0.1`, "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
  });

  it("uses the first of several host keys and lets clients learn the others", async () => {
    const [old, next] = ["key-old", "key-next"].map((name) => join(client.folder, name)) as [string, string];
    const knownHosts = join(client.folder, "known_hosts_rotated");
    const options = [
      "-o",
      `UserKnownHostsFile=${knownHosts}`,
      "-o",
      "HostKeyAlias=rotated",
      "-o",
      "UpdateHostKeys=yes",
    ];
    for (const [strict, ...keys] of [
      ["no", old, next],
      // Only a host that was known before makes ssh learn.
      ["yes", old, next],
      ["yes", next, old],
      ["yes", next],
    ]) {
      const { server, port, password } = await start(keys.flatMap((key) => ["--host-key", key]));
      expect(server.stdout.match(/^Host key: {2}SHA256:/gm)).toHaveLength(keys.length);
      const words = ["-o", `StrictHostKeyChecking=${strict}`, ...options, `${USER}@127.0.0.1`, "hello"];
      expect(await client.run(port, password, words)).toMatchObject({ stdout: "Executed: hello\n", code: 0 });
      server.signal("SIGTERM");
      expect(await server.exitCode()).toBe(0);
    }
  });

  it("shows clients the key that it keeps", async () => {
    const knownHosts = join(client.folder, "known_hosts");
    const options = ["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "HostKeyAlias=spindlex"];
    for (const strict of ["no", "yes"]) {
      const { server, port, password } = await start([], environment("kept"));
      const words = ["-o", `StrictHostKeyChecking=${strict}`, ...options, `${USER}@127.0.0.1`, "hello"];
      const outcome = await client.run(port, password, words);
      expect(outcome).toMatchObject({ stdout: "Executed: hello\n", code: 0 });
      server.signal("SIGTERM");
      expect(await server.exitCode()).toBe(0);
    }
  });

  it("lets nobody else in", async () => {
    const { port, password } = await start([]);
    for (const [user, tried] of [
      [USER, `${password}x`],
      [USER, ""],
      [`${USER}x`, password],
    ] as const) {
      const outcome = await client.run(port, tried, [`${user}@127.0.0.1`, "hello"]);
      expect(outcome).toMatchObject({ stdout: "", code: 255 });
      expect(outcome.stderr).toContain("Permission denied (password).");
    }
  });

  it("keeps files in memory for sftp and scp", async () => {
    const { port, password } = await start(["--user", "guest"]);
    const options = [...client.options, "-P", String(port)];
    const env = client.environment(password);
    const [source, back] = [join(client.folder, "to-memory"), join(client.folder, "from-memory")];
    writeFileSync(source, "content");
    const input = `ls -1\nput ${source} file\n`;
    const listed = await run("sftp", [...options, "guest@127.0.0.1"], { env, input });
    expect(listed.stdout).toContain("\nhello.txt\n");
    const copied = await run("scp", [...options, "-q", "-O", "guest@127.0.0.1:file", back], { env });
    expect(copied).toMatchObject({ stderr: "", code: 0 });
    expect(readFileSync(back, "utf8")).toBe("content");
  });

  it("has no shell, no other subsystem, no forwarding, and says so", async () => {
    const { port, password } = await start(["--user", "guest"]);
    const target = "guest@127.0.0.1";
    const shell = await client.run(port, password, ["-T", target]);
    expect(shell).toMatchObject({ stdout: expect.stringMatching(/^There is no shell here/), code: 1 });
    const terminal = await client.run(port, password, ["-tt", target], { stdin: "open" });
    expect(terminal).toMatchObject({ stdout: expect.stringMatching(/^There is no shell here[^\n]+\r\n$/), code: 1 });
    const subsystem = await client.run(port, password, ["-s", target, "netconf"]);
    expect(subsystem).toMatchObject({ stdout: "", code: 255 });
    const forwarding = await client.run(port, password, ["-W", "127.0.0.1:22", target]);
    expect(forwarding).toMatchObject({ stdout: "", code: 255 });
    expect(forwarding.stderr).toContain("stdio forwarding failed");
  });

  it("writes JSON lines when asked", async () => {
    server = startProgram(MAIN, ["serve", "--port", "0", "--json", "--user", "ann"], environment("json"));
    await server.output(/\n/);
    const report = JSON.parse(server.stdout);
    expect(report).toMatchObject({ address: "127.0.0.1", user: "ann", fingerprint: expect.stringMatching(/^SHA256:/) });
    expect(report.command).toBe(`ssh -p ${report.port} ann@127.0.0.1 hello`);
    await client.run(report.port, report.password, ["ann@127.0.0.1", "a \u001b[31m command"]);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(0);
    const log = server.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(log).toContainEqual(
      expect.objectContaining({ msg: "command", command: "a \u001b[31m command", user: "ann" }),
    );
    expect(server.stderr).not.toContain(report.password);
  });

  it("keeps control characters of clients out of readable logs", async () => {
    const { server, port, password } = await start(["--user", "ann"]);
    await client.run(port, password, ["ann@127.0.0.1", "a \u001b[31m command\r\nINFO forged \u009b2J \u202e"]);
    await client.run(port, "x", ["an\u001b[2Jn@127.0.0.1", "hello"]);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(0);
    expect(server.stderr).toContain("command");
    expect(server.stderr).not.toContain("\u001b[31m command");
    expect(server.stderr).not.toContain("\u001b[2J");
    expect(server.stderr).not.toMatch(/^INFO forged/m);
    expect(server.stderr).toContain("INFO forged \ufffd2J \ufffd");
  });
});

describe("a server with authorized keys", needs("ssh"), () => {
  it("lets in these keys only, each with its options, and says which lines it refused", async () => {
    const [good, restricted, unknown, stranger] = [
      makeKey("good"),
      makeKey("restricted"),
      makeKey("unknown"),
      makeKey("stranger"),
    ];
    const file = join(client.folder, "authorized_keys");
    const lines = [
      "# keys",
      readFileSync(`${good}.pub`, "utf8").trim(),
      `unlimited ${readFileSync(`${unknown}.pub`, "utf8").trim()}`,
      `restrict,command="forced" ${readFileSync(`${restricted}.pub`, "utf8").trim()}`,
    ];
    writeFileSync(file, lines.join("\n"), { mode: 0o600 });
    const { server, port } = await start(["--user", "ann", "--authorized-keys", file]);
    expect(server.stdout).not.toContain("Password");
    const outcome = await client.run(port, "", ["-i", good, "ann@127.0.0.1", "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
    const forced = await client.run(port, "", ["-i", restricted, "ann@127.0.0.1", "hello"]);
    expect(forced).toEqual({ stdout: "Executed: forced\n", stderr: "", code: 0 });
    expect(server.stderr).toMatch(/authorized key refused.*"line":\s*3.*the option unlimited is unknown/);
    for (const words of [
      ["-i", unknown, "ann@127.0.0.1"],
      ["-i", stranger, "ann@127.0.0.1"],
      ["-i", good, "bob@127.0.0.1"],
    ]) {
      const refusal = await client.run(port, "", [...words, "hello"]);
      expect(refusal).toMatchObject({ stdout: "", code: 255 });
      expect(refusal.stderr).toContain("Permission denied (publickey).");
    }
  });
});

describe("a server that trusts an authority", needs("ssh"), () => {
  it("lets in with its certificates for the user, until they are revoked", async () => {
    const [authority, user] = [makeKey("authority"), makeKey("certified")];
    const revoked = join(client.folder, "revoked");
    const certify = (name: string, serial: string) => {
      const words = ["-q", "-s", authority, "-I", "test", "-n", name, "-z", serial, `${user}.pub`];
      execFileSync("ssh-keygen", words);
    };
    execFileSync("ssh-keygen", ["-q", "-k", "-f", revoked]);
    const files = ["--trusted-user-ca-keys", `${authority}.pub`, "--revoked-keys", revoked];
    const { port } = await start(["--user", "ann", ...files]);
    const login = (name: string) => client.run(port, "", ["-i", user, `${name}@127.0.0.1`, "hello"]);
    certify("ann,bob", "7");
    expect(await login("ann")).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
    expect(await login("bob")).toMatchObject({ stdout: "", code: 255 });
    writeFileSync(join(client.folder, "serials"), "serial: 7\n");
    execFileSync("ssh-keygen", ["-q", "-k", "-f", revoked, "-s", `${authority}.pub`, join(client.folder, "serials")]);
    expect(await login("ann")).toMatchObject({ stdout: "", code: 255 });
    certify("ann", "8");
    expect(await login("ann")).toMatchObject({ stdout: "Executed: hello\n", code: 0 });
    certify("bob", "9");
    expect(await login("ann")).toMatchObject({ stdout: "", code: 255 });
  });
});

describe("a server with --allow-exec", needs("ssh"), () => {
  let key = "";
  let target: { readonly port: number; readonly words: readonly string[] };

  async function startExec(env = environment("exec")) {
    key ||= makeKey("exec-key");
    const started = await start(["--user", "ann", "--allow-exec", "--authorized-keys", `${key}.pub`], env);
    target = { port: started.port, words: ["-i", key, "ann@127.0.0.1"] };
    return started;
  }
  const ssh = (command: string, options = {}) => client.run(target.port, "", [...target.words, command], options);

  it("runs commands in the home folder, with their output, errors and status", async () => {
    await startExec();
    expect(await ssh("pwd; echo to stderr >&2; exit 7")).toEqual({
      stdout: `${userInfo().homedir}\n`,
      stderr: "to stderr\n",
      code: 7,
    });
    expect((await ssh("no-such-command-here")).code).toBe(127);
  });

  it("passes on variables of the client's locale, but none that is not UTF-8", async () => {
    const { server } = await startExec();
    const words = [...client.options, "-o", "SendEnv=LC_*", "-p", String(target.port), ...target.words, "env"];
    const script = 'export LC_A=text LC_B="$(printf "\\377")"; exec ssh "$@"';
    const { stdout } = await run("sh", ["-c", script, "sh", ...words], { env: client.environment("") });
    expect(stdout).toContain("LC_A=text\n");
    expect(stdout).not.toContain("LC_B");
    await server.errorOutput(/variables that are not UTF-8 were left out/);
  });

  it("passes on nothing of its environment", async () => {
    await startExec({ ...environment("exec"), SPINDLEX_HOST_KEY_PASSPHRASE: "top secret", MY_TOKEN: "token" });
    const { stdout } = await ssh("env");
    expect(stdout).toContain(`HOME=${userInfo().homedir}\n`);
    expect(stdout).not.toMatch(/MY_TOKEN|PASSPHRASE|XDG_STATE_HOME|VITEST/);
  });

  it("takes the locale of the client and no other variable", async () => {
    await startExec();
    const words = [
      "-o",
      "SetEnv=LC_TEST=yes BASH_ENV=/tmp/x LD_PRELOAD=y",
      ...target.words,
      'echo "$LC_TEST $BASH_ENV $LD_PRELOAD"',
    ];
    expect(await client.run(target.port, "", words)).toMatchObject({ stdout: "yes  \n", code: 0 });
  });

  it("carries much data both ways", async () => {
    await startExec();
    const input = Buffer.alloc(16 * 1024 * 1024, "0123456789abcdef");
    const hash = createHash("sha256").update(input).digest("hex");
    expect((await ssh("sha256sum", { input })).stdout).toContain(hash);
    const back = await ssh("cat", { input });
    expect(createHash("sha256").update(back.stdout).digest("hex")).toBe(hash);
  });

  it("ends when the program does, though it has not read its input", async () => {
    await startExec();
    const outcome = await ssh("head -c 3", { input: Buffer.alloc(8 * 1024 * 1024, "x") });
    expect(outcome).toMatchObject({ stdout: "xxx", code: 0 });
    expect(await ssh("exec <&-; echo closed; sleep 0.2", { input: Buffer.alloc(8 * 1024 * 1024) })).toMatchObject({
      stdout: "closed\n",
      code: 0,
    });
  });

  it("reports the signal that ended a program", async () => {
    await startExec();
    const outcome = await ssh("kill -TERM $$", {});
    expect(outcome.code).toBe(255);
  });

  it("runs a login shell that reads commands", async () => {
    await startExec();
    const outcome = await client.run(target.port, "", ["-T", ...target.words], { input: "echo $0; exit 3\n" });
    expect(outcome).toMatchObject({ stdout: expect.stringMatching(/^-\w+\n$/), code: 3 });
  });

  it("ends the program and its children when the client goes away", async () => {
    const { server } = await startExec();
    const marker = join(client.folder, "marker");
    mkdirSync(marker);
    const gone = client.start(target.port, "", [...target.words, `cd ${marker}; sleep 300 & echo $! $$; wait`]);
    const [, child, shell] = await gone.output(/^(\d+) (\d+)$/m);
    expect(isAlive(Number(child))).toBe(true);
    await gone.kill();
    await Promise.all([untilGone(Number(child)), untilGone(Number(shell))]);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(0);
  });

  it("ends programs that ignore being told to when it stops", async () => {
    const { server } = await startExec();
    const stubborn = client.start(target.port, "", [
      ...target.words,
      "trap '' HUP TERM; echo $$; while :; do sleep 1; done",
    ]);
    const [, pid] = await stubborn.output(/^(\d+)$/m);
    server.signal("SIGTERM");
    expect(await server.exitCode()).toBe(0);
    await untilGone(Number(pid));
    await stubborn.kill();
  });

  it("ends at once at the second signal, and leaves nothing behind", async () => {
    const { server } = await startExec();
    const stubborn = client.start(target.port, "", [
      ...target.words,
      "trap '' HUP TERM; echo $$; while :; do sleep 1; done",
    ]);
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
