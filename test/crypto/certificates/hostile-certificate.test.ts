import { sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { codePoint } from "../../support/code-point.js";
import { type CraftedCertificate, craftCertificate, optionText } from "../../support/crafted-certificate.js";
import { generateKeys } from "../../support/generated-keys.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { SoftwareSecurityKey } from "../../support/security-key.js";
import { codeOf } from "../keys/key-error-code.js";

const keys = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 384 }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
  new SoftwareSecurityKey("ed25519").key,
  new SoftwareSecurityKey("ecdsa").key,
];
const [subject, ecdsaAuthority, , , rsaAuthority] = keys as [PKey, PKey, PKey, PKey, PKey, PKey, PKey];
const authority = PKey.generate({ keyType: "ed25519" });

const craft = (certificate: Partial<CraftedCertificate> = {}) =>
  craftCertificate({ key: subject, authority, ...certificate });
const read = (certificate: Partial<CraftedCertificate> = {}) => PKey.fromBlob(craft(certificate)).certificate;
const refusal = (certificate: Partial<CraftedCertificate>) => codeOf(() => PKey.fromBlob(craft(certificate)));

const full: Partial<CraftedCertificate> = {
  principals: ["alice", "bob"],
  criticalOptions: [
    ["force-command", optionText("ls")],
    ["verify-required", ""],
  ],
  extensions: [["permit-pty", ""]],
};

