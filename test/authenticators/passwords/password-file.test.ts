import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type PasswordCheck, passwordFile } from "../../../src/authenticators/passwords/password-file.js";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import type { Logger } from "../../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../../src/protocol/constants.js";
import { KNOWN_HASHES } from "./known-hashes.js";

const ANN = KNOWN_HASHES["SHA-512 crypt"].hash;
const BOB = KNOWN_HASHES["SHA-256 crypt"].hash.replace("l3ii", "l3iI");
const OTHER = "$5$Zx8.k/3bQw$uIFNrdR2FnaCcj8t8F2aidlcScKBDENekmgIIpiW/F0";

const connection = (signal = new AbortController().signal) => ({
  remoteAddress: "192.0.2.1",
  signal,
  reportInvalidUser: vi.fn(),
});
const isLetIn = async (check: PasswordCheck, username: string, password: string) =>
  (await check(username, password, connection())) === AUTH_SUCCESSFUL;

describe("passwordFile", () => {
  it.each(Object.entries(KNOWN_HASHES))("knows which user has which password, hashed by %s", async (_kind, known) => {
    const check = passwordFile(`# users\nann:${known.hash}\nbob:${OTHER}\n`);
    expect(await check("ann", known.password, connection())).toBe(AUTH_SUCCESSFUL);
    expect(await check("ann", "größer 🔑", connection())).toBe(AUTH_FAILED);
    expect(await check("ann", "", connection())).toBe(AUTH_FAILED);
    expect(await check("bob", "größer 🔑", connection())).toBe(AUTH_SUCCESSFUL);
    expect(await check("bob", known.password, connection())).toBe(AUTH_FAILED);
    expect(await check("eve", known.password, connection())).toBe(AUTH_FAILED);
  });

  it("takes a map, and what stands there when it does", async () => {
    const users = new Map<string, string>([["ann", ANN]]);
    const check = passwordFile(users);
    users.set("bob", OTHER);
    expect(await isLetIn(check, "ann", "secret")).toBe(true);
    expect(await isLetIn(check, "bob", "größer 🔑")).toBe(false);
    expect(await check.load()).toEqual(["ann"]);
  });

  it("asks a function at each login", async () => {
    const users = new Map([["ann", `${ANN}:19000:0:99999:7:::`]]);
    const check = passwordFile(async (username) => users.get(username), { example: ANN });
    expect(await isLetIn(check, "ann", "secret")).toBe(true);
    users.delete("ann");
    expect(await isLetIn(check, "ann", "secret")).toBe(false);
    users.set("ann", "nonsense");
    expect(await isLetIn(check, "ann", "nonsense")).toBe(false);
    users.set("ann", ANN);
    expect(await isLetIn(check, "ann", "secret")).toBe(true);
    const synchronous = passwordFile((username) => (username === "ann" ? ANN : undefined));
    expect(await isLetIn(synchronous, "ann", "secret")).toBe(true);
    expect(await isLetIn(synchronous, "bob", "secret")).toBe(false);
  });

  it("fails with the function that it asks", async () => {
    const check = passwordFile(() => Promise.reject(new Error("the database is gone")));
    await expect(isLetIn(check, "ann", "secret")).rejects.toThrow("the database is gone");
  });

  it.each([
    ["a locked password", `ann:!${ANN}`],
    ["an expired account", `ann:${ANN}:19000:0:99999:7::15000:`],
    ["a password that has to be changed", `ann:${ANN}:0:0:99999:7:::`],
    ["no hash", "ann::19000:0:99999:7:::"],
    ["a hash that is too cheap", "ann:$2y$05$oPhQULq93un/aUQvItwXEO2P6gsW3NK5fodWWznVD0b9Pwz2shbxq"],
    ["an empty password", "ann:$5$saltsalt$09agN5RZ2meWdEdnEusqsq5G7RwwghB8jCKoWWADxW/"],
    ["two lines", `ann:${ANN}\nann:${ANN}`],
  ])("lets nobody in with %s", async (_name, lines) => {
    const check = passwordFile(`${lines}\nbob:${OTHER}\n`, { logger: false });
    expect(await isLetIn(check, "ann", "secret")).toBe(false);
    expect(await isLetIn(check, "ann", "")).toBe(false);
    expect(await isLetIn(check, "bob", "größer 🔑")).toBe(true);
  });

  it.each(["", "# nobody\n", "nobody:*\n"])("lets nobody in where there is nobody: %j", async (text) => {
    const check = passwordFile(text, { logger: false });
    expect(await isLetIn(check, "nobody", text === "" ? "" : "*")).toBe(false);
    await expect(check.load()).rejects.toThrow(/^source: holds no user who could log in$/);
  });

  it.each(["__proto__", "constructor", "", "ann\n", "ann:", "ANN", " ann"])("knows no %j", async (username) => {
    expect(await isLetIn(passwordFile(`ann:${ANN}`), username, "secret")).toBe(false);
  });

  it.each([
    ["a text", `ann:${ANN}\nbob:!\n`],
    [
      "a function",
      (username: string) =>
        new Map([
          ["ann", ANN],
          ["bob", "!"],
        ]).get(username),
    ],
  ])("reports names that are not in %s", async (_name, source) => {
    const check = passwordFile(source, { logger: false });
    const isReported = async (username: string, password: string) => {
      const origin = connection();
      await check(username, password, origin);
      return origin.reportInvalidUser.mock.calls.length === 1;
    };
    expect(await isReported("eve", "secret")).toBe(true);
    expect(await isReported("ann", "wrong")).toBe(false);
    expect(await isReported("ann", "secret")).toBe(false);
    expect(await isReported("bob", "secret")).toBe(false);
  });

  it("reports no unknown users while it does not know which there are", async () => {
    const origin = connection();
    expect(await passwordFile({ file: "/does/not/exist" }, { logger: false })("eve", "secret", origin)).toBe(
      AUTH_FAILED,
    );
    expect(origin.reportInvalidUser).not.toHaveBeenCalled();
  });

  it("refuses sources and examples that are none", () => {
    expect(() => passwordFile("users.txt")).toThrow(ConfigurationError);
    expect(() => passwordFile("users.txt")).toThrow("give a file as { file: path }");
    expect(() => passwordFile(undefined as never)).toThrow("source: must be");
    expect(() => passwordFile({ path: "users" } as never)).toThrow("source.path: is not an option; there are file");
    expect(() => passwordFile(() => undefined, { example: "secret" })).toThrow("example: the hash is not of a kind");
  });

  it("takes no option that does not exist", () => {
    const options: object = { strictMode: "on" };
    expect(() => passwordFile({ file: "/does/not/exist" }, options)).toThrow(/^strictMode: is not an option/);
  });
});

