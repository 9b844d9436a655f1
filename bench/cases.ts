import type { Direction, Transfer } from "./measure/throughput.js";
import type { Unit } from "./results.js";
import type { SFTPOperation } from "./sftp-files.js";
import type { IdentityName } from "./workspace.js";

/** What the project promises for one figure: at most so much of it or, in MB/s, at least so much. */
export interface Target {
  /** Ours to sshd's, with the commands that it starts where these are measured. */
  readonly ratioToSshd?: number;
  readonly ratioToSsh2?: number;
  /** In the unit itself. */
  readonly value?: number;
}

export type Targets = { readonly [unit in Unit]?: Target };

/** A long path: what is sent arrives half of its round trip later, as much at once as anyone sends. */
export type Path = "loopback" | "100 ms";

export interface ThroughputCase {
  readonly kind: "throughput";
  readonly name: string;
  readonly transfer: Transfer;
  readonly cipher: string;
  readonly path: Path;
  readonly targets: Targets;
}

/** A connection of the client's, joined by the server to one of its own (`ssh -W`). */
export interface ForwardCase {
  readonly kind: "forward";
  readonly name: string;
  /** As for a command in the place of what the server connects to. */
  readonly direction: Direction;
  readonly path: Path;
  readonly targets: Targets;
}

export interface SFTPCase {
  readonly kind: "sftp";
  readonly name: string;
  readonly operation: SFTPOperation;
  /** Of the `sftp` client. */
  readonly clientOptions: readonly string[];
  /** Whether the server was started for this session alone, or has done the same before. */
  readonly server: "cold" | "warm";
  readonly path: Path;
  readonly targets: Targets;
}

/** A program of the server's machine that puts out data, or, with 0 bytes, only starts and ends. */
export interface ProgramCase {
  readonly kind: "program";
  readonly name: string;
  /** Whether the program runs on a terminal (`ssh -tt`), or on pipes. */
  readonly on: "terminal" | "pipes";
  readonly work: "output" | "start";
  readonly path: Path;
  readonly targets: Targets;
}

export interface ConnectCase {
  readonly kind: "connect";
  readonly name: string;
  readonly keyExchange: string;
  /** What the user logs in with: the ed25519 key where none is named. */
  readonly identity?: IdentityName;
  /** Each connects again as soon as its connection is over: with `--workers` it shows what handing connections over costs a server that is busy. */
  readonly clients: number;
  readonly targets: Targets;
}

/** One byte to the server's end of a channel and back, again and again. */
export interface EchoCase {
  readonly kind: "echo";
  readonly name: string;
  /** Whether a program of the machine echoes on a terminal (`ssh -tt`), or the command of a channel. */
  readonly on: "terminal" | "pipes";
  /** Where a transfer is under way. */
  readonly beside: "nothing" | "another connection" | "another channel";
  readonly path: Path;
  readonly targets: Targets;
}

/** Transfers to several clients at once. */
export interface CrowdCase {
  readonly kind: "crowd";
  readonly name: string;
  readonly clients: number;
  /** Compressed, a transfer costs the server many times what it costs the client: with `--workers` it shows what more processes bring. */
  readonly compression: "yes" | "no";
  readonly path: Path;
  readonly targets: Targets;
}

export interface IdleCase {
  readonly kind: "idle";
  readonly name: string;
  readonly targets: Targets;
}

/** Many connections, each with as many channels, to a server of its own. */
export interface ScaleCase {
  readonly kind: "scale";
  readonly name: string;
  readonly connections: number;
  /** On each connection. */
  readonly channels: number;
  readonly targets: Targets;
}

export type BenchCase =
  | ThroughputCase
  | CrowdCase
  | EchoCase
  | ForwardCase
  | SFTPCase
  | ProgramCase
  | ConnectCase
  | IdleCase
  | ScaleCase;

/** Where the cipher is not what is measured. */
export const usualCipher = "aes128-gcm@openssh.com";

const ciphers = ["chacha20-poly1305@openssh.com", usualCipher, "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"];

/** As clients ask that know no limits of the server (limits@openssh.com): for 32 KiB at a time, but often. */
const smallReads = ["-B", "32768", "-R", "64"];

/** The one key exchange that all three servers and all clients know. */
export const commonKeyExchange = "curve25519-sha256";

const asFastAsSshd: Targets = { ms: { ratioToSshd: 1 } };
const withinTwiceOfSshd: Targets = { "µs 99th": { ratioToSshd: 2, ratioToSsh2: 1 } };

