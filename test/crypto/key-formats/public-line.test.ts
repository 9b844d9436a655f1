import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { processorTime } from "../../support/processor-time.js";
import { codeOf } from "../keys/key-error-code.js";
import { KEYS, keygen, listedFingerprint, run, temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();
const key = PKey.generate({ keyType: "ed25519" });
const line = key.toPublicString();

describe("public keys on one line", () => {
  it.each(KEYS)("$keyType as ssh-keygen writes it", needs("ssh-keygen"), ({ type, bits, keyType }) => {
    const { publicText, path } = keygen(directory, { type, bits, comment: "someone @ some where" });
    const read = PKey.fromString(Buffer.from(publicText));
    expect(read).toMatchObject({ keyType, bits, comment: "someone @ some where", hasPrivateKey: false });
    expect(read.fingerprint()).toBe(listedFingerprint(path));
    expect(`${read.toPublicString()}\n`).toBe(publicText);
    expect(read.toPublicString({ comment: "" })).toBe(publicText.split(" ").slice(0, 2).join(" "));
  });

  it("between blank lines and remarks, with tabs and Windows line ends", () => {
    expect(PKey.fromString(`\r\n# mine\r\n\t${line.replace(" ", "\t")}\t me \r\n`).comment).toBe("me");
  });

  it.each([
    "---- BEGIN SSH2 PUBLIC KEY ----",
    "x ---- BEGIN SSH2 PUBLIC KEY ----",
    "x\u2028-----BEGIN PRIVATE KEY-----",
  ])("may have a comment that looks like another format: %j", (comment) => {
    const [type, base64] = line.split(" ");
    expect(PKey.fromString(`${type} ${base64} ${comment}`).publicBlob.toString("base64")).toBe(base64);
  });

  it("are refused when they are not one key", () => {
    const [type, base64] = line.split(" ");
    for (const text of [
      "",
      "hello",
      "hello world",
      `${type}`,
      `${type} ${base64?.slice(0, -4)}`,
      `${type} ${base64}!`,
      `${type} ${base64?.replace("AAAAC3", "AAAA C3")}`,
      `ssh-rsa ${base64}`,
      `restrict ${line}`,
      `${line}\n${line}`,
    ]) {
      expect(
        codeOf(() => PKey.fromString(text)),
        text,
      ).toBe("malformed");
    }
  });

  it("are read, or refused, in a time that grows with their length and no faster", () => {
    // What `.` does not match ended no comment, and each of the spaces was tried for its beginning.
    const text = `${line}${" ".repeat(40_000)}\u2028x`;
    expect(processorTime(() => PKey.fromString(text))).toBeLessThan(300);
    expect(PKey.fromString(text).comment).toBe("\u2028x".trim());
  });

  it("of types that only others know are not supported", () => {
    const blob = Buffer.from("\0\0\0\x0cssh-xmss@ssh\0\0\0\0", "latin1");
    expect(codeOf(() => PKey.fromString(`ssh-xmss@ssh ${blob.toString("base64")}`))).toBe("unsupported");
  });

  it("cannot be made to add a line", () => {
    expect(() => key.toPublicString({ comment: "x\nssh-ed25519 AAAA" })).toThrow(/comment/);
    const text = key.toOpenSSH();
    expect(() => key.toOpenSSH({ comment: "a\rb" })).toThrow(/comment/);
    expect(PKey.fromString(text).comment).toBe("");
  });

  it("keep a comment from a private key on the line", () => {
    const bytes = Buffer.from(key.toOpenSSH({ comment: "evil#comment" }).replace(/-----.*-----/g, ""), "base64");
    bytes.write("\n", bytes.indexOf("evil#comment") + 4);
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----`;
    expect(PKey.fromString(text).toPublicString()).toBe(`${line} evil comment`);
  });
});

describe("RFC 4716", () => {
  it.each(KEYS)("$keyType as ssh-keygen -e writes it", needs("ssh-keygen"), ({ type, bits }) => {
    const { path } = keygen(directory, { type, bits });
    const read = PKey.fromString(run("ssh-keygen", ["-e", "-m", "RFC4716", "-f", `${path}.pub`]));
    expect(read.fingerprint()).toBe(listedFingerprint(path));
    expect(read.comment).toMatch(/^\d+-bit /);
    expect(read.hasPrivateKey).toBe(false);
  });

  const body = line.split(" ")[1] ?? "";
  const file = (...lines: string[]) =>
    ["---- BEGIN SSH2 PUBLIC KEY ----", ...lines, "---- END SSH2 PUBLIC KEY ----", ""].join("\n");

  it("headers that go on in the next line, and unknown ones", () => {
    const text = file('Comment: "one \\', 'two"', "x-private: nothing", body.slice(0, 20), body.slice(20));
    const read = PKey.fromString(text);
    expect(read.comment).toBe("one two");
    expect(read.equals(key)).toBe(true);
  });

  it("is read in a time that grows with its length and no faster", () => {
    const [, base64 = ""] = line.split(" ");
    const comment = `Comment:${" ".repeat(60_000)}\u2028x`;
    const text = `---- BEGIN SSH2 PUBLIC KEY ----\n${comment}\n${base64}\n---- END SSH2 PUBLIC KEY ----\n`;
    expect(processorTime(() => PKey.fromString(text))).toBeLessThan(300);
    expect(PKey.fromString(text).equals(key)).toBe(true);
  });

  it("is refused without an end, without a key, with an endless header", () => {
    expect(codeOf(() => PKey.fromString(file(body).replace(/---- END.*/, "")))).toBe("malformed");
    expect(codeOf(() => PKey.fromString(file()))).toBe("malformed");
    expect(codeOf(() => PKey.fromString(file("Comment: \\", ...Array<string>(5000).fill("more \\"), body)))).toBe(
      "malformed",
    );
  });
});

describe("formats of others", () => {
  it("are named, with what to do", () => {
    expect(() => PKey.fromString("PuTTY-User-Key-File-3: ssh-ed25519\n")).toThrow(/puttygen/);
    expect(codeOf(() => PKey.fromString("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"))).toBe(
      "unsupported",
    );
    expect(codeOf(() => PKey.fromString("-----BEGIN PRIVATE KEY-----\nAAAA\n"))).toBe("malformed");
    expect(codeOf(() => PKey.fromString("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"))).toBe(
      "malformed",
    );
    expect(codeOf(() => PKey.fromString("x".repeat(300_000)))).toBe("malformed");
  });
});
