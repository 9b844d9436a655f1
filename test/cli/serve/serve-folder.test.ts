import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { KNOWN_HASHES } from "../../authenticators/passwords/known-hashes.js";
import { type Outcome, run, SshClient } from "../../examples/real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "../../examples/running-process.js";
import { builtFile } from "../../support/build.js";
import { needs } from "../../support/clients.js";
import { isLong, sample } from "../../support/extent.js";
import { makeTree } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

const MAIN = join("src", "cli", "main.ts");
const TARGET = "ann@127.0.0.1";

let client: SshClient;
let key = "";
let server: RunningProcess;
let port = 0;
/** What is served, and the client's side: new for each test. */
let folder = "";
let local = "";

beforeAll(() => {
  client = new SshClient();
  key = join(client.folder, "key");
  const pair = PKey.generate({ keyType: "ed25519" });
  writeFileSync(key, pair.toOpenSSH(), { mode: 0o600 });
  writeFileSync(`${key}.pub`, `${pair.toPublicString()}\n`);
});
beforeEach(() => {
  const parent = mkdtempSync(join(client.folder, "test-"));
  [folder, local] = [join(parent, "root"), join(parent, "local")];
  mkdirSync(folder);
  mkdirSync(local);
});
afterEach(() => server?.kill());
afterAll(() => client.dispose());

const environment = () => ({ ...process.env, XDG_STATE_HOME: join(client.folder, "state") });

/** Starts a server on the folder, for ann with her key. */
async function start(...options: string[]): Promise<void> {
  await startWith("--user", "ann", "--authorized-keys", `${key}.pub`, ...options);
}

async function startWith(...options: string[]): Promise<void> {
  server = startProgram(MAIN, ["serve", "--port", "0", "--json", ...options, folder], environment());
  const [line] = await server.output(/^.+\n/);
  port = JSON.parse(line).port;
}

const login = () => [...client.options, "-i", key];

async function sftp(...commands: string[]): Promise<Outcome> {
  const input = commands.map((command) => `${command}\n`).join("");
  return run("sftp", [...login(), "-P", `${port}`, "-b", "-", TARGET], { input });
}

async function scp(...words: string[]): Promise<Outcome> {
  return run("scp", [...login(), "-P", `${port}`, ...words]);
}

async function ssh(...words: string[]): Promise<Outcome> {
  return client.run(port, "", ["-i", key, ...words]);
}

interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Stops the server and gives its log. */
async function log(): Promise<LogLine[]> {
  server.signal("SIGTERM");
  expect(await server.exitCode()).toBe(0);
  return server.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a folder that cannot be served", () => {
  it.each([
    ["missing", "there is no such folder"],
    ["file", "it is not a folder"],
  ])("is named in one line: %s", (name, reason) => {
    writeFileSync(join(folder, "file"), "");
    const args = [builtFile(MAIN), "serve", "--port", "0", "--log-level", "silent", join(folder, name)];
    const outcome = spawnSync(process.execPath, args, { env: environment(), encoding: "utf8", timeout: 20_000 });
    expect(outcome).toMatchObject({ status: 1, stdout: "" });
    expect(outcome.stderr).toMatch(new RegExp(`^spindlex: \\S+/${name} cannot be served: ${reason}\\n$`));
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });
});