export const benchCases: readonly BenchCase[] = [
  ...ciphers.map((cipher) => throughputCase("output", cipher)),
  ...ciphers.map((cipher) => throughputCase("input", cipher)),
  { ...throughputCase("small output", usualCipher), name: "output by writes of 1 KiB", targets: {} },
  {
    ...throughputCase("input", usualCipher),
    name: `input ${usualCipher} over a 100 ms path`,
    path: "100 ms",
    targets: {},
  },
  {
    kind: "crowd",
    name: "output to 8 clients at once",
    clients: 8,
    compression: "no",
    path: "loopback",
    targets: { "MB/s": { ratioToSshd: 1.1, ratioToSsh2: 1 } },
  },
  {
    kind: "crowd",
    name: "compressed output to 8 clients at once",
    clients: 8,
    compression: "yes",
    path: "loopback",
    targets: {},
  },
  echoCase("echo", "pipes", "nothing", {
    "µs median": { ratioToSshd: 1.1, ratioToSsh2: 1 },
    "µs 99th": { ratioToSshd: 1.5, ratioToSsh2: 1 },
  }),
  echoCase("echo on a terminal", "terminal", "nothing", {
    "µs median": { ratioToSshd: 1.1 },
    "µs 99th": { ratioToSshd: 1.5 },
  }),
  echoCase("echo beside a transfer on another connection", "pipes", "another connection", withinTwiceOfSshd),
  echoCase("echo beside a transfer on another channel", "pipes", "another channel", withinTwiceOfSshd),
  forwardCase("output"),
  forwardCase("input"),
  sftpCase("sftp get", "get", largeFileTargets()),
  {
    ...sftpCase("sftp get 32 KiB", "get", { "MB/s": { ratioToSshd: 1.1, ratioToSsh2: 1.3 } }),
    clientOptions: smallReads,
  },
  sftpCase("sftp put", "put", largeFileTargets()),
  sftpCase("sftp get -r of 2,000 files", "get -r", asFastAsSshd),
  sftpCase("sftp put -r of 2,000 files", "put -r", asFastAsSshd),
  coldSFTPCase("sftp get -r of 2,000 files, cold server", "get -r"),
  coldSFTPCase("sftp put -r of 2,000 files, cold server", "put -r"),
  sftpCase("sftp ls -l of 10,000 entries", "ls -l", { ms: { ratioToSshd: 1, ratioToSsh2: 1 } }),
  { ...sftpCase("sftp put over a 100 ms path", "put", { "MB/s": { value: 60 } }), path: "100 ms" },
  programCase("pipes", "output", { "MB/s": { ratioToSshd: 1 } }),
  programCase("terminal", "output", { "MB/s": { ratioToSshd: 0.9 } }),
  programCase("pipes", "start", { "CPU ms": { ratioToSshd: 1 } }),
  programCase("terminal", "start", {}),
  connectCase("mlkem768x25519-sha256", { "CPU ms": { value: 7 } }),
  connectCase("sntrup761x25519-sha512@openssh.com", {}),
  connectCase(commonKeyExchange, { "CPU ms": { ratioToSshd: 0.25, ratioToSsh2: 1 } }),
  { ...connectCase(commonKeyExchange, {}), name: "connections of 4 clients at once", clients: 4 },
  loginCase("rsa-sha2-256"),
  loginCase("rsa-sha2-512"),
  loginCase("certificate"),
  { kind: "idle", name: "idle connection", targets: { KiB: { value: 10 } } },
];

function throughputCase(transfer: Transfer, cipher: string): ThroughputCase {
  const targets: Targets = {
    "CPU s/GiB": { ratioToSshd: 0.6, ratioToSsh2: 0.95 },
    "MB/s": { ratioToSshd: 1.6, ratioToSsh2: 1.1 },
  };
  return { kind: "throughput", name: `${transfer} ${cipher}`, transfer, cipher, path: "loopback", targets };
}

function largeFileTargets(): Targets {
  return { "CPU s/GiB": { ratioToSshd: 0.8, ratioToSsh2: 0.7 }, "MB/s": { ratioToSshd: 1.25, ratioToSsh2: 1.3 } };
}

function echoCase(name: string, on: EchoCase["on"], beside: EchoCase["beside"], targets: Targets): EchoCase {
  return { kind: "echo", name, on, beside, path: "loopback", targets };
}

function forwardCase(direction: Direction): ForwardCase {
  const targets: Targets = { "CPU s/GiB": { ratioToSshd: 1 }, "MB/s": { ratioToSshd: 1 } };
  return { kind: "forward", name: `forward ${direction}`, direction, path: "loopback", targets };
}

function sftpCase(name: string, operation: SFTPOperation, targets: Targets): SFTPCase {
  return { kind: "sftp", name, operation, clientOptions: [], server: "warm", path: "loopback", targets };
}

function coldSFTPCase(name: string, operation: SFTPOperation): SFTPCase {
  return { ...sftpCase(name, operation, { ms: { ratioToSshd: 1, ratioToSsh2: 0.9 } }), server: "cold" };
}

function programCase(on: ProgramCase["on"], work: ProgramCase["work"], targets: Targets): ProgramCase {
  return { kind: "program", name: `program on ${on}: ${work}`, on, work, path: "loopback", targets };
}

function connectCase(keyExchange: string, targets: Targets): ConnectCase {
  return { kind: "connect", name: `connect + exec ${keyExchange}`, keyExchange, clients: 1, targets };
}

function loginCase(identity: IdentityName): ConnectCase {
  return { ...connectCase(commonKeyExchange, {}), name: `login by ${identity}`, identity };
}
