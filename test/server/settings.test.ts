import pino from "pino";
import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { ConfigurationError, SSHServer, SSHServerManager, type SSHServerManagerOptions } from "../../src/index.js";
import { resolveSettings } from "../../src/server/settings.js";

const serverInterface = new SSHServer();
const ed25519 = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa", bits: 256 });
const publicOnly = PKey.fromBlob(ed25519.publicBlob);
const valid: SSHServerManagerOptions = { serverInterface, serverKey: ed25519 };

/** The key with a certificate of its own making. */
function certified(type: "user" | "host"): PKey {
  const described = { publicKey: ed25519, type, keyId: "test", principals: ["127.0.0.1"] };
  return ed25519.withCertificate(ed25519.signCertificate(described));
}

/** The option that is to blame for these options, all of which are right but the given ones. */
function blamed(options: Record<string, unknown>): string | undefined {
  try {
    new SSHServerManager({ ...valid, ...options } as SSHServerManagerOptions);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).toMatch(/^[\w.]+: .+/);
    return error.option;
  }
}

/** A host key kept elsewhere. */
const remote = (publicBlob: Buffer) => ({
  keyType: "ssh-ed25519",
  publicBlob,
  signatureAlgorithms: ["ssh-ed25519"],
  sign: () => Buffer.alloc(0),
});

const wrongNumbers = [-1, Number.NaN, Number.POSITIVE_INFINITY, "10", {}, 1n];

describe("options that cannot be used are named", () => {
  it.each(["maxConection", "allowfrom", "denyfrom", "perSourcePenalty"])("one that does not exist: %s", (name) => {
    expect(blamed({ [name]: 1 })).toBe(name);
  });

  it.each<[what: string, value: unknown]>([
    ["none", undefined],
    ["null", null],
    ["any object", {}],
    ["a class", SSHServer],
  ])("serverInterface: %s", (_, value) => {
    expect(blamed({ serverInterface: value })).toBe("serverInterface");
  });

  it.each<[what: string, value: unknown]>([
    ["none", undefined],
    ["null", null],
    ["a text", "ssh-ed25519 AAAA"],
    ["a number", 5],
    ["an object", {}],
    ["a key without its private half", publicOnly],
    [
      "a key that says nothing of its signatures",
      { keyType: "x", publicBlob: Buffer.alloc(4), sign: () => Buffer.alloc(0) },
    ],
    ["a certificate for users", certified("user")],
    ["a certificate without its key", certified("host").publicKey],
    ["a key that cannot sign", { keyType: "x", publicBlob: Buffer.alloc(4), signatureAlgorithms: ["ssh-ed25519"] }],
  ])("serverKey: %s", (_, value) => {
    expect(blamed({ serverKey: value })).toBe("serverKey");
  });

  it.each<[what: string, value: unknown]>([
    ["empty", []],
    ["null", null],
    ["a number", 5],
    ["a text", "keys"],
    ["a key outside of a list", ed25519],
    ["with null in it", [null]],
    ["with a wrong one behind a right one", [ed25519, {}]],
    ["with a key without its private half", [ed25519, publicOnly]],
    ["with the same key twice", [ed25519, ecdsa, PKey.fromString(ed25519.toOpenSSH())]],
    ["with a key without a type", [ed25519, { ...remote(Buffer.from("key")), keyType: undefined }]],
    ["with more keys than can be announced", Array.from({ length: 900 }, (_, n) => remote(Buffer.alloc(32, `${n} `)))],
  ])("serverKeys: %s", (_, value) => {
    expect(blamed({ serverKey: undefined, serverKeys: value })).toBe("serverKeys");
  });

  it("a certificate for hosts does not count as one of them", () => {
    expect(blamed({ serverKey: certified("host") })).toBeUndefined();
  });

  it("a key that was not awaited is called a promise", () => {
    const options = { ...valid, serverKey: Promise.resolve(ed25519) as never };
    expect(() => new SSHServerManager(options)).toThrow("serverKey: must be a PKey or another HostKey, not a promise");
  });

  it("serverKeys beside serverKey", () => {
    expect(blamed({ serverKeys: [ecdsa] })).toBe("serverKeys");
  });

  it("a host key that the algorithms have no use for", () => {
    expect(blamed({ algorithms: { hostKey: ["ecdsa-sha2-nistp256"] } })).toBe("serverKey");
  });

  it.each([
    ["algorithms", "strong"],
    ["algorithms.ciphers", { ciphers: ["aes256-ctr"] }],
    ["algorithms.cipher", { cipher: ["3des-cbc"] }],
    ["algorithms.cipher", { cipher: [] }],
    ["algorithms.cipher", { cipher: "aes256" }],
    ["algorithms.kex", { kex: ["diffie-hellman-group1-sha1"] }],
    ["algorithms.mac", { mac: ["hmac-md5"] }],
    ["algorithms.hostKey", { hostKey: ["ssh-rsa"] }],
    ["algorithms.compression", { compression: ["zlib"] }],
  ])("%s: %j", (option, algorithms) => {
    expect(blamed({ algorithms })).toBe(option);
  });

  it.each<[option: string, ...values: unknown[]]>([
    ["port", 65_536, 1.5, ...wrongNumbers],
    ["maxAuthTries", 0, 1.5, ...wrongNumbers],
    ["authFailureDelay", 61, ...wrongNumbers],
    ["maxChannels", 0, 1.5, ...wrongNumbers],
    ["maxWindowSize", 0, 32 * 1024 - 1, 2 ** 32, 40_000.5, ...wrongNumbers],
    ["clientAliveInterval", 2 ** 31, ...wrongNumbers],
    ["clientAliveCountMax", 1.5, ...wrongNumbers],
  ])("%s", (option, ...values) => {
    for (const value of values) expect([value, blamed({ [option]: value })]).toEqual([value, option]);
  });

  it.each<[option: string, ...values: unknown[]]>([
    ["bytes", 0, 1000, 1e6 + 0.5, ...wrongNumbers],
    ["seconds", 0, 2 ** 31, ...wrongNumbers],
  ])("rekeyLimit.%s", (name, ...values) => {
    for (const value of values) {
      expect([value, blamed({ rekeyLimit: { [name]: value } })]).toEqual([value, `rekeyLimit.${name}`]);
    }
  });

  it.each([5, "1G"])("rekeyLimit: %j", (value) => {
    expect(blamed({ rekeyLimit: value })).toBe("rekeyLimit");
  });

  it.each(["no", 0, {}])("announceHostKeys: %j", (value) => {
    expect(blamed({ announceHostKeys: value })).toBe("announceHostKeys");
  });

  it.each(["", 5, {}])("bindAddress: %j", (value) => {
    expect(blamed({ bindAddress: value })).toBe("bindAddress");
  });

  it.each<[what: string, value: unknown]>([
    ["a function", () => {}],
    ["nothing in it", {}],
    ["one method missing", { debug: () => {}, info: () => {}, warn: () => {} }],
  ])("logger: %s", (_, value) => {
    expect(blamed({ logger: value })).toBe("logger");
  });
});

