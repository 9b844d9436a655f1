import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import type { RevocableKey } from "../../../src/crypto/revocation/revocable-key.js";
import { RevocationList } from "../../../src/crypto/revocation/revocation-list.js";
import { needs } from "../../support/clients.js";
import { LONGEST_TURN, longestTurn } from "../../support/longest-turn.js";
import { processorTime } from "../../support/processor-time.js";
import { run } from "../keys/ssh-keygen.js";
import {
  certificates,
  EXPLICIT_KEY,
  FINGERPRINT_SHA256,
  fields,
  KEY_ID,
  krl,
  SERIAL_BITMAP,
  SERIAL_LIST,
  section,
} from "./krl-bytes.js";

const [mine, yours, authority] = [1, 2, 3].map(() => PKey.generate({ keyType: "ed25519" }).publicKey) as [
  PKey,
  PKey,
  PKey,
];
const certificate = { serial: 7n, keyIdBytes: Buffer.from("someone"), signatureKey: authority, publicKey: mine };
const certified: RevocableKey = {
  publicBlob: Buffer.from("the certificate"),
  certificate,
};
const line = mine.toPublicString();
const weak = `ssh-rsa ${fields("ssh-rsa", Buffer.from([1, 0, 1]), Buffer.alloc(128, 0x7f)).toString("base64")}`;

