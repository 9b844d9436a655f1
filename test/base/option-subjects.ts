import { duplexPair } from "node:stream";
import { certificateProblem, PKey } from "../../src/crypto/index.js";
import * as spindlex from "../../src/index.js";
import { MemoryFileSystem, SSHServer } from "../../src/index.js";

/** Something public that takes options, and what must not be given to it. */
export interface OptionSubject {
  readonly name: string;
  /** Where the options are part of others: the name of that option. */
  readonly within?: string;
  /** Whether it can do without options. */
  readonly optional?: true;
  /** What is no object and right all the same. */
  readonly shorthands?: readonly unknown[];
  call(options: never): unknown;
  /** Options that are right. */
  readonly valid: Readonly<Record<string, unknown>>;
  /** Every option that there is, each with values that are not right. */
  readonly wrong: Readonly<Record<string, readonly unknown[]>>;
  /** Options that have to be given. */
  readonly required?: readonly string[];
  /** Options that exclude another one. */
  readonly instead?: Readonly<Record<string, string>>;
}

const nothing = () => undefined;
const notText = [5, true, {}, [], nothing];
const notNumber = ["5", true, {}, [], nothing, Number.NaN, -1];
const notFunction = ["text", 5, true, {}, []];
const notFlag = ["no", 0, {}];
const notObject = ["text", 5, true, [], nothing];
const notLogger = ["pino", 5, {}, [], nothing, { debug: nothing }];
const notChoice = ["maybe", "", 1, true, {}, []];
const notNetworks = ["10.0.0.0/33", "example.com", 5, {}, [5], nothing];

export const FILES = MemoryFileSystem.from({ "/file": "hello" });
export const NOT_FILE_SYSTEMS = ["/srv", 5, true, [], nothing, {}, new Map(), Promise.resolve(FILES), { open: true }];
const access = {
  checkFileAccess: () => true,
  checkDirectoryAccess: () => true,
  getFilePermissions: nothing,
  getDirectoryPermissions: nothing,
};
const { checkFileAccess } = access;
const notPolicy = ["rw", 5, {}, [], nothing, { checkFileAccess }, { ...access, getFilePermissions: 0o600 }];
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const key = PKey.generate({ keyType: "ed25519" });
const keyText = key.toOpenSSH();
const authority = PKey.generate({ keyType: "ed25519" });
const { certificate } = authority.signCertificate({ publicKey: key, type: "user", keyId: "id", principals: ["ann"] });
if (certificate === undefined) throw new Error("what was signed is not a certificate");
const notKey = ["ssh-ed25519 AAAA", 5, true, {}, [], nothing];

const fileServer = {
  valid: { fileSystem: FILES, startDirectory: "/", access, logger },
  wrong: {
    rootPath: [...notText, "", "a\0b"],
    fileSystem: NOT_FILE_SYSTEMS,
    startDirectory: [...notText, "a\0b"],
    access: notPolicy,
    logger: notLogger,
  },
  required: ["fileSystem"],
  instead: { rootPath: "fileSystem" },
};

const fileOptions = {
  logger: notLogger,
  maximumFileSize: [...notNumber, 0, 1.5],
  strictModes: notChoice,
};
const lineOptions = { ...fileOptions, owner: notFunction, permitUserEnvironment: notChoice };
const validFileOptions = { logger, maximumFileSize: 1000, strictModes: "on" };
const validLineOptions = { ...validFileOptions, owner: nothing, permitUserEnvironment: "no" };
const source = {
  within: "source",
  valid: { file: "/nonexistent/%u" },
  wrong: { file: [5, true, {}, ""] },
  required: ["file"],
};

const manager = { serverInterface: new SSHServer(), serverKey: key };
const makeManager = (options: object) => new spindlex.SSHServerManager({ ...manager, ...options });
const nested = (name: string, valid: Record<string, unknown>, wrong: Record<string, readonly unknown[]>) => ({
  name: "SSHServerManager",
  within: name,
  call: (options: unknown) => makeManager({ [name]: options }),
  valid,
  wrong,
});

const permissions = {
  valid: { pty: false, permitOpen: [[{ host: "db", port: 5432 }]], environment: { LANG: "C" } },
  wrong: {
    pty: notFlag,
    portForwarding: notFlag,
    agentForwarding: notFlag,
    x11Forwarding: notFlag,
    userRc: notFlag,
    forceCommand: notText,
    permitOpen: ["db:5432", {}, [[{ host: "db" }]], [[{ host: "db", port: "5432" }]]],
    permitListen: ["8080", {}, [[{ port: 8080 }]]],
    environment: ["LANG=C", { LANG: 5 }],
  },
};