describe("methods whose names are not quite those of hooks", () => {
  it("are refused where only the form differs", () => {
    class Guide extends SSHServer {
      check_auth_password() {
        return 0;
      }
    }
    expect(blamed({ serverInterface: new Guide() })).toBe("serverInterface");
    const assigned = Object.assign(new SSHServer(), { checkAuthPublicKey: () => 0 });
    expect(blamed({ serverInterface: assigned })).toBe("serverInterface");
  });

  it("are logged where letters differ", () => {
    class Misspelled extends SSHServer {
      checkChanelExecRequest() {
        return true;
      }
    }
    const lines: unknown[] = [];
    const ignore = () => {};
    const logger = { debug: ignore, info: ignore, warn: (fields: object) => lines.push(fields), error: ignore };
    expect(blamed({ serverInterface: new Misspelled(), logger })).toBeUndefined();
    expect(lines).toEqual([{ method: "checkChanelExecRequest", hook: "checkChannelExecRequest" }]);
  });
});

describe("settings", () => {
  it("have the documented defaults", () => {
    expect(resolveSettings(valid)).toMatchObject({
      server: serverInterface,
      hostKeys: [ed25519],
      announcedHostKeys: [ed25519],
      maxAuthTries: 6,
      authFailureDelay: 1000,
      maxChannels: 64,
      maxWindowSize: 10 * 1024 * 1024,
      clientAliveInterval: Number.POSITIVE_INFINITY,
      clientAliveCountMax: 3,
      rekeyBytes: 1024 ** 3,
      rekeySeconds: 3600,
    });
  });

  it("keep several keys of a type in their order", () => {
    const serverKeys = [ed25519, ecdsa, PKey.generate({ keyType: "ed25519" })];
    const { hostKeys, announcedHostKeys } = resolveSettings({ serverInterface, serverKeys });
    expect([hostKeys, announcedHostKeys]).toEqual([serverKeys, serverKeys]);
  });

  it("announce only the host keys that can be used, or none", () => {
    const options = { serverInterface, serverKeys: [ed25519, ecdsa] };
    expect(resolveSettings({ ...options, algorithms: "hardened" }).announcedHostKeys).toEqual([ed25519]);
    expect(resolveSettings({ ...options, announceHostKeys: false }).announcedHostKeys).toEqual([]);
  });

  it("identify the server by its package's version", async () => {
    const { default: description } = await import("../../package.json", { with: { type: "json" } });
    expect(resolveSettings(valid).identification).toBe(`SSH-2.0-spindlex_${description.version}`);
  });

  it("log nothing unless a logger is given, which may be pino", () => {
    const { logger } = resolveSettings(valid);
    for (const level of ["debug", "info", "warn", "error"] as const) expect(logger[level]({}, "x")).toBe(undefined);
    const lines: string[] = [];
    const given = pino({ level: "warn" }, { write: (line) => lines.push(line) });
    const told = resolveSettings({ ...valid, logger: given }).logger;
    told.info({}, "nothing");
    told.warn({ port: 22 }, "said");
    expect(lines).toEqual([expect.stringContaining('"port":22,"msg":"said"')]);
  });

  it("take the limits of their ranges", () => {
    const limits = [
      {
        port: 0,
        maxAuthTries: 1,
        authFailureDelay: 0,
        maxChannels: 1,
        maxWindowSize: 32 * 1024,
        clientAliveCountMax: false,
      },
      { port: 65_535, maxAuthTries: 100, authFailureDelay: 60, maxChannels: 65_536, maxWindowSize: 2 ** 32 - 1 },
      { rekeyLimit: { bytes: 64 * 1024, seconds: 1 }, clientAliveInterval: 0.01 },
      { rekeyLimit: { bytes: Number.MAX_SAFE_INTEGER, seconds: 2_000_000 }, clientAliveInterval: 2_000_000 },
    ];
    for (const options of limits) expect(blamed(options)).toBe(undefined);
  });

  it("take several host keys", () => {
    expect(resolveSettings({ serverInterface, serverKeys: [ecdsa, ed25519] }).hostKeys).toEqual([ecdsa, ed25519]);
  });
});