describe("a certificate is refused", () => {
  it.each(keys.map((key) => [key.keyType, key] as const))("%s: with any byte changed", (_, key) => {
    const blob = craft({ ...full, key });
    expect(codeOf(() => PKey.fromBlob(blob))).toBeUndefined();
    for (let index = 0; index < blob.length; index++) {
      const changed = Buffer.from(blob);
      changed.writeUInt8(changed.readUInt8(index) ^ (1 << (index % 8)), index);
      expect(
        codeOf(() => PKey.fromBlob(changed)),
        `byte ${index}`,
      ).toMatch(/^(malformed|unsupported|weak)$/);
    }
  });

  it.each(keys.slice(0, 5).map((key) => [key.keyType, key] as const))(
    "by %s: with any byte of the authority or its signature changed",
    (_, signer) => {
      const blob = craft({ authority: signer });
      const start = blob.indexOf(signer.publicBlob);
      for (let index = start; index < blob.length; index++) {
        const changed = Buffer.from(blob);
        changed.writeUInt8(changed.readUInt8(index) ^ (1 << (index % 8)), index);
        expect(
          codeOf(() => PKey.fromBlob(changed)),
          `byte ${index}`,
        ).toMatch(/^(malformed|unsupported|weak)$/);
      }
    },
  );

  it.each(keys.map((key) => [key.keyType, key] as const))("%s: cut short anywhere, or with bytes behind", (_, key) => {
    const blob = craft({ ...full, key });
    for (let length = 0; length < blob.length; length++) {
      expect(
        codeOf(() => PKey.fromBlob(blob.subarray(0, length))),
        `${length} bytes`,
      ).toMatch(/^(malformed|unsupported)$/);
    }
    expect(codeOf(() => PKey.fromBlob(Buffer.concat([blob, Buffer.of(0)])))).toBe("malformed");
    expect(codeOf(() => PKey.fromBlob(Buffer.concat([blob, blob])))).toBe("malformed");
  });

  it("with any four bytes in a row that say 2^32 - 1", () => {
    const blob = craft(full);
    // Inside of the signature four bytes can be anything, but then it is wrong.
    for (let index = 0; index + 4 <= blob.length; index++) {
      const changed = Buffer.from(blob).fill(0xff, index, index + 4);
      if (changed.equals(blob)) continue;
      expect(
        codeOf(() => PKey.fromBlob(changed)),
        `bytes from ${index}`,
      ).toMatch(/^(malformed|unsupported|weak)$/);
    }
  });

  it("with signed bytes behind the authority's key", () => {
    expect(refusal({ signedTrailer: Buffer.of(0) })).toBe("malformed");
    expect(refusal({ signedTrailer: Buffer.alloc(4) })).toBe("malformed");
  });

  it("with lengths of 2^32 - 1 in its signed lists", () => {
    const endless = Buffer.alloc(4, 0xff);
    for (const list of [endless, Buffer.concat([optionText("name"), endless]), Buffer.alloc(3), Buffer.alloc(5)]) {
      expect(refusal({ principals: list })).toBe("malformed");
      expect(refusal({ criticalOptions: list })).toBe("malformed");
      expect(refusal({ extensions: list })).toBe("malformed");
    }
    expect(refusal({ criticalOptions: optionText("verify-required") })).toBe("malformed");
    expect(refusal({ extensions: optionText("permit-pty") })).toBe("malformed");
    expect(refusal({ authorityBlob: endless })).toBe("malformed");
    expect(refusal({ authorityBlob: Buffer.alloc(0) })).toBe("malformed");
  });

  it("of another type than user and host", () => {
    for (const type of [0, 3, 255, 256, 2 ** 32 - 1]) expect(refusal({ type })).toBe("unsupported");
    expect(refusal({ type: 1 })).toBeUndefined();
    expect(refusal({ type: 2 })).toBeUndefined();
  });

  it("with more than 256 principals", () => {
    const names = Array.from({ length: 256 }, (_, index) => `user${index}`);
    expect(read({ principals: names })?.validPrincipals).toEqual(names);
    expect(refusal({ principals: [...names, "one more"] })).toBe("malformed");
  });

  it("whose authority is a certificate", () => {
    const certified = authority.signCertificate({
      publicKey: authority.publicKey,
      type: "user",
      keyId: "of itself",
      principals: ["user"],
    });
    expect(refusal({ authorityBlob: certified.publicBlob })).toBe("unsupported");
    expect(() => PKey.fromBlob(craft({ authorityBlob: certified.publicBlob }))).toThrow("by another certificate");
  });

  it("whose authority or key is weak or of a type that is not supported", () => {
    const { publicKey, privateKey } = generateKeys("rsa", { modulusLength: 1024 });
    const jwk = publicKey.export({ format: "jwk" });
    const weak = new Writer()
      .writeString("ssh-rsa")
      .writeMpint(Buffer.from(jwk.e ?? "", "base64url"))
      .writeMpint(Buffer.from(jwk.n ?? "", "base64url"))
      .toBuffer();
    const weakSign = (data: Buffer) =>
      new Writer()
        .writeString("rsa-sha2-256")
        .writeString(sign("sha256", data, privateKey))
        .toBuffer();
    expect(refusal({ authorityBlob: weak, sign: weakSign })).toBe("weak");
    const fields = new Reader(weak);
    fields.readString();
    const blob = Buffer.from(craft({ key: rsaAuthority }));
    const own = rsaAuthority.publicBlob.subarray(4 + "ssh-rsa".length);
    const at = blob.indexOf(own);
    const swapped = Buffer.concat([blob.subarray(0, at), fields.readRest(), blob.subarray(at + own.length)]);
    expect(codeOf(() => PKey.fromBlob(swapped))).toBe("weak");
    expect(refusal({ authorityBlob: new Writer().writeString("ssh-dss").toBuffer() })).toBe("unsupported");
    expect(refusal({ name: "ssh-dss-cert-v01@openssh.com" })).toBe("unsupported");
    expect(refusal({ name: "ssh-ed25519-cert-v00@openssh.com" })).toBe("unsupported");
    expect(refusal({ name: "rsa-sha2-512-cert-v01@openssh.com", key: rsaAuthority })).toBe("unsupported");
  });

  it("that is named as one of another type", () => {
    for (const key of keys) {
      for (const other of keys) {
        if (key === other) continue;
        const name = `${other.keyType.replace("@openssh.com", "")}-cert-v01@openssh.com`;
        expect(refusal({ key, name }), `${key.keyType} as ${name}`).toMatch(/malformed|weak|unsupported/);
      }
    }
  });

  it("that is signed over SHA-1, by another key, with another algorithm or over something else", () => {
    const { publicKey, privateKey } = generateKeys("rsa", { modulusLength: 2048 });
    const rsa = PKey.fromString(publicKey.export({ type: "spki", format: "pem" }));
    const rsaSign = (name: string, hash: string) => (data: Buffer) =>
      new Writer()
        .writeString(name)
        .writeString(sign(hash, data, privateKey))
        .toBuffer();
    expect(refusal({ authority: rsa, sign: rsaSign("rsa-sha2-256", "sha256") })).toBeUndefined();
    expect(refusal({ authority: rsa, sign: rsaSign("rsa-sha2-512", "sha512") })).toBeUndefined();
    expect(refusal({ authority: rsa, sign: rsaSign("ssh-rsa", "sha1") })).toBe("unsupported");
    expect(refusal({ authority: rsa, sign: rsaSign("rsa-sha2-256", "sha1") })).toBe("malformed");
    expect(refusal({ authority: rsa, sign: rsaSign("rsa-sha2-512", "sha256") })).toBe("malformed");
    expect(refusal({ authority: rsa, sign: rsaSign("rsa-sha2-512-cert-v01@openssh.com", "sha512") })).toBe(
      "unsupported",
    );
    expect(refusal({ sign: (data) => ecdsaAuthority.sign(data) })).toBe("unsupported");
    expect(refusal({ sign: (data) => PKey.generate({ keyType: "ed25519" }).sign(data) })).toBe("malformed");
    expect(refusal({ sign: (data) => subject.sign(data) })).toBe("malformed");
    expect(refusal({ sign: (data) => authority.sign(data.subarray(1)) })).toBe("malformed");
    expect(refusal({ sign: () => Buffer.alloc(0) })).toBe("malformed");
    expect(refusal({ sign: (data) => Buffer.concat([authority.sign(data), Buffer.of(0)]) })).toBe("malformed");
  });

  it("that a security key has signed for another application, or as a plain key", () => {
    for (const type of ["ed25519", "ecdsa"] as const) {
      const securityKey = new SoftwareSecurityKey(type);
      const by = (signer: (data: Buffer) => Buffer) => refusal({ authority: securityKey.key, sign: signer });
      expect(by((data) => securityKey.sign(data))).toBeUndefined();
      expect(by((data) => securityKey.sign(data, { application: "ssh:other" }))).toBe("malformed");
      expect(by((data) => securityKey.signPlain(data, securityKey.key.keyType))).toBe("malformed");
      expect(by((data) => securityKey.signPlain(data, "ssh-ed25519"))).toBe("unsupported");
    }
  });
});