describe("a list with a key a line", () => {
  it.each([
    ["a line", line],
    ["a line with its end", `${line}\n`],
    ["a line without a comment", mine.toPublicString({ comment: "" })],
    ["remarks, empty lines, blanks and tabs", `# no one\n\n \t# more\n \t${line} a comment\t \n\n`],
    ["line ends of Windows", `# no one\r\n\r\n${line}\r\n`],
    ["a comment that is not UTF-8", Buffer.concat([Buffer.from(`${line} `), Buffer.from([0xe9, 0xff, 0x0a])])],
    ["another key and then this", `${authority.toPublicString()}\n${line}`],
    ["a key too weak to be used", `${weak}\n${line}`],
  ])("revokes its keys: %s", (_, text) => {
    const list = RevocationList.parse(text);
    expect([list.isRevoked(mine), list.isRevoked(yours)]).toEqual([true, false]);
  });

  it.each([
    ["nothing", ""],
    ["remarks", "# none\n\n"],
  ])("revokes nobody when it holds %s", (_, text) => {
    expect(RevocationList.parse(text).isRevoked(mine)).toBe(false);
  });

  it("revokes the certificates of its keys and authorities", () => {
    expect(RevocationList.parse(line).isRevoked(certified)).toBe(true);
    expect(RevocationList.parse(authority.toPublicString()).isRevoked(certified)).toBe(true);
    expect(RevocationList.parse(yours.toPublicString()).isRevoked(certified)).toBe(false);
  });

  it.each([
    ["a word", "hello"],
    ["half a key", line.slice(0, 40)],
    ["a key with options", `restrict ${line}`],
    ["a type that is not the key's", line.replace("ssh-ed25519", "ssh-rsa")],
    ["a key of an unknown type", `ssh-future ${fields("ssh-future", "x").toString("base64")}`],
    ["two keys on a line, by the line end of old Macs", `${line}\r${line}`],
    ["a private key", PKey.generate({ keyType: "ed25519" }).toOpenSSH()],
    ["NUL", `${line} a\0b`],
    ["a byte order mark", `\uFEFF${line}`],
    ["a list cut short", "SSHKRL\n"],
    ["a list that was taken for text", krl().toString("utf8").replace("SSHKRL", "SSHKRLX")],
  ])("is refused as a whole with %s", (_, text) => {
    expect(() => RevocationList.parse(`${yours.toPublicString()}\n# x\n${text}`)).toThrow(KeyError);
    expect(() => RevocationList.parse(`${yours.toPublicString()}\n# x\n${text}`)).toThrow(
      /^line 3 of the list of revoked/,
    );
  });

  it("revokes the key of a certificate in it, and so every other certificate for it", () => {
    const ca = PKey.generate({ keyType: "ecdsa" });
    const certificate = (serial: bigint) =>
      ca.signCertificate({ publicKey: mine, type: "user", keyId: "id", serial, principals: ["me"] });
    const list = RevocationList.parse(certificate(1n).toPublicString());
    expect([mine, certificate(1n), certificate(2n)].map((key) => list.isRevoked(key))).toEqual([true, true, true]);
    expect([yours, ca].map((key) => list.isRevoked(key))).toEqual([false, false]);
  });

  it(
    "is refused with a certificate whose authority is too weak: the key that was meant may not be",
    needs("ssh-keygen"),
    () => {
      const directory = mkdtempSync(join(tmpdir(), "spindlex-revoked-"));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const [user, weakAuthority] = [join(directory, "user"), join(directory, "authority")];
      run("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", user]);
      run("ssh-keygen", ["-q", "-N", "", "-t", "rsa", "-b", "1024", "-f", weakAuthority]);
      run("ssh-keygen", ["-q", "-s", weakAuthority, "-I", "id", "-n", "me", `${user}.pub`]);
      const text = readFileSync(`${user}-cert.pub`, "utf8");
      expect(() => RevocationList.parse(text)).toThrow(/^line 1 of the list of revoked keys: .*too small/);
    },
  );

  it("is read in turns with others when it is long", async () => {
    const keys = Array.from({ length: 500 }, () => PKey.generate({ keyType: "ed25519" }).publicKey);
    const text = Array.from({ length: 4 }, () => keys.map((key) => key.toPublicString()).join("\n")).join("\n");
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const list = await RevocationList.parseInTurns(text);
    clearInterval(counting);
    expect(turns).toBeGreaterThan(3);
    expect(keys.every((key) => list.isRevoked(key))).toBe(true);
    expect(list.isRevoked(mine)).toBe(false);
    await expect(RevocationList.parseInTurns(`${text}\nhello`)).rejects.toThrow(/^line 2001 /);
  });

  it("is read in a time that grows with its length, whatever blanks are in its lines", () => {
    const list = `${mine.toPublicString()}${" ".repeat(60_000)}.${" ".repeat(60_000)}\t\r\n`;
    expect(processorTime(() => RevocationList.parse(list))).toBeLessThan(300);
    expect(RevocationList.parse(list).isRevoked(mine)).toBe(true);
  });

  it("tells nothing of the key in its messages", () => {
    const secret = "AAAAC3NzaC1lZDI1NTE5AAAAIsecret";
    let message = "";
    try {
      RevocationList.parse(`ssh-ed25519 ${secret}`);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("line 1");
    expect(message).not.toContain("secret");
  });
});

