import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAuthorizedKeys, readAuthorizedKeys } from "../../src/cli/authorized-keys-file.js";
import { StartError } from "../../src/cli/errors.js";

let folder = "";
const lines = { ed25519: "", ecdsa: "", rsa: "" };
const fingerprints = { ed25519: "", ecdsa: "", rsa: "" };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-keys-"));
  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    const path = join(folder, type);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", `my ${type} key`, "-f", path]);
    lines[type] = readFileSync(`${path}.pub`, "utf8").trim();
    fingerprints[type] = execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" }).split(" ")[1] ?? "";
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("parseAuthorizedKeys", () => {
  it("takes keys of every type, among comments and empty lines, with either line ending", () => {
    const text = `# mine\n\n${lines.ed25519}\r\n  \t${lines.ecdsa}\n   # more\n\n${lines.rsa}`;
    const { keys, refused } = parseAuthorizedKeys(text);
    expect(refused).toEqual([]);
    expect(keys.map((key) => key.fingerprint())).toEqual(Object.values(fingerprints));
  });

  it.each([
    "restrict",
    'command="ls"',
    "no-pty,no-X11-forwarding",
    'from="10.0.0.0/8,*.example.org"',
    'environment="A=b c"',
  ])("refuses the line with the option %s, and only that line", (option) => {
    const { keys, refused } = parseAuthorizedKeys(`${lines.rsa}\n\n${option} ${lines.ed25519}\n${lines.ecdsa}\n`);
    expect(keys.map((key) => key.fingerprint())).toEqual([fingerprints.rsa, fingerprints.ecdsa]);
    expect(refused).toEqual([{ line: 3, reason: expect.stringContaining("options are not supported") }]);
  });

  it("refuses what is no key, a damaged key and a key under another type's name", () => {
    const [, blob = ""] = lines.ed25519.split(" ");
    const bad = [
      "hello",
      "ssh-ed25519",
      "ssh-ed25519 AAAA",
      `ssh-ed25519 ${blob.slice(0, -8)}`,
      `ssh-rsa ${blob}`,
      "ssh-dss AAAAB3NzaC1kc3M=",
    ];
    const { keys, refused } = parseAuthorizedKeys(bad.join("\n"));
    expect(keys).toEqual([]);
    expect(refused.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { reason } of refused) expect(reason).toMatch(/^[^\n]+$/);
  });

  it("finds nothing in an empty file", () => {
    expect(parseAuthorizedKeys("")).toEqual({ keys: [], refused: [] });
  });
});

describe("readAuthorizedKeys", () => {
  const write = (name: string, text: string, mode: number): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };

  it("reads a file that others may read", async () => {
    const { keys } = await readAuthorizedKeys(write("good", `${lines.ed25519}\n`, 0o644));
    expect(keys).toHaveLength(1);
  });

  it.each([0o664, 0o646, 0o622])("refuses a file of mode %o, which others can write", async (mode) => {
    const path = write("loose", `${lines.ed25519}\n`, mode);
    await expect(readAuthorizedKeys(path)).rejects.toThrow(StartError);
    await expect(readAuthorizedKeys(path)).rejects.toThrow("can be written by other users");
  });

  it("says which file is missing", async () => {
    await expect(readAuthorizedKeys(join(folder, "nothing"))).rejects.toThrow(
      /authorized keys .*nothing cannot be read/,
    );
  });
});