describe("a folder", needs("sftp", "scp"), () => {
  it("is reached as the report tells", async () => {
    server = startProgram(MAIN, ["serve", "--port", "0", "--user", "ann", folder], environment());
    port = await listeningPort(server);
    expect(server.stdout).toContain(`Serving:   ${folder}\n`);
    expect(server.stdout).toContain(`Connect:   sftp -P ${port} ann@127.0.0.1\n`);
    const [, password = ""] = /^Password: {2}(\S+)/m.exec(server.stdout) ?? [];
    const words = [...client.options, "-P", `${port}`, "ann@127.0.0.1"];
    const outcome = await run("sftp", words, { env: client.environment(password), input: "mkdir made\npwd\n" });
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining("Remote working directory: /\n") });
    expect(readdirSync(folder)).toEqual(["made"]);
  });

  it("takes and gives a tree over SFTP, and logs who transfers what", async () => {
    await start();
    const [tree, back] = [join(local, "tree"), join(local, "back")];
    await makeTree(tree, { without: ["links", "late times"] });
    expect(await sftp(`put -rp ${tree} up`, `get -rp up ${back}`)).toMatchObject({ code: 0, stderr: "" });
    expect(await treeDifferences(tree, join(folder, "up"), ["modes", "times"])).toEqual([]);
    expect(await treeDifferences(tree, back, ["modes", "times"])).toEqual([]);
    const lines = await log();
    const transfer = {
      msg: "transfer",
      username: "ann",
      remoteAddress: "127.0.0.1",
      path: "/up/plain.txt",
      result: "OK",
    };
    expect(lines).toContainEqual(
      expect.objectContaining({ ...transfer, kind: "upload", bytesWritten: 12_345, size: 12_345 }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ ...transfer, kind: "download", bytesRead: 12_345, size: 12_345 }),
    );
    expect(lines.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it.each(sample(["scp -O", "scp"], 2))("takes and gives a tree over %s", async (command) => {
    const flags = command.split(" ").slice(1);
    await start();
    const [tree, back] = [join(local, "tree"), join(local, "back")];
    await makeTree(tree, { without: ["links", "late times", "newlines", "invalid UTF-8"] });
    expect(await scp(...flags, "-rp", tree, `${TARGET}:up`)).toMatchObject({ code: 0, stderr: "" });
    expect(await scp(...flags, "-rp", `${TARGET}:up`, back)).toMatchObject({ code: 0, stderr: "" });
    expect(await treeDifferences(tree, join(folder, "up"), ["modes", "times"])).toEqual([]);
    expect(await treeDifferences(tree, back, ["modes", "times"])).toEqual([]);
    const lines = await log();
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "transfer", username: "ann", path: "/up/plain.txt", bytesWritten: 12_345 }),
    );
  });

  it("does not lead outside of itself", async () => {
    const secret = join(local, "secret");
    writeFileSync(secret, "secret");
    symlinkSync(secret, join(folder, "link"));
    symlinkSync("../local", join(folder, "up"));
    await start();
    const back = join(local, "back");
    const outward = ["link", "up/secret", secret, "../local/secret"];
    const gets = await sftp(...outward.map((path) => `-get ${path} ${back}`));
    expect(gets.stderr.match(/not found|denied|No such file/g)).toHaveLength(outward.length);
    for (const path of sample(outward, 4)) {
      expect((await scp("-O", `${TARGET}:${path}`, back)).code, path).not.toBe(0);
    }
    expect(existsSync(back)).toBe(false);
    const attack = join(local, "attack");
    writeFileSync(attack, "attack");
    const targets = ["link", "up/secret", "up/new", secret];
    await sftp(...targets.map((path) => `-put ${attack} ${path}`));
    for (const path of sample(targets, 4)) {
      expect((await scp("-O", attack, `${TARGET}:${path}`)).code, path).not.toBe(0);
    }
    expect(readFileSync(secret, "utf8")).toBe("secret");
    expect(readdirSync(local).toSorted()).toEqual(["attack", "secret"]);
  });

  it("comes without commands and shell, and says so", async () => {
    await start();
    const offers =
      "This server offers SFTP and scp, and md5sum, sha1sum, sha256sum, df, pwd and echo of plain words.\n";
    const refusal = { stdout: "", stderr: offers, code: 1 };
    expect(await ssh(TARGET, "hello")).toEqual(refusal);
    expect(await ssh(TARGET, "scp", "-t", "x;", "id")).toEqual(refusal);
    expect(await ssh(TARGET, "md5sum *")).toEqual(refusal);
    expect(await ssh("-T", TARGET)).toEqual(refusal);
    expect((await ssh("-s", TARGET, "netconf")).code).toBe(255);
  });

  it("is a drop box with --rules, and --atomic-uploads beside it", async () => {
    mkdirSync(join(folder, "in"));
    writeFileSync(join(folder, "in", "theirs"), "theirs");
    writeFileSync(join(folder, "in", ".secret"), "");
    const source = join(local, "source");
    writeFileSync(source, "mine");
    const list = [
      { path: "/in/.*", hidden: true },
      { path: "/in", allow: ["list", "stat"] },
      { path: "/in/**", allow: ["create"] },
    ];
    const rules = join(local, "rules.json");
    writeFileSync(rules, JSON.stringify({ rules: list }), { mode: 0o600 });
    await start("--rules", rules, "--atomic-uploads");
    const attempts = ["rm theirs", `get theirs ${local}`, "rename theirs x", `put ${source} theirs`, "ls .secret"];
    const lines = ["cd in", `put ${source} mine`, "ls -1a", ...attempts.map((attempt) => `-${attempt}`)];
    const { stdout, stderr } = await sftp(...lines);
    expect(stdout).toMatch(/^\.\n\.\.\nmine\ntheirs\n/m);
    // `get` looks at the file first, and takes the refusal for its absence.
    expect(stderr.match(/Permission denied/g), stderr).toHaveLength(3);
    expect(stderr).toContain('File "/in/theirs" not found.');
    expect(stderr).toContain('Can\'t ls: "/in/.secret" not found');
    expect((await scp("-O", source, `${TARGET}:in/theirs`)).stderr).toContain("Permission denied");
    expect(await scp("-O", source, `${TARGET}:in/copied`)).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "in", "theirs"), "utf8")).toBe("theirs");
    expect(readdirSync(join(folder, "in")).toSorted()).toEqual([".secret", "copied", "mine", "theirs"]);
    expect(await log()).toContainEqual(
      expect.objectContaining({
        ...{ msg: "a request was refused", username: "ann", path: "/in/theirs" },
        ...{ reason: "file access delete: refused", cause: 'rules[2], "/in/**"' },
      }),
    );
  });

  it("tells at the start of rules and homes that are hardly meant so", async () => {
    const rules = join(local, "rules.json");
    const list = [{ path: "/**", users: ["anne"], groups: ["staff"], allow: "all" }];
    writeFileSync(rules, JSON.stringify({ rules: list, groups: { staff: ["ann", "ben"] } }), { mode: 0o600 });
    const users = join(local, "users");
    const { hash } = KNOWN_HASHES.scrypt;
    writeFileSync(users, `ann:${hash}\n.dot:${hash}\n`, { mode: 0o600 });
    await startWith("--password-file", users, "--rules", rules, "--homes", "--shell");
    expect((await log()).filter(({ level }) => level === 40)).toMatchObject([
      { msg: "the rules name users who cannot log in", users: ["anne", "ben"] },
      { msg: "programs do not keep to these options, and see what their user sees", options: ["--rules", "--homes"] },
      { msg: "a folder cannot have the names of these users: they have no home", users: [".dot"] },
    ]);
    const words = ["serve", "--port", "0", "--homes", "--user", "bad/name", folder];
    const outcome = spawnSync(process.execPath, [builtFile(MAIN), ...words], { env: environment(), encoding: "utf8" });
    const stderr = 'spindlex: --homes: a folder cannot have the name of "bad/name"\n';
    expect(outcome).toMatchObject({ status: 1, stdout: "", stderr });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not changed with --read-only", async () => {
    writeFileSync(join(folder, "file"), "content");
    mkdirSync(join(folder, "directory"));
    const source = join(local, "source");
    writeFileSync(source, "changed");
    await start("--read-only");
    const attempts = [
      `put ${source} file`,
      `put ${source} new`,
      "rm file",
      "rmdir directory",
      "mkdir other",
      "rename file other",
      "ln -s file other",
      "ln file other",
      "chmod 600 file",
    ];
    // One after the other: each goes on where the one before has failed.
    const { stderr } = await sftp(...attempts.map((attempt) => `-${attempt}`));
    expect(stderr.match(/Permission denied/g), stderr).toHaveLength(attempts.length);
    expect(await scp("-O", source, `${TARGET}:new`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Read-only/),
    });
    for (const flags of sample([["-O"], []], 2)) {
      const back = join(local, `back${flags}`);
      expect(await scp(...flags, `${TARGET}:file`, back)).toMatchObject({ code: 0 });
      expect(readFileSync(back, "utf8")).toBe("content");
    }
    expect(readdirSync(folder).toSorted()).toEqual(["directory", "file"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("content");
  });

  it("holds no more than --quota, whichever user fills it", async () => {
    const source = join(local, "source");
    writeFileSync(source, Buffer.alloc(600 * 1024));
    await start("--quota", "1M");
    expect(await sftp(`put ${source} one`)).toMatchObject({ code: 0 });
    const over = await scp("-O", source, `${TARGET}:two`);
    expect(over).toMatchObject({ code: 1, stderr: expect.stringMatching(/quota exceeded/) });
    expect((await sftp(`put ${source} three`)).code).not.toBe(0);
    expect(await sftp("rm one", "rm two", "-rm three", `put ${source} four`)).toMatchObject({ code: 0 });
    const used = readdirSync(folder).map((name) => readFileSync(join(folder, name)).length);
    expect(used.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1024 * 1024);
  });

  it("is where scp stays with --allow-exec, beside other commands", async () => {
    const source = join(local, "source");
    writeFileSync(source, "content");
    await start("--allow-exec");
    expect(await ssh(TARGET, "echo out; exit 3")).toEqual({ stdout: "out\n", stderr: "", code: 3 });
    expect(await scp("-O", source, `${TARGET}:${join(local, "outside")}`)).toMatchObject({ code: 1 });
    expect(await scp("-O", source, `${TARGET}:/inside`)).toMatchObject({ code: 0 });
    expect(readdirSync(local)).toEqual(["source"]);
    expect(readFileSync(join(folder, "inside"), "utf8")).toBe("content");
  });

  it("is where commands that ask about files are answered, and all others are refused", async () => {
    writeFileSync(join(folder, "a b"), "content");
    writeFileSync(join(local, "secret"), "secret");
    await start("--quota", "1M");
    const md5 = createHash("md5").update("content").digest("hex");
    expect(await ssh(TARGET, "md5sum a\\ b")).toEqual({ stdout: `${md5}  a b\n`, stderr: "", code: 0 });
    expect(await ssh(TARGET, "pwd")).toEqual({ stdout: "/\n", stderr: "", code: 0 });
    expect((await ssh(TARGET, "df -k /")).stdout).toMatch(/ 1024-blocks .*\nspindlex 1024 \d+ \d+ \d+% \/\n$/);
    const outside = join(local, "secret");
    expect(await ssh(TARGET, `md5sum ${outside} ../local/secret`)).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/No such file or directory\n.*No such file or directory\n/),
      code: 1,
    });
    for (const command of ["id", "md5sum a\\ b; id", "md5sum *", "cat 'a b'"]) {
      expect(await ssh(TARGET, command)).toMatchObject({ stdout: "", code: 1 });
    }
    const lines = await log();
    expect(lines).toContainEqual(expect.objectContaining({ msg: "command", command: "md5sum a\\ b" }));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "transfer", kind: "hash", path: "/a b" }));
  });

  it.each([[], ["--allow-exec"]])(
    "is what rclone takes hashes of, with options %j",
    needs("rclone"),
    async (...options) => {
      const source = join(local, "it's a source");
      writeFileSync(source, "content");
      await start(...options);
      const config = join(local, "rclone.conf");
      const lines = { type: "sftp", host: "127.0.0.1", port, user: "ann", key_file: key };
      const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`);
      writeFileSync(config, `[remote]\n${text.join("")}`);
      const rclone = (...words: string[]) => run("rclone", ["--config", config, ...words]);
      const copied = await rclone("-vv", "copy", source, "remote:up");
      expect(copied).toMatchObject({ code: 0, stderr: expect.stringMatching(/md5 = \w+ OK/) });
      expect(readFileSync(join(folder, "up", "it's a source"), "utf8")).toBe("content");
      const md5 = createHash("md5").update("content").digest("hex");
      expect(await rclone("md5sum", "remote:")).toMatchObject({ code: 0, stdout: `${md5}  up/it's a source\n` });
      writeFileSync(join(folder, "up", "it's a source"), "changed");
      expect(await rclone("check", "--one-way", source, "remote:up")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("md5 differ"),
      });
    },
  );

  it("has files that are whole with --atomic-uploads: a later session goes on with an upload", async () => {
    const source = join(local, "source");
    const whole = "0123456789".repeat(30_000);
    writeFileSync(source, whole);
    writeFileSync(join(folder, "file"), "old");
    await start("--atomic-uploads", "--quota", "1M");
    const upload = client.start(port, "", ["-i", key, TARGET, "scp -t file"]);
    upload.write(`C0644 300000 file\n${whole.slice(0, 280_000)}`);
    await expect.poll(() => stagedSize(), { timeout: 10_000 }).toBeGreaterThan(0);
    await log();
    await upload.exitCode();
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
    await start("--atomic-uploads");
    expect(await sftp(`reput ${source} file`)).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "file"), "utf8") === whole).toBe(true);
    expect(readdirSync(folder)).toEqual(["file"]);

    function stagedSize(): number {
      const staged = readdirSync(folder).find((name) => name.startsWith(".spindlex-"));
      return staged === undefined ? 0 : readFileSync(join(folder, staged)).length;
    }
  });

  it("has a home for each user with --homes, each with a quota", async () => {
    const users = join(local, "users");
    const { hash } = KNOWN_HASHES.scrypt;
    writeFileSync(users, ["ann", "ben", "..x"].map((name) => `${name}:${hash}\n`).join(""), { mode: 0o600 });
    const source = join(local, "source");
    writeFileSync(source, Buffer.alloc(600 * 1024));
    // Of an upload in the home of a user who has not come back for it.
    const left = join(folder, "cid", `.spindlex-${"0".repeat(32)}-left`);
    mkdirSync(join(folder, "cid"));
    writeFileSync(left, "part");
    utimesSync(left, 1_000_000_000, 1_000_000_000);
    const [docs, incoming] = [join(local, "docs"), join(local, "incoming")];
    for (const shared of [docs, incoming]) mkdirSync(shared);
    const shared = ["--shared", `/docs=${docs}`, "--shared-writable", `/incoming=${incoming}`];
    await startWith("--homes", "--quota", "1M", "--atomic-uploads", "--password-file", users, ...shared);
    const as = (user: string, ...commands: string[]) =>
      run("sftp", [...client.options, "-P", `${port}`, `${user}@127.0.0.1`], {
        env: client.environment("secret"),
        input: commands.map((command) => `${command}\n`).join(""),
      });
    expect((await as("ann", `put ${source} file`, `put ${source} another`)).stderr).toMatch(/another/);
    expect((await as("ben", `put ${source} bens`, "ls -1 /", "df")).stdout).toMatch(/\n\/bens\n[\s\S]* 1024 +600 /);
    const { stderr } = await as("ben", `put ${source} /docs/no`, `put ${source} /incoming/offer`);
    expect(stderr.match(/denied/g)).toHaveLength(1);
    expect([readdirSync(docs), readdirSync(incoming)]).toEqual([[], ["offer"]]);
    expect((await as("..x", "ls")).code).not.toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["ann", "ben", "cid"]);
    expect(readdirSync(join(folder, "cid"))).toEqual([]);
    expect(statSync(join(folder, "ann")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "ann", "file")).size).toBe(600 * 1024);
    const lines = await log();
    expect(lines).toContainEqual(expect.objectContaining({ msg: "unfinished uploads removed", files: 1 }));
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "there are no files for this user", cause: '"..x" is no name for a home' }),
    );
  });

  it("lets go of its sessions when the server stops", async () => {
    await start();
    const upload = client.start(port, "", ["-i", key, TARGET, "scp -t partial"]);
    upload.write("C0644 1000 partial\nhalf");
    await expect.poll(() => existsSync(join(folder, "partial")), { timeout: 10_000 }).toBe(true);
    const lines = await log();
    const outcome = { result: "ABORTED", outcome: "aborted", reason: "server stopped" };
    expect(lines).toContainEqual(expect.objectContaining({ msg: "transfer", path: "/partial", ...outcome }));
    expect(lines.at(-1)).toMatchObject({ msg: "stopped" });
    await upload.exitCode();
  });
});