export const OPTION_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "SFTPServer",
    call: (options) => new spindlex.SFTPServer(duplexPair()[0], options),
    ...fileServer,
    valid: { ...fileServer.valid, maxOpenHandles: 1, deniedRequests: ["write"] },
    wrong: {
      ...fileServer.wrong,
      maxOpenHandles: [...notNumber, 0, 1.5],
      deniedRequests: ["write", 5, {}, nothing, [5], ["delete"]],
    },
  },
  {
    name: "SCPServer",
    call: (options) =>
      new spindlex.SCPServer(
        duplexPair()[0],
        { role: "source", path: "/file", recursive: false, preserveTimes: false, targetIsDirectory: false } as never,
        options,
      ),
    ...fileServer,
  },
  {
    name: "MemoryFileSystem",
    call: (options) => new MemoryFileSystem(options),
    optional: true,
    valid: { quota: 1000 },
    wrong: { quota: [...notNumber, 1.5] },
  },
  {
    name: "MemoryFileSystem.from",
    call: (options) => MemoryFileSystem.from({}, options),
    optional: true,
    valid: { quota: 1000 },
    wrong: { quota: [...notNumber, 1.5] },
  },
  {
    name: "audit",
    call: (options) => spindlex.audit(FILES, options),
    valid: { record: nothing, user: "ann" },
    wrong: { record: notFunction, user: notText },
    required: ["record"],
  },
  {
    name: "quota",
    call: (options) => spindlex.quota(FILES, options),
    valid: { bytes: 1000, used: 5 },
    wrong: { bytes: [...notNumber, 1.5], used: [...notNumber, 1.5] },
    required: ["bytes"],
  },
  {
    name: "SSHServer",
    call: (options) => new SSHServer(options),
    optional: true,
    valid: { authentication: {} },
    wrong: { authentication: notObject },
  },
  {
    name: "SSHServer",
    within: "authentication",
    call: (authentication) => new SSHServer({ authentication }),
    optional: true,
    valid: { publicKey: nothing, permissions: { pty: false } },
    wrong: {
      publicKey: notFunction,
      password: notFunction,
      keyboardInteractive: notFunction,
      methods: notFunction,
      revokedKeys: notFunction,
      permissions: notObject,
    },
  },
  {
    name: "SSHServer",
    within: "authentication.permissions",
    call: (options) => new SSHServer({ authentication: { permissions: options } }),
    optional: true,
    ...permissions,
  },
  {
    name: "Grant",
    call: (options) => new spindlex.Grant(options),
    optional: true,
    valid: { result: 0, permissions: {}, authority: key, touch: "optional", verification: "required" },
    wrong: {
      result: [3, true, "0", {}],
      permissions: notObject,
      authority: notKey,
      touch: notChoice,
      verification: notChoice,
    },
  },
  {
    name: "Grant",
    within: "permissions",
    call: (options) => new spindlex.Grant({ permissions: options }),
    optional: true,
    ...permissions,
  },
  {
    name: "SSHServerManager",
    call: (options) => new spindlex.SSHServerManager(options),
    valid: manager,
    wrong: {
      serverInterface: [...notObject, {}, SSHServer],
      serverKey: notKey,
      serverKeys: [...notObject.filter((value) => !Array.isArray(value)), [], [key, key], [{}]],
      announceHostKeys: notFlag,
      bindAddress: [...notText, ""],
      port: [...notNumber, 65_536, 1.5],
      algorithms: notObject,
      logger: notLogger,
      maxAuthTries: [...notNumber, 0],
      authFailureDelay: notNumber,
      maxChannels: [...notNumber, 0],
      maxWindowSize: [...notNumber, 0],
      clientAliveInterval: notNumber,
      clientAliveCountMax: [...notNumber, 1.5],
      rekeyLimit: notObject,
      maxStartups: ["10:30:100", true, [], nothing],
      perSourceMaxStartups: [...notNumber, 1.5],
      perSourceMaxConnections: [...notNumber, 1.5],
      perSourceNetBlockSize: notObject,
      perSourcePenalties: notObject,
      perSourcePenaltyExemptList: notNetworks,
      allowFrom: [...notNetworks, ""],
      denyFrom: notNetworks,
      proxyProtocol: notObject,
      maxConnectionsPerUser: [...notNumber, 1.5],
      sessionTimeout: notNumber,
      idleTimeout: notNumber,
      unusedConnectionTimeout: notNumber,
      maxSessions: [...notNumber, 1.5],
    },
    required: ["serverInterface", "serverKey"],
    instead: { serverKeys: "serverKey" },
  },
  {
    ...nested("algorithms", { cipher: ["aes256-ctr"] }, {}),
    shorthands: ["default", "hardened"],
    optional: true,
    wrong: Object.fromEntries(
      ["kex", "hostKey", "cipher", "mac", "compression", "publicKey", "caSignature"].map((kind) => [
        kind,
        ["aes256-ctr", 5, {}, [], [5], ["3des-cbc"]],
      ]),
    ),
  },
  {
    ...nested("rekeyLimit", { bytes: 2 ** 20 }, { bytes: [...notNumber, 0], seconds: [...notNumber, 0] }),
    optional: true,
  },
  {
    ...nested(
      "maxStartups",
      { start: 5, rate: 10, full: 20 },
      { start: [...notNumber, 0], rate: [...notNumber, 101], full: [...notNumber, 4] },
    ),
    shorthands: [5, false],
    optional: true,
  },
  {
    ...nested("perSourceNetBlockSize", { ipv4: 24 }, { ipv4: [...notNumber, 33], ipv6: [...notNumber, 129] }),
    optional: true,
  },
  {
    ...nested(
      "perSourcePenalties",
      { crash: 5, overflow: "deny-all" },
      {
        crash: notNumber,
        authFail: notNumber,
        invalidUser: notNumber,
        noAuth: notNumber,
        graceExceeded: notNumber,
        refuseConnection: notNumber,
        max: notNumber,
        min: notNumber,
        maxSources4: [...notNumber, 0],
        maxSources6: [...notNumber, 0],
        overflow: notChoice,
        overflow6: notChoice,
      },
    ),
    shorthands: [false],
    optional: true,
  },
  {
    ...nested("proxyProtocol", { from: "10.0.0.1" }, { from: notNetworks, timeout: [...notNumber, 0] }),
    optional: true,
    required: ["from"],
  },
  {
    name: "SSHServerManager.stopServer",
    call: (options) => makeManager({}).stopServer(options),
    optional: true,
    valid: { gracePeriod: 1 },
    wrong: { gracePeriod: notNumber },
  },
  {
    name: "SSHServerManager.handleConnection",
    within: "info",
    call: async (info) => {
      await using open = makeManager({});
      open.handleConnection(duplexPair()[0], info);
    },
    optional: true,
    valid: { remoteAddress: "192.0.2.1", remotePort: 5 },
    wrong: {
      remoteAddress: notText,
      remotePort: [...notNumber, 65_536, 1.5],
      localAddress: notText,
      localPort: [...notNumber, 65_536, 1.5],
    },
  },
  {
    name: "authorizedKeys",
    call: (options) => spindlex.authorizedKeys("", options),
    optional: true,
    valid: validLineOptions,
    wrong: lineOptions,
  },
  { name: "authorizedKeys", call: (options) => spindlex.authorizedKeys(options), shorthands: ["", nothing], ...source },
  {
    name: "trustedUserCAs",
    call: (options) => spindlex.trustedUserCAs([key], options),
    optional: true,
    valid: { ...validLineOptions, principals: nothing },
    wrong: { ...lineOptions, principals: ["ann", 5, ["ann"]] },
  },
  {
    name: "trustedUserCAs",
    call: (options) => spindlex.trustedUserCAs(options),
    shorthands: ["", nothing, []],
    ...source,
  },
  {
    name: "trustedUserCAs",
    call: (principals) => spindlex.trustedUserCAs([key], { principals }),
    shorthands: [nothing],
    optional: true,
    ...source,
    within: "principals",
  },
  {
    name: "passwordFile",
    call: (options) => spindlex.passwordFile(new Map(), options),
    optional: true,
    valid: validFileOptions,
    wrong: { ...fileOptions, example: [...notText, "secret"] },
  },
  {
    name: "passwordFile",
    call: (options) => spindlex.passwordFile(options),
    shorthands: ["", nothing],
    ...source,
  },
  {
    name: "revokedKeys",
    call: (options) => spindlex.revokedKeys("", options),
    optional: true,
    valid: validFileOptions,
    wrong: fileOptions,
  },
  { name: "revokedKeys", call: (options) => spindlex.revokedKeys(options), shorthands: ["", nothing], ...source },
  {
    name: "totp",
    call: (options) => spindlex.totp(new Map(), options),
    optional: true,
    valid: { ...validFileOptions, digits: 8, window: 2 },
    wrong: {
      ...fileOptions,
      algorithm: notChoice,
      digits: [...notNumber, 5, 6.5],
      period: [...notNumber, 14],
      window: [...notNumber, 3],
    },
  },
  { name: "totp", call: (options) => spindlex.totp(options), shorthands: ["", nothing], ...source },
  {
    name: "newTotpSecret",
    call: (options) => spindlex.newTotpSecret(options),
    optional: true,
    valid: { algorithm: "sha256" },
    wrong: { algorithm: notChoice },
  },
  {
    name: "otpauthUri",
    call: (options) => spindlex.otpauthUri(options),
    valid: { issuer: "example", username: "ann", secret: spindlex.newTotpSecret() },
    wrong: {
      issuer: [...notText, "", "a:b"],
      username: [...notText, "", "a:b"],
      secret: [...notText, "", "geheim!"],
      algorithm: notChoice,
      digits: notNumber,
      period: notNumber,
    },
    required: ["issuer", "username", "secret"],
  },
  {
    name: "PKey.generate",
    call: (options) => PKey.generate(options),
    valid: { keyType: "ecdsa", bits: 384 },
    wrong: { keyType: [...notChoice, "Ed25519"], bits: [...notNumber, 100] },
    required: ["keyType"],
  },
  {
    name: "PKey.fromString",
    call: (options) => PKey.fromString(keyText, options),
    optional: true,
    valid: { passphrase: "secret" },
    wrong: { passphrase: notText },
  },
  {
    name: "PKey.fromFile",
    call: (options) => PKey.fromFile(`${import.meta.dirname}/../../package.json`, options),
    optional: true,
    valid: {},
    wrong: { passphrase: notText },
  },
  {
    name: "PKey.toOpenSSH",
    call: (options) => key.toOpenSSH(options),
    optional: true,
    valid: { comment: "ann@host" },
    wrong: {
      passphrase: [...notText, ""],
      comment: [...notText, "a\nb"],
      rounds: [...notNumber, 15, 16.5, 1025],
    },
  },
  {
    name: "PKey.writeFile",
    call: (options) => key.publicKey.writeFile("/nonexistent/key", options),
    optional: true,
    valid: {},
    wrong: {
      passphrase: [...notText, ""],
      comment: [...notText, "a\nb"],
      rounds: notNumber,
      existing: [...notChoice, "overwrite"],
    },
  },
  {
    name: "PKey.toPublicString",
    call: (options) => key.toPublicString(options),
    optional: true,
    valid: { comment: "ann@host" },
    wrong: { comment: [...notText, "a\nb"] },
  },
  {
    name: "PKey.signCertificate",
    call: (options) => authority.signCertificate(options),
    valid: { publicKey: key, type: "user", keyId: "id", principals: ["ann"] },
    wrong: {
      publicKey: notKey,
      type: notChoice,
      keyId: notText,
      serial: notNumber,
      principals: ["ann", 5, {}, [], [""], [5]],
      validAfter: [5, "2030-01-01", new Date(Number.NaN)],
      validBefore: [5, "2030-01-01", new Date(0)],
      criticalOptions: notObject,
      extensions: [...notObject, { "permit-pty": true }],
      signatureAlgorithm: notText,
    },
    required: ["publicKey", "type", "keyId", "principals"],
  },
  {
    name: "certificateProblem",
    call: (use) => certificateProblem(certificate, use),
    valid: { type: "user", now: new Date() },
    wrong: {
      type: notChoice,
      now: [5, "2030-01-01", {}],
      allowedSignatureAlgorithms: ["ssh-ed25519", 5, {}],
    },
    required: ["type", "now"],
  },
];

/** What is exported and takes no options. */
export const WITHOUT_OPTIONS = [
  "Channel",
  "ConfigurationError",
  "KeyError",
  "LinkInPathError",
  "LocalFileSystem",
  "PromptAbortedError",
  "ProtocolError",
  "RevocationList",
  "SFTPError",
  "UserFileError",
  "anyOf",
  "hashPassword",
  "mount",
  "parseSCPCommand",
  "readOnly",
  "require",
];
