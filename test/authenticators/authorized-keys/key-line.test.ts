import { describe, expect, it } from "vitest";
import { parseKeyBlob, parseKeyLine } from "../../../src/authenticators/authorized-keys/key-line.js";
import { KeyError, PKey } from "../../../src/crypto/index.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { SoftwareSecurityKey } from "../../support/security-key.js";
import { certificateOf, newKey } from "../test-login.js";

const parse = (content: string) => parseKeyLine({ line: 1, content });
const keys = [
  newKey(),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
  new SoftwareSecurityKey("ed25519").key,
  new SoftwareSecurityKey("ecdsa").key,
].map((key) => ({ key, type: key.keyType }));

describe("parseKeyLine", () => {
  it.each(keys)("reads a key of type $type, with options and without", ({ key }) => {
    const text = key.toPublicString();
    expect(parse(text)).toMatchObject({ blob: key.publicBlob, options: { permissions: { pty: true } } });
    expect(parse(`${text} a "comment`)).toMatchObject({ blob: key.publicBlob });
    const restricted = parse(`no-pty,command="a b" \t ${text.replaceAll(" ", "\t")}`);
    expect(restricted).toMatchObject({
      blob: key.publicBlob,
      options: { permissions: { pty: false, forceCommand: "a b" } },
    });
  });

  it.each(keys)("refuses a damaged key of type $type", ({ key, type }) => {
    const base64 = key.publicBlob.toString("base64");
    const longer = Buffer.concat([key.publicBlob, Buffer.of(0)]).toString("base64");
    for (const text of ["", "!", base64.slice(0, -4), base64.slice(4), `${base64}AAAA`, longer]) {
      expect(() => parse(`${type} ${text}`)).toThrow(KeyError);
    }
    const other = type === "ssh-ed25519" ? "ssh-rsa" : "ssh-ed25519";
    expect(() => parse(`${other} ${base64}`)).toThrow("the key is damaged, or of another type than the line says");
  });

  it("refuses certificates, and types that it does not know", () => {
    const certificate = certificateOf(newKey(), ["ann"]).toPublicString();
    for (const text of [certificate, "ssh-new AAAAB3NzaC1kc3M="]) {
      expect(() => parse(text)).toThrow(/^keys of type \S+ are not supported here$/);
      expect(() => parse(`cert-authority ${text}`)).toThrow(KeyError);
    }
  });

  it("says of a DSA key why it is refused", () => {
    for (const options of ["", "pty ", "cert-authority "]) {
      expect(() => parse(`${options}ssh-dss AAAAB3NzaC1kc3M=`)).toThrow(/^DSA keys are not supported, because/);
    }
  });

  it("says what is missing", () => {
    expect(() => parse("pty")).toThrow("the line has no key, or a key of an unknown type");
    expect(() => parse(`pty pty ${newKey().toPublicString()}`)).toThrow(
      "the line has no key, or a key of an unknown type",
    );
    expect(() => parse(`command="a ${newKey().toPublicString()}`)).toThrow("a quote is not closed");
    expect(() => parse(`command="\ufffd" ${newKey().toPublicString()}`)).toThrow("the options are not UTF-8");
  });

  it("shows nothing of a private key that was pasted", () => {
    for (const line of newKey().toOpenSSH().trim().split("\n")) {
      expect(() => parse(line)).toThrow(
        /^(the options are malformed|an option is unknown|the key stands in several lines: give the line of its \.pub file)$/,
      );
    }
  });
});

describe("parseKeyBlob", () => {
  it("wants a key, and no options", () => {
    const key = newKey();
    expect(parseKeyBlob(key.toPublicString())).toEqual(key.publicBlob);
    expect(() => parseKeyBlob(`pty ${key.toPublicString()}`)).toThrow(KeyError);
  });

  it("shows nothing of a private key, or of a secret, that was pasted", () => {
    const base64 = "AAAEDX6H8WkkOLMjFiAzVjEx8yuWltWfUL109Suk";
    for (const line of [...newKey().toOpenSSH().trim().split("\n"), base64, base64.toLowerCase(), `ann:$6$${base64}`]) {
      expect(() => parseKeyBlob(line)).toThrow(
        /^(the line has no key, or a key of an unknown type|the key stands in several lines: give the line of its \.pub file)$/,
      );
    }
  });
});
