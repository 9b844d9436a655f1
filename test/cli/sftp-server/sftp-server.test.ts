import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Outcome, run } from "../../examples/real-client.js";
import { RunningProcess } from "../../examples/running-process.js";
import { builtFile } from "../../support/build.js";
import { needs, QUICK_KEX, TOOLS } from "../../support/clients.js";
import { isLong, sample } from "../../support/extent.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const MAIN = resolve("src/cli/main.ts");
const COMMAND = [process.execPath, builtFile("src/cli/main.ts"), "sftp-server"] as const;
const USER = userInfo();

const INIT = Buffer.from("000000050100000003", "hex");
const VERSION_HEAD = "020000000"; // after the length: the type, and the version behind it

/** Empty for each test; no link leads to it. */
let folder = "";
let everything = "";
beforeAll(() => {
  everything = realpathSync(mkdtempSync(join(tmpdir(), "spindlex-sftp-server-")));
});
beforeEach(() => {
  folder = mkdtempSync(join(everything, "test-"));
});
afterAll(() => rmSync(everything, { recursive: true, force: true }));

const [program, ...parameters] = COMMAND;

/** Runs the server to its end, with requests from a file's worth of bytes. */
function serve(flags: readonly string[], input: Buffer = INIT, environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, ...environment };
  return spawnSync(program, [...parameters, ...flags], { input, env, cwd: folder, timeout: 20_000 });
}

function start(...flags: string[]): RunningProcess {
  return new RunningProcess(program, [...parameters, ...flags]);
}

/** Runs commands of `sftp` with the server at the other end of a pipe. */
async function sftp(flags: string, ...commands: string[]): Promise<Outcome> {
  const words = ["-q", "-b", "-", "-D", `${COMMAND.join(" ")} ${flags}`];
  return run("sftp", words, { input: commands.map((command) => `${command}\n`).join("") });
}

describe("spindlex sftp-server", () => {
  it("speaks SFTP until its input ends", () => {
    const { status, stdout, stderr } = serve([]);
    expect(status).toBe(0);
    expect(stdout.subarray(4).toString("hex")).toMatch(new RegExp(`^${VERSION_HEAD}`));
    expect(stdout.readUInt32BE()).toBe(stdout.length - 4);
    expect(stdout.toString("latin1")).toContain("posix-rename@openssh.com");
    expect(stderr.toString()).toBe("");
  });

  it("reads and writes files, too", () => {
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    writeFileSync(input, INIT);
    const redirected = `"$@" <'${input}' >'${output}'`;
    expect(spawnSync("sh", ["-c", redirected, "sh", ...COMMAND], { timeout: 20_000 }).status).toBe(0);
    expect(readFileSync(output).subarray(4).toString("hex")).toMatch(new RegExp(`^${VERSION_HEAD}`));
  });

  it("reports in its exit status that the client broke the protocol", () => {
    const { status, stderr } = serve(["-e"], Buffer.from("ffffffff00000000", "hex"));
    expect(status).toBe(1);
    expect(stderr.toString()).toMatch(/^the client has broken the protocol: [^\n]+\n$/);
  });

  it("is not held up by a client that does not read its answers", async () => {
    const deep = join(folder, ...Array.from({ length: 15 }, () => "d".repeat(240)));
    mkdirSync(deep, { recursive: true });
    const requests = Array.from({ length: 100 }, (_, id) => request(16, id, deep));
    const child = spawn(program, [...parameters, "-e", "-l", "INFO"], { stdio: "pipe" });
    try {
      child.stdin.write(Buffer.concat([INIT, ...requests, request(14, 100, join(folder, "made"))]));
      for await (const text of child.stderr.setEncoding("utf8")) if (String(text).includes("mkdir")) break;
      child.kill("SIGTERM");
      const [status] = await once(child, "exit");
      expect(status).toBe(143);
    } finally {
      child.kill("SIGKILL");
    }
  });

  const signals = [
    { signal: "SIGHUP", status: 129 },
    // The client that does not read its answers has its server ended by this one.
    { signal: "SIGTERM", status: 143 },
  ] as const;
  it.each(sample(signals, 2))("ends at $signal", async ({ signal, status }) => {
    const server = start("-e", "-l", "INFO");
    await server.errorOutput(/session opened/);
    server.signal(signal);
    expect(await server.exitCode()).toBe(status);
    expect(server.stderr).toMatch(/session closed for local user \S+ from \[/);
  });

  it("is not ended by the Ctrl-C that is meant for its client", async () => {
    const server = start("-e", "-l", "INFO");
    await server.errorOutput(/session opened/);
    server.signal("SIGINT");
    server.write(INIT.toString("latin1"));
    await server.output(/posix-rename/);
    await server.kill();
  });

  it("ends when nobody is left to read its answers", () => {
    const pipeline = `printf '%b' "$0" | "$@" | true`;
    const input = "\\0000\\0000\\0000\\0005\\0001\\0000\\0000\\0000\\0003";
    expect(spawnSync("sh", ["-c", pipeline, input, ...COMMAND], { timeout: 20_000 }).status).toBe(0);
  });

  it("lists the names of its requests", () => {
    const { status, stdout } = serve(["-Q", "requests"]);
    expect(status).toBe(0);
    expect(stdout.toString().split("\n")).toEqual(
      expect.arrayContaining(["open", "write", "realpath", "posix-rename"]),
    );
  });

  const refused = [
    { flags: ["-P", "open,fly"], message: "the request 'fly' does not exist (see spindlex sftp-server -Q requests)" },
    { flags: ["-p", ""], message: "the request '' does not exist (see spindlex sftp-server -Q requests)" },
    { flags: ["-u", "9"], message: "-u is '9', not an octal number from 0 to 777" },
  ];
  it.each(sample(refused, 3))("refuses $flags", ({ flags, message }) => {
    const { status, stdout, stderr } = serve(flags);
    expect({ status, stdout: stdout.length }).toEqual({ status: 2, stdout: 0 });
    expect(stderr.toString()).toBe(`spindlex: ${message}\n`);
  });

  it("loads nothing of SSH", () => {
    const modules = [
      ...imported(MAIN, new Set()),
      ...imported(resolve("src/cli/sftp-server/sftp-server.ts"), new Set()),
    ];
    expect(modules).toContain(resolve("src/sftp/server/sftp-server.ts"));
    expect(
      modules.filter(
        (name) => /\/src\/(?!(?:addresses|base|cli|files|protocol|sftp)\/)/.test(name) || /^[^/]*$/.test(name),
      ),
    ).toEqual([]);
  });
});

/** A request for a path, as REALPATH and MKDIR have it; what is missing behind the path is zeros. */
function request(type: number, id: number, path: string): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(13 - 4 + path.length + (type === 14 ? 4 : 0), 0);
  head.writeUInt8(type, 4);
  head.writeUInt32BE(id, 5);
  head.writeUInt32BE(path.length, 9);
  return Buffer.concat([head, Buffer.from(path), Buffer.alloc(type === 14 ? 4 : 0)]);
}