describe("a key revocation list", () => {
  it("is read in turns, however long", async () => {
    const hashes = Buffer.alloc(36 * 120_000);
    const serials = Buffer.alloc(8 * 250_000);
    const bitmaps = Array.from({ length: 20_000 }, (_, index) =>
      section(SERIAL_BITMAP, fields(BigInt(30 * (index + 1)), Buffer.from([1]))),
    );
    for (let at = 0; at < hashes.length; at += 36) hashes.writeUInt32BE(at, hashes.writeUInt32BE(32, at));
    for (let at = 0; at < serials.length; at += 8)
      serials.writeBigUInt64BE(BigInt(serials.length - at) * 2n ** 20n, at);
    const bytes = krl(
      section(FINGERPRINT_SHA256, hashes),
      certificates([section(SERIAL_LIST, serials), Buffer.concat(bitmaps)]),
    );
    const lists: RevocationList[] = [];
    const time = await longestTurn(async () => lists.push(await RevocationList.parseInTurns(bytes)));
    expect(time).toBeLessThan(LONGEST_TURN);
    const isRevoked = (serial: bigint) =>
      lists[0]?.isRevoked({ ...certified, certificate: { ...certificate, serial } });
    expect([8n * 2n ** 20n, 2_000_000n * 2n ** 20n, 30n, 600_000n].map(isRevoked)).toEqual([true, true, true, true]);
    expect([7n, 9n * 2n ** 20n, 31n, 600_030n].map(isRevoked)).toEqual([false, false, false, false]);
  });

  it("is not touched by what happens to its bytes", () => {
    const bytes = krl(certificates([section(0x22, fields(7n, Buffer.from([1])))]));
    const list = RevocationList.parse(bytes);
    bytes.fill(0);
    expect(list.isRevoked(certified)).toBe(true);
  });

  it("revokes the bytes of a whole certificate, by itself and by its hash", () => {
    const { publicBlob } = certified;
    const hash = createHash("sha256").update(publicBlob).digest();
    expect(RevocationList.parse(krl(section(EXPLICIT_KEY, fields(publicBlob)))).isRevoked(certified)).toBe(true);
    expect(RevocationList.parse(krl(section(FINGERPRINT_SHA256, fields(hash)))).isRevoked(certified)).toBe(true);
    expect(RevocationList.parse(krl(section(EXPLICIT_KEY, fields(publicBlob)))).isRevoked(mine)).toBe(false);
  });

  it("does not revoke a certificate without a number by number", () => {
    const all = RevocationList.parse(krl(certificates([section(0x21, fields(1n, 2n ** 64n - 1n))])));
    const { certificate } = certified;
    if (certificate === undefined) throw new Error("no certificate");
    expect(all.isRevoked(certified)).toBe(true);
    expect(all.isRevoked({ ...certified, certificate: { ...certificate, serial: 0n } })).toBe(false);
  });

  it("compares key IDs as bytes, less a NUL at their end", () => {
    const named = (keyId: string): RevocableKey => ({
      publicBlob: Buffer.from("certificate"),
      certificate: { serial: 0n, keyIdBytes: Buffer.from(keyId), signatureKey: authority, publicKey: mine },
    });
    const list = RevocationList.parse(krl(certificates([section(KEY_ID, fields("caf\u00e9", "bob\0"))])));
    const ids = ["caf\u00e9", "caf\u00e9\0", "bob", "bob\0", "cafe\u0301", "Bob", "bob\0\0", "caf", ""];
    expect(ids.filter((id) => list.isRevoked(named(id)))).toEqual(["caf\u00e9", "caf\u00e9\0", "bob", "bob\0"]);
  });

  it("of megabytes takes no time to be asked", () => {
    const serials = Buffer.alloc(8 * 200_000);
    for (let index = 0; index < 200_000; index++) serials.writeBigUInt64BE(BigInt(index) * 7919n + 1n, 8 * index);
    const ranges = Array.from({ length: 20_000 }, (_, index) => {
      const first = 2n ** 40n + BigInt(index) * 10n;
      return section(0x21, fields(first, first + 5n));
    });
    const hashes = Buffer.concat(Array.from({ length: 50_000 }, (_, index) => fields(Buffer.alloc(32, `${index} `))));
    const list = RevocationList.parse(
      krl(
        certificates([section(SERIAL_LIST, serials), ...ranges], authority.publicBlob),
        section(FINGERPRINT_SHA256, hashes),
      ),
    );
    const start = performance.now();
    for (let count = 0; count < 1000; count++) expect(list.isRevoked(certified)).toBe(false);
    // One that is searched from end to end takes milliseconds for each question.
    expect(performance.now() - start).toBeLessThan(1000);
    const { certificate } = certified;
    if (certificate === undefined) throw new Error("no certificate");
    for (const [serial, revoked] of [
      [7919n * 199_999n + 1n, true],
      [7919n * 199_999n, false],
      [2n ** 40n + 10n * 19_999n + 5n, true],
      [2n ** 40n + 10n * 19_999n + 6n, false],
    ] as const) {
      expect(list.isRevoked({ ...certified, certificate: { ...certificate, serial } })).toBe(revoked);
    }
  });
});