describe("options of a certificate", () => {
  it("of a known name have their form", () => {
    for (const name of ["force-command", "source-address"]) {
      for (const data of [
        Buffer.alloc(0),
        Buffer.alloc(3),
        Buffer.alloc(4, 0xff),
        Buffer.concat([optionText("ls"), Buffer.of(0)]),
        Buffer.from("ls"),
        optionText("l\0s"),
        optionText(Buffer.of(0xff)),
      ]) {
        expect(refusal({ criticalOptions: [[name, data]] }), `${name} ${data.toString("hex")}`).toBe("malformed");
        // There it means nothing.
        expect(refusal({ extensions: [[name, data]] })).toBeUndefined();
      }
    }
    expect(refusal({ criticalOptions: [["verify-required", "x"]] })).toBe("malformed");
    expect(refusal({ criticalOptions: [["verify-required", optionText("")]] })).toBe("malformed");
    for (const name of ["X11-forwarding", "agent-forwarding", "port-forwarding", "pty", "user-rc"]) {
      expect(refusal({ extensions: [[`permit-${name}`, "x"]] })).toBe("malformed");
    }
    expect(refusal({ extensions: [["no-touch-required", optionText("no")]] })).toBe("malformed");
  });

  it("an empty text is one", () => {
    expect(read({ criticalOptions: [["force-command", optionText("")]] })?.forceCommand).toBe("");
    expect(read({ criticalOptions: [["source-address", optionText("")]] })?.sourceAddress).toBe("");
  });

  it("come in any order and more than once, as OpenSSH takes them, but not with two commands", () => {
    const extensions = [
      ["zz", "1"],
      ["permit-pty", ""],
      ["aa", ""],
      ["zz", "2"],
      ["permit-pty", ""],
    ] as const;
    const certificate = read({ extensions });
    expect([...(certificate?.extensions.keys() ?? [])]).toEqual(["zz", "permit-pty", "aa"]);
    expect(certificate?.extensions.get("zz")?.toString()).toBe("1");
    expect(certificate?.permitPty).toBe(true);
    for (const name of ["force-command", "source-address"]) {
      const option = [name, optionText("10.0.0.1")] as const;
      expect(refusal({ criticalOptions: [option] })).toBeUndefined();
      expect(refusal({ criticalOptions: [option, option] })).toBe("malformed");
    }
  });

  it("have names without NUL, which are compared whole", () => {
    expect(refusal({ extensions: [["permit-pty\0", ""]] })).toBe("malformed");
    expect(refusal({ criticalOptions: [["force-command\0x", optionText("ls")]] })).toBe("malformed");
    const near = ["", "Force-Command", "force-command ", "force-comman", "__proto__", "constructor"];
    for (const name of near) {
      expect(read({ criticalOptions: [[name, optionText("ls")]] })?.unknownCriticalOptions).toEqual([name]);
    }
    expect(read({ extensions: [["permit-PTY", ""]] })?.permitPty).toBe(false);
  });

  it("that are critical are all unknown for hosts", () => {
    const criticalOptions = [["force-command", optionText("ls")]] as const;
    expect(read({ criticalOptions, type: 2 })?.unknownCriticalOptions).toEqual(["force-command"]);
    expect(read({ criticalOptions, type: 1 })?.unknownCriticalOptions).toEqual([]);
  });
});