/** A file and all that it imports when it is loaded: paths, or the names of packages. */
function imported(file: string, found: Set<string>): Set<string> {
  found.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^(?:im|ex)port (?!type )[^;]*?from "([^"]+)"/gm)) {
    const path = name.startsWith(".") ? resolve(dirname(file), name.replace(/\.js$/, ".ts")) : name;
    if (!name.startsWith(".") && !name.startsWith("node:")) found.add(name);
    if (name.startsWith(".") && !found.has(path)) imported(path, found);
  }
  return found;
}

describe("sftp -D with spindlex sftp-server", needs("sftp"), () => {
  it("carries a tree both ways", async () => {
    const [tree, there, back] = [join(folder, "tree"), join(folder, "there"), join(folder, "back")];
    await makeTree(tree, { without: ["links", "late times"] });
    expect(await sftp("", `put -rp ${tree} ${there}`, `get -rp ${there} ${back}`)).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(await treeDifferences(tree, there, ["modes", "times"])).toEqual([]);
    expect(await treeDifferences(tree, back, ["modes", "times"])).toEqual([]);
  });

  it("reaches all files of the user, through links, too", async () => {
    mkdirSync(join(folder, "directory"));
    writeFileSync(join(folder, "directory", "file"), "content");
    symlinkSync(join(folder, "directory"), join(folder, "link"));
    const { stdout } = await sftp("", `cd ${folder}/link`, "pwd", `get file ${folder}/back`);
    expect(stdout).toContain(`Remote working directory: ${folder}/directory\n`);
    expect(readFileSync(join(folder, "back"), "utf8")).toBe("content");
    expect((await sftp("", "ls -1 /")).stdout).toContain("/etc\n");
  });

  const startDirectoryOf = async (flags: string) => {
    const { stdout } = await sftp(flags, "pwd");
    return /^Remote working directory: (.*)$/m.exec(stdout)?.[1];
  };

  it("starts where -d says", async () => {
    if (isLong) {
      expect(await startDirectoryOf("")).toBe(realpathSync("."));
      expect(await startDirectoryOf(`-d ${folder}`)).toBe(folder);
      expect(await startDirectoryOf("-d %d")).toBe(realpathSync(USER.homedir));
    }
    mkdirSync(join(folder, `100%${USER.username}`));
    expect(await startDirectoryOf(`-d ${folder}/100%%%u`)).toBe(join(folder, `100%${USER.username}`));
  });

  it("says that there is no such start directory, and starts where it is", async () => {
    const { stdout, stderr } = await sftp(`-e -d ${folder}/missing`, "pwd");
    expect(stderr).toMatch(/start directory ".*\/missing" cannot be used: ENOENT/);
    expect(stdout).toContain(`Remote working directory: ${realpathSync(".")}\n`);
  });

  it("changes nothing with -R", async () => {
    writeFileSync(join(folder, "file"), "content");
    const attempts = ["mkdir new", "rm file", "rename file new", `put ${MAIN} new`, "chmod 600 file"];
    // One after the other: each goes on where the one before has failed.
    const { stderr } = await sftp(`-R -d ${folder}`, ...attempts.map((attempt) => `-${attempt}`));
    expect(stderr.match(/Permission denied/g), stderr).toHaveLength(attempts.length);
    expect((await sftp(`-R -d ${folder}`, `get file ${folder}/back`)).code).toBe(0);
    expect(readdirSync(folder).toSorted()).toEqual(["back", "file"]);
  });

  it("denies the requests of -P, and all but those of -p", async () => {
    writeFileSync(join(folder, "file"), "content");
    const denied = await sftp(`-e -l DEBUG -P remove,mkdir -d ${folder}`, "-rm file", "-mkdir new", "chmod 600 file");
    expect(denied.stderr).toMatch(/remote delete .*Permission denied[\s\S]*remote mkdir .*Permission denied/);
    expect(denied.stderr).toMatch(/request refused: remove: Permission denied/);
    expect(denied.code).toBe(0);
    const permitted = await sftp(
      `-p realpath,stat,lstat,mkdir,remove -P remove -d ${folder}`,
      "-rm file",
      "-ls",
      "mkdir new",
    );
    expect(permitted.stderr).toMatch(/remote delete .*Permission denied[\s\S]*remote readdir.*Permission denied/);
    expect(permitted.code).toBe(0);
    expect(readdirSync(folder).toSorted()).toEqual(["file", "new"]);
  });

  it("makes files with the umask of -u", async () => {
    expect((await sftp(`-u 077 -d ${folder}`, `put ${MAIN} private`, "mkdir closed")).code).toBe(0);
    expect((await sftp(`-u 0 -d ${folder}`, "mkdir open")).code).toBe(0);
    const mode = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8);
    expect([mode("private"), mode("closed"), mode("open")]).toEqual(["600", "700", "777"]);
  });

  it("logs who does what with -e", async () => {
    const log = await sftp(
      `-e -l INFO -d ${folder}`,
      `put ${MAIN} "a b"`,
      "rename 'a b' c",
      "mkdir d",
      "mkdir d/e",
      "-rmdir d",
    );
    const { size } = statSync(MAIN);
    const lines = log.stderr.split("\n");
    expect(lines).toContain(`session opened for local user ${USER.username} from [UNKNOWN]`);
    expect(lines).toContainEqual(expect.stringMatching(/^open "\S+\/a b" flags WRITE,CREATE,TRUNCATE mode 0\d{3}$/));
    expect(lines).toContain(`close "${folder}/a b" bytes read 0 written ${size}`);
    expect(lines).toContain(`posixRename "${folder}/a b" to "${folder}/c"`);
    expect(lines).toContain(`rmdir "${folder}/d": ENOTEMPTY`);
    expect(lines).toContain(`session closed for local user ${USER.username} from [UNKNOWN]`);
    expect((await sftp(`-e -d ${folder}`, "mkdir quiet")).stderr).toBe("");
  });

  it("logs through logger(1) without -e", async () => {
    const logger = join(folder, "logger");
    const log = join(folder, "log");
    writeFileSync(logger, `#!/bin/sh\nwhile read -r line; do echo "$* $line" >>'${log}'; done\n`, { mode: 0o755 });
    const environment = { PATH: `${folder}:${process.env.PATH}`, SSH_CONNECTION: "192.0.2.7 1234 192.0.2.1 22" };
    const { status, stderr } = serve(["-l", "INFO", "-f", "LOCAL3", "-d", "/missing"], INIT, environment);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
    const read = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
    await expect
      .poll(read, { timeout: 10_000 })
      .toMatch(/session closed[\s\S]*start directory|start directory[\s\S]*session closed/);
    expect(read()).toMatch(/^-t spindlex-sftp-server\[\d+\] -p local3\.info session opened .* from \[192\.0\.2\.7\]$/m);
    expect(read()).toMatch(
      /^-t spindlex-sftp-server\[\d+\] -p local3\.err start directory "\/missing" cannot be used/m,
    );
  });

  it("does without logger(1) where there is none", () => {
    const { status, stdout, stderr } = serve(["-l", "DEBUG"], INIT, { PATH: folder });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
    expect(stdout.length).toBeGreaterThan(100);
  });
});

