import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { run, SshClient } from "../../examples/real-client.js";
import { type RunningProcess, startProgram } from "../../examples/running-process.js";
import { builtFile } from "../../support/build.js";
import { needs } from "../../support/clients.js";
import { isLong, sample } from "../../support/extent.js";
import { MAIN, type StartedServer, startServer } from "./started-server.js";

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
  const started = await startServer(args, env);
  server = started.server;
  return started;
}

function makeKey(name: string, ...options: string[]): string {
  const path = join(client.folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path, ...options]);
  return path;
}

function fingerprintOf(path: string): string | undefined {
  return execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" }).split(" ")[1];
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
      stderr: "spindlex: Unknown option '--prot' (did you mean --port? see spindlex serve --help)\n",
    });
  });
});

describe("a server that cannot start", () => {
  const expectOneLine = (args: readonly string[], pattern: RegExp, env?: NodeJS.ProcessEnv, code = 1) => {
    const freePort = args.some((arg) => arg.startsWith("--port=")) ? [] : ["--port=0"];
    const { status, stdout, stderr } = runMain(["serve", ...freePort, ...args], env);
    expect({ status, stdout }).toEqual({ status: code, stdout: "" });
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

  it("says that a name is not found", () => {
    expectOneLine([...quiet, "--host", "nosuch.invalid"], /nosuch\.invalid is neither an address nor a name/);
  });

  const lists = [
    ["--proxy-protocol-from", "", '--proxy-protocol-from: "" is not an address'],
    ["--allow-from", "home", '--allow-from: "home" is not an address'],
    ["--deny-from", "10.0.0.1/8", "--deny-from: 10.0.0.1/8 has bits beyond its prefix"],
  ] as const;
  it.each(sample(lists, 3))("says what is wrong with %s %j", (option, list, message) => {
    expectOneLine([option, list], new RegExp(message), undefined, 2);
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
    if (isLong) expectOneLine(["--host-key", path], /passphrase/);
  });

  it("says that a host key is given twice", () => {
    const path = join(client.folder, "twice");
    expectOneLine([...quiet, "--host-key", path, "--host-key", path], /the same ssh-ed25519 key is given twice/);
  });

  it("says that nobody could log in", () => {
    const path = join(client.folder, "empty");
    writeFileSync(path, "# nobody\n", { mode: 0o600 });
    expectOneLine(
      [...quiet, "--authorized-keys", path],
      /empty holds no authorized key that can be used: nobody could log in/,
    );
    if (isLong) expectOneLine([...quiet, "--authorized-keys", `${path}-not`], /cannot be used: there is no such file/);
  });
});

describe("a server with defaults", needs("ssh"), () => {
  it("tells how to connect, and that works", async () => {
    const { server, port, password } = await start([], environment("fresh"));
    const hostKey = join(client.folder, "fresh", "spindlex", "host_key");
    const fingerprint = fingerprintOf(hostKey);
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
    // Only a host that was known before makes ssh learn.
    for (const [keys, ...logins] of sample<readonly [keys: string[], ...strict: ("no" | "yes")[]]>(
      [
        [[old, next], "no", "yes"],
        [[next, old], "yes"],
        [[next], "yes"],
      ],
      2,
    )) {
      const { server, port, password } = await start(keys.flatMap((key) => ["--host-key", key]));
      expect(server.stdout.match(/^Host key: {2}SHA256:/gm)).toHaveLength(keys.length);
      for (const strict of logins) {
        const words = ["-o", `StrictHostKeyChecking=${strict}`, ...options, `${USER}@127.0.0.1`, "hello"];
        expect(await client.run(port, password, words)).toMatchObject({ stdout: "Executed: hello\n", code: 0 });
      }
      server.signal("SIGTERM");
      expect(await server.exitCode()).toBe(0);
    }
  });

  it("writes JSON lines when asked, and keeps the host key that it has", async () => {
    mkdirSync(join(client.folder, "json", "spindlex"), { recursive: true, mode: 0o700 });
    const fingerprint = fingerprintOf(makeKey("json/spindlex/host_key"));
    server = startProgram(MAIN, ["serve", "--port", "0", "--json", "--user", "ann"], environment("json"));
    await server.output(/\n/);
    const report = JSON.parse(server.stdout);
    expect(report).toMatchObject({ address: "127.0.0.1", user: "ann", fingerprint });
    expect(report.command).toBe(`ssh -p ${report.port} ann@127.0.0.1 hello`);
    await client.run(report.port, report.password, ["ann@127.0.0.1", "a \u001b[31m command"]);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(0);
    const log = server.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(log).toContainEqual(
      expect.objectContaining({ msg: "command", command: "a \\u{1b}[31m command", username: "ann" }),
    );
    expect(server.stderr).not.toContain(report.password);
  });

  it("says each thing once, the password last", async () => {
    const { server, port, password } = await start([]);
    server.signal("SIGINT");
    expect(await server.exitCode()).toBe(0);
    const said = `${server.stdout}${server.stderr}`;
    const [fingerprint = ""] = /SHA256:\S+/.exec(server.stdout) ?? [];
    for (const text of [`127.0.0.1:${port}`, fingerprint, password, "sealed", "stopped"]) {
      expect(said.split(text), text).toHaveLength(2);
    }
    expect(server.stdout).toMatch(/\nPassword: {2}.+\n$/);
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
    expect(server.stderr).toContain("INFO forged \\\\u{9b}2J \\\\u{202e}");
  });
});

describe("a server for one user", needs("ssh"), () => {
  let guests: StartedServer;
  beforeAll(async () => {
    guests = await startServer(["--user", "guest"], environment("guests"));
  });
  afterAll(() => guests?.server.kill());

  it("lets nobody else in", async () => {
    const { port, password } = guests;
    const logins = [
      ["guest", `${password}x`],
      ["guest", ""],
      ["guestx", password],
    ] as const;
    const tries = logins.map(([user, tried]) => client.run(port, tried, [`${user}@127.0.0.1`, "hello"]));
    // Together: each of them has to wait for its refusal.
    for (const outcome of await Promise.all(tries)) {
      expect(outcome).toMatchObject({ stdout: "", code: 255 });
      expect(outcome.stderr).toContain("Permission denied (password).");
    }
  });

  it("keeps files in memory for sftp and scp", async () => {
    const { port, password } = guests;
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
    const { port, password } = guests;
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
    expect(server.stderr).toMatch(/authorized key refused.* line=3 .*the option unlimited is unknown/);
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