describe("a folder with a password file", needs("sftp", "scp"), () => {
  /** Of hashes that other programs have made; the gate leaves them to the tests of passwords. */
  const OTHER_KINDS = isLong ? ["SHA-512-crypt", "argon2id", "bcrypt"] : [];
  const hash = (password: string) =>
    execFileSync(process.execPath, [builtFile(MAIN), "hash-password"], {
      input: `${password}\n`,
      encoding: "utf8",
    });

  it("lets in each user with their own password", { timeout: 60_000 }, async () => {
    const users = join(client.folder, "users");
    const others = Object.entries(KNOWN_HASHES).map(([kind, known]) => `${kind.replaceAll(" ", "-")}:${known.hash}\n`);
    writeFileSync(users, `# users\nann:${hash("ann's")}bob:${KNOWN_HASHES.scrypt.hash}\neve:none\n${others.join("")}`, {
      mode: 0o600,
    });
    await startWith("--password-file", users);
    const upload = async (user: string, password: string) => {
      const source = join(local, user);
      writeFileSync(source, user);
      const words = [...client.options, "-P", `${port}`, source, `${user}@127.0.0.1:${user}`];
      return (await run("scp", words, { env: client.environment(password) })).code;
    };
    expect(await upload("ann", "ann's")).toBe(0);
    expect(await upload("bob", "secret")).toBe(0);
    for (const kind of OTHER_KINDS) expect(await upload(kind, "secret")).toBe(0);
    const wrong = sample<readonly [user: string, password: string]>(
      [
        ["ann", "secret"],
        ["bob", ""],
        ["eve", "none"],
        ["eve", ""],
        ["kim", "ann's"],
      ],
      2,
    );
    // Together: each of them has to wait for its refusal.
    expect(await Promise.all(wrong.map(([user, password]) => upload(user, password)))).toEqual(wrong.map(() => 255));
    expect(readdirSync(folder).toSorted()).toEqual([...OTHER_KINDS, "ann", "bob"].toSorted());
    writeFileSync(users, `kim:${KNOWN_HASHES.scrypt.hash}\n`);
    expect(await upload("kim", "secret")).toBe(0);
    expect(await upload("ann", "ann's")).toBe(255);
    const lines = await log();
    expect(lines).toContainEqual(expect.objectContaining({ msg: "user refused", line: 4 }));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "transfer", username: "bob", path: "/bob" }));
    expect(server.stderr).not.toContain("$scrypt");
  });
});
