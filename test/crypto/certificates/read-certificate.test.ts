import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { craftCertificate } from "../../support/crafted-certificate.js";
import { SoftwareSecurityKey } from "../../support/security-key.js";
import { KEYS, keygen, listedFingerprint, run, temporaryDirectory } from "../keys/ssh-keygen.js";
import { listed, listing } from "./listing.js";

const directory = temporaryDirectory();
const authorities = KEYS.map(({ type, bits, keyType }) => ({ keyType, ...keygen(directory, { type, bits }) }));
const [authority] = authorities as [(typeof authorities)[number]];
const subjects = [
  ...KEYS.map(({ type, bits, keyType }) => ({ keyType, bits, ...keygen(directory, { type, bits }) })),
  ...(["ed25519", "ecdsa"] as const).map((type) => {
    const { key } = new SoftwareSecurityKey(type);
    const path = join(directory, `sk-${type}`);
    writeFileSync(`${path}.pub`, `${key.toPublicString({ comment: "a comment" })}\n`);
    return { keyType: key.keyType, bits: 256, path, publicText: key.toPublicString({ comment: "a comment" }) };
  }),
];
const [subject] = subjects as [(typeof subjects)[number]];

/** A certificate made by ssh-keygen, as both read it. */
function certify(args: readonly string[], path = subject.path, authorityPath = authority.path) {
  run("ssh-keygen", ["-q", "-s", authorityPath, "-I", "some ID", ...args, `${path}.pub`]);
  const file = `${path}-cert.pub`;
  const text = readFileSync(file, "utf8");
  const key = PKey.fromString(text);
  const { certificate } = key;
  if (certificate === undefined) throw new Error("no certificate was read");
  expect(listing(key)).toBe(listed(file));
  return { key, certificate, file, text };
}