describe("texts of a certificate", () => {
  it("that are not UTF-8 are equal to nothing but themselves", () => {
    const texts = [
      Buffer.of(0xff),
      Buffer.of(0xfe),
      Buffer.from("\ufffd"),
      Buffer.from("alice\xff", "latin1"),
      Buffer.from("aliceÿ"),
      // U+DCFF itself, which UTF-8 does not hold.
      Buffer.of(0xed, 0xb3, 0xbf),
      Buffer.from("\ufeffalice"),
      Buffer.from("alice"),
    ];
    const certificate = read({ principals: texts });
    expect(new Set(certificate?.validPrincipals).size).toBe(texts.length);
    expect(certificate?.validPrincipals.at(-1)).toBe("alice");
    for (const text of texts) {
      const keyed = read({ keyId: text });
      expect(keyed?.keyIdBytes).toEqual(text);
      expect(certificate?.validPrincipals).toContain(keyed?.keyId);
    }
  });

  it("hold no NUL", () => {
    expect(refusal({ keyId: "a\0b" })).toBe("malformed");
    expect(refusal({ principals: ["root\0"] })).toBe("malformed");
    expect(refusal({ principals: ["alice", "\0"] })).toBe("malformed");
  });

  it("may be empty, and so may the list of principals and the nonce", () => {
    expect(read({ keyId: "", principals: [], nonce: Buffer.alloc(0) })).toMatchObject({
      keyId: "",
      validPrincipals: [],
    });
    expect(read({ principals: [""] })?.validPrincipals).toEqual([""]);
  });
});

describe("times of a certificate", () => {
  it("are Dates as far as there are any", () => {
    const last = new Date(8.64e15);
    expect(read({ validAfter: 0n, validBefore: 0n })?.validBeforeDate).toEqual(new Date(0));
    expect(read({ validAfter: 0n })?.validAfterDate).toBeUndefined();
    expect(read({ validBefore: 2n ** 64n - 1n })?.validBeforeDate).toBeUndefined();
    expect(read({ validBefore: 2n ** 64n - 2n })?.validBeforeDate).toEqual(last);
    expect(read({ validBefore: 8_640_000_000_000n })?.validBeforeDate).toEqual(last);
    expect(read({ validBefore: 8_639_999_999_999n })?.validBeforeDate).toEqual(new Date(8.64e15 - 1000));
    expect(read({ validAfter: 2n ** 64n - 1n })?.validAfterDate).toEqual(last);
  });
});

describe("any certificate that is well-formed", () => {
  it("is read as it was written", () => {
    const text = fc.string({ unit: codePoint }).filter((value) => !value.includes("\0"));
    const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const name = text.filter(
      (value) => !/^(force-command|source-address|verify-required|permit-|no-touch)/.test(value),
    );
    const options = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 50 })), { selector: ([first]) => first });
    const properties = fc.record({
      key: fc.constantFrom(...keys),
      nonce: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      reserved: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      serial: uint64,
      type: fc.constantFrom(1, 2),
      keyId: text,
      principals: fc.array(text, { maxLength: 20 }),
      validAfter: uint64,
      validBefore: uint64,
      criticalOptions: options.map((list) => list.map(([key, data]) => [key, Buffer.from(data)] as const)),
      extensions: options.map((list) => list.map(([key, data]) => [key, Buffer.from(data)] as const)),
    });
    fc.assert(
      fc.property(properties, (expected) => {
        const certificate = read(expected);
        expect(certificate?.publicKey.equals(expected.key)).toBe(true);
        expect(certificate?.signatureKey.equals(authority)).toBe(true);
        expect(certificate).toMatchObject({
          nonce: expected.nonce,
          reserved: expected.reserved,
          serial: expected.serial,
          type: expected.type === 1 ? "user" : "host",
          keyId: expected.keyId,
          validPrincipals: expected.principals,
          validAfter: expected.validAfter,
          validBefore: expected.validBefore,
        });
        expect([...(certificate?.criticalOptions ?? [])]).toEqual(expected.criticalOptions);
        expect([...(certificate?.extensions ?? [])]).toEqual(expected.extensions);
      }),
      { numRuns: 200 },
    );
  });
});