describe("passwordFile, asked by those who only try", () => {
  afterEach(() => vi.restoreAllMocks());

  /** What a check makes the processor do, microseconds: the least of three, since a collection of garbage may fall into one. */
  async function work(check: PasswordCheck, username: string): Promise<number> {
    const rounds: number[] = [];
    while (rounds.length < 3) {
      const before = process.cpuUsage();
      await check(username, "wrong", connection());
      const { user, system } = process.cpuUsage(before);
      rounds.push(user + system);
    }
    return Math.min(...rounds);
  }

  const dear = ANN.replace("$6$", "$6$rounds=20000$");

  it.each([
    ["a text", passwordFile(`ann:${dear}\nlocked:!${dear}\nbad:$6$x\n`, { logger: false })],
    ["a function", passwordFile((username) => (username === "ann" ? dear : undefined), { example: dear })],
  ])("computes as much for names that are nobody's, with %s", async (_source, check) => {
    const known = await work(check, "ann");
    for (const username of ["eve", "locked", "bad", ""]) {
      const unknown = await work(check, username);
      expect(unknown).toBeGreaterThan(known / 3);
      expect(unknown).toBeLessThan(known * 3);
    }
  });

  it("learns from the first user of a function what a password costs", async () => {
    const check = passwordFile((username) => (username === "ann" ? ANN : undefined));
    const before = await work(check, "eve");
    const known = await work(check, "ann");
    const after = await work(check, "eve");
    expect(before).toBeGreaterThan(known * 3);
    expect(after).toBeLessThan(known * 3);
  });

  it("computes nothing for clients that are gone", async () => {
    const check = passwordFile(`ann:${dear}`);
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const gone = Array.from({ length: 20 }, () => check("ann", "secret", connection(leaving.signal)));
    const waits = check("ann", "wrong", connection());
    leaving.abort();
    const before = process.cpuUsage();
    expect(await Promise.all(gone)).toEqual(gone.map(() => AUTH_FAILED));
    const { user } = process.cpuUsage(before);
    expect(await waits).toBe(AUTH_FAILED);
    expect(user).toBeLessThan(10 * (await work(check, "ann")));
  });

  it("says that it refuses because too many wait", async () => {
    const warn = vi.fn();
    const logger: Logger = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
    const check = passwordFile(`ann:${dear}`, { logger });
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const flood = Array.from({ length: 131 }, () => check("eve\n", "wrong", connection(leaving.signal)));
    // Two are computed and 128 wait.
    await Promise.any(flood);
    expect(warn).toHaveBeenCalledWith(
      { username: "eve\\u{a}", address: "192.0.2.1" },
      "password refused: too many are being checked",
    );
    leaving.abort();
    expect(await Promise.all(flood)).toEqual(flood.map(() => AUTH_FAILED));
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describe("passwordFile with a file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "spindlex-passwords-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("lets in the users who are in it now, and nobody while it is gone", async () => {
    const path = join(folder, "users");
    const check = passwordFile({ file: path }, { logger: false });
    expect(await isLetIn(check, "ann", "secret")).toBe(false);
    await expect(check.load()).rejects.toThrow(/password file .*users cannot be used: there is no such file/);
    writeFileSync(path, `ann:${ANN}\nbob:!\n`, { mode: 0o600 });
    expect(await isLetIn(check, "ann", "secret")).toBe(true);
    expect(await check.load()).toEqual(["ann"]);
    writeFileSync(path, `ann:!${ANN}\nbob:${OTHER}\n`);
    expect(await isLetIn(check, "ann", "secret")).toBe(false);
    expect(await isLetIn(check, "bob", "größer 🔑")).toBe(true);
    rmSync(path);
    expect(await isLetIn(check, "bob", "größer 🔑")).toBe(false);
  });

  it("logs lines that cannot be used with their numbers, once, and never a hash", async () => {
    const path = join(folder, "log");
    writeFileSync(path, `ann:${ANN}\nbad\nbob:${BOB}x\nkim:*\nold:${ANN}:19000:0:99999:7::15000:\n`, { mode: 0o600 });
    const lines: unknown[] = [];
    const note = (fields: object, message: string) => void lines.push({ ...fields, message });
    const check = passwordFile({ file: path }, { logger: { debug: note, info: note, warn: note, error: note } });
    await isLetIn(check, "ann", "secret");
    await isLetIn(check, "ann", "wrong");
    await isLetIn(check, "old", "wrong");
    await isLetIn(check, "old", "secret");
    expect(lines).toEqual([
      { path, line: 2, reason: "it is not name:hash", message: "user refused" },
      expect.objectContaining({ path, line: 3, reason: expect.stringContaining("SHA-crypt hash is not") }),
      { username: "old", reason: "the account has expired", message: "user refused" },
    ]);
    expect(JSON.stringify(lines)).not.toContain("opensslsalt");
  });
});