describe("certificates made by ssh-keygen", needs("ssh-keygen"), () => {
  it.each(subjects)("of a key of type $keyType", ({ path, bits, publicText, keyType }) => {
    const { key, certificate, file, text } = certify(["-n", "alice"], path);
    expect(key.keyType).toBe(`${keyType.replace("@openssh.com", "")}-cert-v01@openssh.com`);
    expect(key).toMatchObject({ bits, comment: "a comment", hasPrivateKey: false });
    expect(key.fingerprint()).toBe(listedFingerprint(file));
    expect(`${key.toPublicString()}\n`).toBe(text);
    const plain = PKey.fromString(publicText);
    expect(certificate.publicKey.equals(plain)).toBe(true);
    expect(certificate.publicKey.keyType).toBe(keyType);
    expect(certificate.publicKey.certificate).toBeUndefined();
    expect(key.application).toBe(plain.application);
    expect(key.equals(plain)).toBe(false);
    expect(plain.equals(key)).toBe(false);
    expect(key.equals(PKey.fromBlob(key.publicBlob))).toBe(true);
  });

  it.each(authorities)("by an authority of type $keyType", ({ path, publicText, keyType }) => {
    for (const host of [[], ["-h"]]) {
      const { certificate } = certify(["-n", "alice", ...host], subject.path, path);
      expect(certificate.signatureKey.equals(PKey.fromString(publicText))).toBe(true);
      expect(certificate.signatureAlgorithm).toBe(keyType === "ssh-rsa" ? "rsa-sha2-512" : keyType);
    }
  });

  it("by an RSA authority with each of its algorithms, but never over SHA-1", () => {
    const [, , , , rsa] = authorities as typeof authorities & { 4: (typeof authorities)[number] };
    for (const algorithm of ["rsa-sha2-256", "rsa-sha2-512"]) {
      const { certificate } = certify(["-t", algorithm, "-n", "alice"], subject.path, rsa.path);
      expect(certificate.signatureAlgorithm).toBe(algorithm);
    }
    expect(() => certify(["-t", "ssh-rsa", "-n", "alice"], subject.path, rsa.path)).toThrow(
      "certificates signed with ssh-rsa are not supported",
    );
  });

  it.each(["ed25519", "ecdsa"] as const)("by an authority in an authenticator of type %s, touched or not", (type) => {
    const securityKey = new SoftwareSecurityKey(type);
    for (const flags of [0, 1, 5]) {
      const sign = (data: Buffer) => securityKey.sign(data, { flags });
      const blob = craftCertificate({ key: PKey.fromString(subject.publicText), authority: securityKey.key, sign });
      const key = PKey.fromBlob(blob);
      const file = join(directory, "by-security-key.pub");
      writeFileSync(file, `${key.toPublicString()}\n`);
      expect(listing(key)).toBe(listed(file));
      expect(key.certificate?.signatureAlgorithm).toBe(securityKey.key.keyType);
    }
  });

  it("for users and for hosts", () => {
    expect(certify(["-n", "alice"]).certificate.type).toBe("user");
    expect(certify(["-h", "-n", "host.example"]).certificate.type).toBe("host");
  });

  it.each([
    { principals: [], expected: [] },
    { principals: ["alice"], expected: ["alice"] },
    { principals: ["bob", "alice", "Zoë", "a b"], expected: ["bob", "alice", "Zoë", "a b"] },
    {
      principals: Array.from({ length: 256 }, (_, index) => `user${index}`),
      expected: Array.from({ length: 256 }, (_, index) => `user${index}`),
    },
  ])("principals $principals.length", ({ principals, expected }) => {
    const { certificate } = certify(principals.length === 0 ? [] : ["-n", principals.join(",")]);
    expect(certificate.validPrincipals).toEqual(expected);
  });

  it.each([0n, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n])("serial %s", (serial) => {
    expect(certify(["-n", "alice", "-z", `${serial}`]).certificate.serial).toBe(serial);
  });

  it.each([
    ["always:forever", 0n, 2n ** 64n - 1n],
    ["20200229Z:20380119031408Z", 1582934400n, 2147483648n],
    ["20200229120000Z:forever", 1582977600n, 2n ** 64n - 1n],
    ["always:20991231Z", 0n, 4102358400n],
    ["0x1:0x7fffffffff", 1n, 0x7fffffffffn],
  ] as const)("valid %s", (range, after, before) => {
    const { certificate } = certify(["-n", "alice", "-V", range]);
    expect(certificate.validAfter).toBe(after);
    expect(certificate.validBefore).toBe(before);
    expect(certificate.validAfterDate?.getTime()).toBe(after === 0n ? undefined : Number(after) * 1000);
    expect(certificate.validBeforeDate?.getTime()).toBe(before === 2n ** 64n - 1n ? undefined : Number(before) * 1000);
  });

  it("a key ID is any text", () => {
    for (const keyId of ["", "Zoë’s laptop", "x".repeat(1000), 'a "quoted" one']) {
      const args = ["-q", "-s", authority.path, "-I", keyId, "-n", "alice", `${subject.path}.pub`];
      run("ssh-keygen", args);
      const key = PKey.fromString(readFileSync(`${subject.path}-cert.pub`, "utf8"));
      expect(key.certificate?.keyId).toBe(keyId);
    }
  });

  const PERMITS = [
    "permit-X11-forwarding",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
  ];

  it("a user has every permit by default, and none after clear", () => {
    const all = certify(["-n", "alice"]).certificate;
    expect([...all.extensions.keys()]).toEqual(PERMITS);
    expect(all).toMatchObject({ permitX11Forwarding: true, permitAgentForwarding: true, permitUserRc: true });
    expect(all).toMatchObject({ permitPortForwarding: true, permitPty: true, noTouchRequired: false });
    const none = certify(["-n", "alice", "-O", "clear"]).certificate;
    expect([...none.extensions.keys()]).toEqual([]);
    expect(none).toMatchObject({ permitX11Forwarding: false, permitAgentForwarding: false, permitUserRc: false });
    expect(none).toMatchObject({ permitPortForwarding: false, permitPty: false, noTouchRequired: false });
  });

  it.each([
    ["permit-X11-forwarding", "permitX11Forwarding"],
    ["permit-agent-forwarding", "permitAgentForwarding"],
    ["permit-port-forwarding", "permitPortForwarding"],
    ["permit-pty", "permitPty"],
    ["permit-user-rc", "permitUserRc"],
    ["no-touch-required", "noTouchRequired"],
  ] as const)("%s alone", (option, property) => {
    const { certificate } = certify(["-n", "alice", "-O", "clear", "-O", option]);
    const properties = ["permitX11Forwarding", "permitAgentForwarding", "permitPortForwarding", "permitPty"] as const;
    for (const name of [...properties, "permitUserRc", "noTouchRequired"] as const) {
      expect(certificate[name], name).toBe(name === property);
    }
  });

  it.each(["no-x11-forwarding", "no-agent-forwarding", "no-port-forwarding", "no-pty", "no-user-rc"])(
    "all but %s",
    (option) => {
      const { certificate } = certify(["-n", "alice", "-O", option]);
      const permit = option.replace(/^no-/, "permit-").toLowerCase();
      expect([...certificate.extensions.keys()].map((name) => name.toLowerCase())).toEqual(
        PERMITS.map((name) => name.toLowerCase()).filter((name) => name !== permit),
      );
    },
  );

  it("critical options", () => {
    const options = [
      "force-command=/bin/date -u  ",
      "source-address=10.0.0.0/8,2001:db8::/32,192.0.2.1",
      "verify-required",
    ];
    const { certificate } = certify(["-n", "alice", ...options.flatMap((option) => ["-O", option])]);
    expect(certificate.forceCommand).toBe("/bin/date -u  ");
    expect(certificate.sourceAddress).toBe("10.0.0.0/8,2001:db8::/32,192.0.2.1");
    expect(certificate.verifyRequired).toBe(true);
    expect(certificate.unknownCriticalOptions).toEqual([]);
    const without = certify(["-n", "alice"]).certificate;
    expect(without).toMatchObject({ forceCommand: undefined, sourceAddress: undefined, verifyRequired: false });
  });

  it("options of others", () => {
    const options = [
      "critical:zz@example=yes",
      "critical:aa@example",
      "extension:login@example=x",
      "extension:mm@example",
    ];
    const { certificate } = certify(["-n", "alice", ...options.flatMap((option) => ["-O", option])]);
    expect(certificate.unknownCriticalOptions).toEqual(["aa@example", "zz@example"]);
    expect(certificate.criticalOptions.get("zz@example")).toEqual(Buffer.from("\0\0\0\x03yes"));
    expect(certificate.extensions.get("login@example")).toEqual(Buffer.from("\0\0\0\x01x"));
    expect(certificate.extensions.get("mm@example")).toEqual(Buffer.alloc(0));
  });

  it("an option means something only in its own list", () => {
    const options = ["critical:permit-pty", "extension:force-command=ls", "extension:verify-required"];
    const { certificate } = certify(["-n", "a", "-O", "clear", ...options.flatMap((option) => ["-O", option])]);
    expect(certificate.unknownCriticalOptions).toEqual(["permit-pty"]);
    expect(certificate).toMatchObject({ permitPty: false, forceCommand: undefined, verifyRequired: false });
  });
});

