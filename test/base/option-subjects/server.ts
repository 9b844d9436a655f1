import { duplexPair } from "node:stream";
import * as spindlex from "../../../src/index.js";
import { SSHServer } from "../../../src/index.js";
import {
  key,
  notChoice,
  notFlag,
  notFunction,
  nothing,
  notKey,
  notLogger,
  notNetworks,
  notNumber,
  notObject,
  notText,
  type OptionSubject,
} from "./values.js";

const manager = { serverInterface: new SSHServer(), serverKey: key };

const makeManager = (options: object) => new spindlex.SSHServerManager({ ...manager, ...options });

const notSessions = {
  session: notFunction,
  sftp: [5, true, "", {}, []],
  middleware: [5, "text", {}, nothing, [5], ["text"]],
};

const notGeneral = {
  announceHostKeys: notFlag,
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
};

const nested = (name: string, valid: Record<string, unknown>, wrong: Record<string, readonly unknown[]>) => ({
  name: "SSHServerManager",
  within: name,
  call: (options: unknown) => makeManager({ [name]: options }),
  valid,
  wrong,
});

const declarations = {
  valid: { hostKey: key, authentication: {}, session: nothing, logger: false },
  wrong: {
    hostKey: [...notText, "", [], [5]],
    authentication: notObject,
    forwarding: notObject,
    ...notSessions,
    ...notGeneral,
  },
  notUndefined: ["allowFrom", "denyFrom"],
};

const managerOptions = {
  valid: { ...manager, logger: false },
  wrong: {
    serverInterface: [...notObject, {}, SSHServer],
    serverKey: notKey,
    serverKeys: [...notObject.filter((value) => !Array.isArray(value)), [], [key, key], [{}]],
    bindAddress: [...notText, ""],
    port: [...notNumber, 65_536, 1.5],
    listen: ["127.0.0.1:22", 22, true, [], [5], nothing],
    ...notGeneral,
  },
  required: ["serverInterface", "serverKey"],
  notUndefined: ["allowFrom", "denyFrom"],
  instead: { serverKeys: "serverKey" },
};

const drain = { optional: true, valid: { deadline: 1 }, wrong: { deadline: [...notNumber, 0] } } as const;

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

const UNPREPARED = new Error("no worker is started");

export const SERVER_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "SSHServer",
    call: (options) => new SSHServer(options),
    optional: true,
    valid: { authentication: {}, forwarding: {}, session: nothing, sftp: "/srv", middleware: [nothing] },
    wrong: { authentication: notObject, forwarding: notObject, ...notSessions },
  },
  { name: "createServer", call: (options) => spindlex.createServer(options), ...declarations, required: ["hostKey"] },
  {
    name: "createServer.reload",
    call: (options) => spindlex.createServer({ hostKey: key, logger: false }).reload(options),
    ...declarations,
    optional: true,
  },
  {
    name: "createServer.listen",
    call: async (options) => {
      const server = spindlex.createServer({ hostKey: key, logger: false });
      await server.listen(0, "127.0.0.1", options);
      await server.close();
    },
    optional: true,
    valid: { signal: new AbortController().signal },
    wrong: { signal: [5, "text", {}, []] },
  },
  {
    name: "createServer.stopListening",
    call: (options) => spindlex.createServer({ hostKey: key, logger: false }).stopListening(options),
    ...drain,
  },
  {
    name: "createServer.close",
    call: (options) => spindlex.createServer({ hostKey: key, logger: false }).close(options),
    optional: true,
    valid: { grace: 1 },
    wrong: { grace: [...notNumber, 3601] },
  },
  {
    name: "serveWithWorkers",
    // Options that are right come as far as what is run before the first worker.
    call: (options) =>
      spindlex.serveWithWorkers(options).catch((error: unknown) => {
        if (error !== UNPREPARED) throw error;
      }),
    valid: { workers: 2, start: nothing, prepare: () => Promise.reject(UNPREPARED), logger: false },
    wrong: {
      workers: ["2", true, {}, [], nothing, 0, -1, 1.5, 1025],
      start: notFunction,
      prepare: notFunction,
      logger: notLogger,
      drainTime: notNumber,
      startTime: [...notNumber, 0],
      unresponsiveAfter: [...notNumber, 0],
      minUptime: notNumber,
      maxCrashes: [...notNumber, 0, 1.5],
    },
    required: ["workers", "start"],
  },
  {
    name: "SSHServer",
    within: "forwarding",
    call: (forwarding) => new SSHServer({ forwarding }),
    optional: true,
    valid: { local: nothing, remote: nothing, agent: true, x11: nothing, lookup: nothing, connectTimeout: false },
    wrong: {
      local: notFunction,
      remote: notFunction,
      agent: ["yes", 1, {}, []],
      x11: ["yes", 1, {}, []],
      lookup: notFunction,
      connectTimeout: [...notNumber, 0],
      gatewayPorts: notChoice,
      privilegedPorts: notFlag,
      socketRoots: ["/run", 5, {}, [5], ["relative"]],
      socketBindMask: [...notNumber, 0o1000, 1.5],
      socketBindUnlink: notFlag,
      maxListeners: [...notNumber, 0, 1.5],
      maxListenersPerServer: [...notNumber, 0, 1.5],
      maxPendingConnections: [...notNumber, 0, 1.5],
      maxPendingConnectionsPerServer: [...notNumber, 0, 1.5],
      maxForwardedConnections: [...notNumber, 0, 1.5],
      maxForwardedConnectionsPerServer: [...notNumber, 0, 1.5],
    },
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
      none: notFunction,
      keyboardInteractive: notFunction,
      methods: notFunction,
      revokedKeys: notFunction,
      permissions: ["text", 5, true, []],
    },
    notUndefined: ["methods", "revokedKeys", "permissions"],
  },
  {
    name: "SSHServer",
    within: "authentication.permissions",
    call: (options) => new SSHServer({ authentication: { permissions: options } }),
    shorthands: [() => ({ pty: false })],
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
    notUndefined: ["permissions", "verification"],
  },
  {
    name: "Grant",
    within: "permissions",
    call: (options) => new spindlex.Grant({ permissions: options }),
    ...permissions,
  },
  { name: "SSHServerManager", call: (options) => new spindlex.SSHServerManager(options), ...managerOptions },
  { name: "SSHServerManager.reload", call: (options) => makeManager({}).reload(options), ...managerOptions },
  {
    ...nested("algorithms", { cipher: ["aes256-ctr"] }, {}),
    shorthands: ["default", "hardened"],
    optional: true,
    wrong: Object.fromEntries(
      ["kex", "hostKey", "cipher", "mac", "compression", "publicKey", "caSignature"].map((kind) => [
        kind,
        ["3des-cbc", 5, {}, [], [5], ["3des-cbc"]],
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
  { name: "SSHServerManager.stopListening", call: (options) => makeManager({}).stopListening(options), ...drain },
  {
    name: "systemdNotifier",
    call: (options) => spindlex.systemdNotifier(options),
    optional: true,
    valid: { logger: false },
    wrong: { logger: notLogger },
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
      const open = makeManager({ logger: false });
      try {
        open.handleConnection(duplexPair()[0], info);
      } finally {
        // Or it gives its client some seconds to take what was sent.
        await open.stopServer({ gracePeriod: 0 });
      }
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
];
