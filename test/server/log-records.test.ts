import { describe, expect, it } from "vitest";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { DisconnectReason } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { endRecord, loginRecord, refusalRecord, streamErrorRecord } from "../../src/server/log-records.js";

const key = PKey.generate({ keyType: "ed25519" });
const authority = PKey.generate({ keyType: "ecdsa" });
const identity = {
  username: "ann",
  methods: [],
  publicKeys: [],
  securityKeys: [],
  permissions: ALL_PERMISSIONS,
  data: undefined,
};

describe("loginRecord", () => {
  it("names the methods, and keys only where there are some", () => {
    expect(loginRecord({ ...identity, methods: ["password"] })).toEqual({ methods: ["password"] });
    expect(loginRecord({ ...identity, methods: ["publickey"], publicKeys: [key] })).toEqual({
      methods: ["publickey"],
      keys: [{ keyType: "ssh-ed25519", fingerprint: key.fingerprint() }],
    });
  });

  it("tells of a certificate by what it can be revoked, in what JSON can hold", () => {
    const described = { publicKey: key, type: "user", keyId: "ann@laptop", principals: ["ann"] } as const;
    const certificate = authority.signCertificate({ ...described, serial: 2n ** 64n - 1n });
    const record = loginRecord({ ...identity, publicKeys: [certificate] });
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      methods: [],
      keys: [
        {
          keyType: "ssh-ed25519-cert-v01@openssh.com",
          fingerprint: key.fingerprint(),
          keyId: "ann@laptop",
          serial: "18446744073709551615",
          authority: authority.fingerprint(),
        },
      ],
    });
  });
});

describe("endRecord", () => {
  it("has the fields that are known, and no others", () => {
    const cause = "the client has gone";
    const error = new Error("reset");
    expect(Object.entries(endRecord({ kind: "left", cause }))).toEqual([["cause", cause]]);
    expect(endRecord({ kind: "left", cause, reason: 11, description: "", error })).toEqual({
      cause,
      reason: 11,
      description: "",
      err: error,
    });
    const violation = { kind: "violated", cause, reason: DisconnectReason.PROTOCOL_ERROR } as const;
    const plain = endRecord({ ...violation, error: new ProtocolError("odd") });
    expect(Object.keys(plain)).toEqual(["cause", "reason"]);
  });
});

describe("streamErrorRecord", () => {
  it("has the code and the message of an error of the system, which happens every day, and any other error with its stack", () => {
    const lost = Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" });
    expect(streamErrorRecord(lost)).toEqual({ code: "EPIPE", error: "write EPIPE" });
    for (const error of [new Error("the tunnel fails"), Object.assign(new Error("odd"), { code: "ERR_ODD" })]) {
      expect(streamErrorRecord(error)).toEqual({ err: error });
    }
    expect(streamErrorRecord(undefined)).toEqual({});
  });
});

describe("refusalRecord", () => {
  const refusal = { username: "ann", method: "publickey", reason: "the key is not accepted" };

  it("names the key, where one was offered", () => {
    expect(refusalRecord(refusal)).toEqual(refusal);
    expect(refusalRecord({ ...refusal, offeredKey: key })).toEqual({
      ...refusal,
      key: { keyType: "ssh-ed25519", fingerprint: key.fingerprint() },
    });
  });

  it("keeps what the client says short", () => {
    const long = "x".repeat(100_000);
    const offeredKey = authority.signCertificate({ publicKey: key, type: "user", keyId: long, principals: ["ann"] });
    const record = refusalRecord({ ...refusal, username: long, method: long, offeredKey });
    expect(record).toMatchObject({ key: { serial: "0", authority: authority.fingerprint() } });
    expect(JSON.stringify(record).length).toBeLessThan(2000);
  });
});