describe("signatures of certified keys", needs("ssh-keygen"), () => {
  const DATA = Buffer.from("what is signed");

  it.each(subjects.filter((candidate) => "privateText" in candidate))("$keyType", (candidate) => {
    const { key } = certify(["-n", "alice"], candidate.path);
    const plain = PKey.fromString(readFileSync(candidate.path, "utf8"));
    expect(key.signatureAlgorithms).toHaveLength(plain.signatureAlgorithms.length);
    plain.signatureAlgorithms.forEach((algorithm, index) => {
      const certified = key.signatureAlgorithms[index] ?? "";
      expect(certified).toBe(`${algorithm}-cert-v01@openssh.com`);
      const signature = plain.sign(DATA, algorithm);
      expect(key.verify(DATA, signature, certified)).toBe(true);
      expect(key.verifySignature(DATA, signature, certified)).toEqual({ algorithm });
      expect(key.verify(DATA, signature)).toBe(true);
      // Neither the key's own name in the request nor the certificate's name in the signature.
      expect(key.verify(DATA, signature, algorithm)).toBe(false);
      expect(plain.verify(DATA, signature, certified)).toBe(false);
      const named = Buffer.from(signature.toString("latin1").replace(algorithm, certified), "latin1");
      named.writeUInt32BE(certified.length, 0);
      expect(key.verify(DATA, named)).toBe(false);
      expect(key.verify(DATA, named, certified)).toBe(false);
      for (const other of key.signatureAlgorithms.filter((name) => name !== certified)) {
        expect(key.verify(DATA, signature, other)).toBe(false);
      }
    });
    expect(key.verify(DATA, plain.sign(DATA), key.keyType)).toBe(candidate.keyType !== "ssh-rsa");
  });

  it.each(["ed25519", "ecdsa"] as const)("a security key of type %s", (type) => {
    const securityKey = new SoftwareSecurityKey(type);
    const path = join(directory, `signing-sk-${type}`);
    writeFileSync(`${path}.pub`, `${securityKey.key.toPublicString()}\n`);
    const { key } = certify(["-n", "alice"], path);
    const [algorithm = ""] = key.signatureAlgorithms;
    expect(key.signatureAlgorithms).toEqual([key.keyType]);
    expect(key.verify(DATA, securityKey.sign(DATA), algorithm)).toBe(true);
    expect(key.verify(DATA, securityKey.sign(DATA, { flags: 0 }), algorithm)).toBe(false);
    expect(key.verify(DATA, securityKey.sign(DATA, { algorithm }), algorithm)).toBe(false);
    expect(key.verifySignature(DATA, securityKey.sign(DATA, { flags: 4, counter: 7 }), algorithm)).toEqual({
      algorithm: securityKey.key.keyType,
      securityKey: { counter: 7, userPresent: false, userVerified: true },
    });
  });
});