describe("scp -D with spindlex sftp-server", needs("scp"), () => {
  it("carries a file both ways", async () => {
    const server = join(folder, "server");
    const words = COMMAND.map((word) => `'${word}'`).join(" ");
    writeFileSync(server, `#!/bin/sh\nexec ${words} -e "$@"\n`, { mode: 0o755 });
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    for (const [from, to] of [
      [MAIN, `host:${there}`],
      [`host:${there}`, back],
    ] as const) {
      expect(await run("scp", ["-q", "-D", server, from, to])).toMatchObject({ code: 0, stderr: "" });
    }
    expect(readFileSync(back).equals(readFileSync(MAIN))).toBe(true);
  });
});

describe("sshd with spindlex sftp-server", needs("sshd", "sftp"), () => {
  let configuration = "";
  let options: readonly string[] = [];

  beforeAll(() => {
    for (const name of ["host_key", "user_key"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(everything, name)]);
    }
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    configuration = join(everything, "sshd_config");
    const lines = [
      `HostKey ${join(everything, "host_key")}`,
      `AuthorizedKeysFile ${join(everything, "user_key.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "PermitRootLogin prohibit-password",
      // An sshd closes the standard error of a subsystem; its command line is a shell's.
      `Subsystem sftp ${COMMAND.join(" ")} -e -l INFO 2>>${join(everything, "log")}`,
      `Subsystem closed ${COMMAND.join(" ")} -e -l INFO`,
    ];
    writeFileSync(configuration, lines.map((line) => `${line}\n`).join(""));
    // One connection, on its standard streams: no port is taken.
    const settings = [
      `ProxyCommand=${TOOLS.sshd} -i -f ${configuration}`,
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "LogLevel=ERROR",
      "IdentitiesOnly=yes",
      "IdentityAgent=none",
      QUICK_KEX,
    ];
    options = ["-F", "none", "-i", join(everything, "user_key"), ...settings.flatMap((setting) => ["-o", setting])];
  });

  const target = () => `${USER.username}@spindlex`;

  if (isLong)
    it("carries a tree both ways with sftp", async () => {
      const [tree, there, back] = [join(folder, "tree"), join(folder, "there"), join(folder, "back")];
      await makeTree(tree, { without: ["links", "late times"] });
      const input = `pwd\nput -rp ${tree} ${there}\nget -rp ${there} ${back}\n`;
      const { code, stdout, stderr } = await run("sftp", [...options, "-b", "-", target()], { input });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`Remote working directory: ${realpathSync(USER.homedir)}\n`);
      expect(await treeDifferences(tree, there, ["modes", "times"])).toEqual([]);
      expect(await treeDifferences(tree, back, ["modes", "times"])).toEqual([]);
      const log = readFileSync(join(everything, "log"), "utf8");
      expect(log).toMatch(/session opened for local user \S+ from \[\S+\]/);
      expect(log).toContain(`close "${there}/plain.txt" bytes read 0 written 12345`);
      expect(log).toMatch(/session closed for local user/);
    });

  if (isLong)
    it("does without its log where nobody takes it", async () => {
      const words = [...options, "-s", "closed", "-b", "-", target()];
      expect(await run("sftp", words, { input: `mkdir ${folder}/one\nmkdir ${folder}/two\n` })).toMatchObject({
        code: 0,
      });
      expect(readdirSync(folder).toSorted()).toEqual(["one", "two"]);
    });

  it("carries a file both ways with scp", async () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    const content = Buffer.alloc(3_000_001, "0123456789abcdef");
    const source = join(folder, "source");
    writeFileSync(source, content);
    expect((await run("scp", [...options, source, `${target()}:${there}`])).code).toBe(0);
    expect(readFileSync(there).equals(content)).toBe(true);
    // The gate has one login here, which is long where the shell has much to read, and the way back with `scp -D`.
    if (!isLong) return;
    expect((await run("scp", [...options, `${target()}:${there}`, back])).code).toBe(0);
    expect(readFileSync(back).equals(content)).toBe(true);
  });
});
