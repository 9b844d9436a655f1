import type { Direction } from "./measure/throughput.js";
import type { Unit } from "./results.js";
import type { SFTPOperation } from "./sftp-files.js";

/** What the project promises for one figure: at most so much of it or, in MB/s, at least so much. */
export interface Target {
  /** Ours to sshd's. */
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
  readonly direction: Direction;
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
  readonly targets: Targets;
}

export interface IdleCase {
  readonly kind: "idle";
  readonly name: string;
  readonly targets: Targets;
}

export type BenchCase = ThroughputCase | ForwardCase | SFTPCase | ProgramCase | ConnectCase | IdleCase;

/** Where the cipher is not what is measured. */
export const usualCipher = "aes128-gcm@openssh.com";

const ciphers: readonly { readonly name: string; readonly target: Target }[] = [
  { name: "chacha20-poly1305@openssh.com", target: { ratioToSshd: 0.5, ratioToSsh2: 0.8 } },
  { name: usualCipher, target: { ratioToSshd: 0.5, ratioToSsh2: 1 } },
  { name: "aes256-gcm@openssh.com", target: { ratioToSshd: 0.5, ratioToSsh2: 1 } },
  { name: "aes128-ctr", target: { ratioToSshd: 0.5 } },
  { name: "aes256-ctr", target: { ratioToSshd: 0.5, ratioToSsh2: 0.8 } },
];

/** As clients ask that know no limits of the server (limits@openssh.com): for 32 KiB at a time, but often. */
const smallReads = ["-B", "32768", "-R", "64"];

/** The one key exchange that all three servers and all clients know. */
export const commonKeyExchange = "curve25519-sha256";

const asFastAsSshd: Targets = { ms: { ratioToSshd: 1 } };

export const benchCases: readonly BenchCase[] = [
  ...ciphers.map((cipher) => throughputCase("output", cipher)),
  ...ciphers.map((cipher) => throughputCase("input", cipher)),
  {
    kind: "throughput",
    name: `input ${usualCipher} over a 100 ms path`,
    direction: "input",
    cipher: usualCipher,
    path: "100 ms",
    targets: {},
  },
  forwardCase("output"),
  forwardCase("input"),
  sftpCase("sftp get", "get", {
    "CPU s/GiB": { ratioToSshd: 0.6 },
    "MB/s": { ratioToSshd: 1.3, ratioToSsh2: 1.3 },
  }),
  { ...sftpCase("sftp get 32 KiB", "get", {}), clientOptions: smallReads },
  sftpCase("sftp put", "put", {
    "CPU s/GiB": { ratioToSshd: 0.6 },
    "MB/s": { ratioToSshd: 1.3, ratioToSsh2: 2.5 },
  }),
  sftpCase("sftp get -r of 2,000 files", "get -r", asFastAsSshd),
  sftpCase("sftp put -r of 2,000 files", "put -r", asFastAsSshd),
  sftpCase("sftp ls -l of 10,000 entries", "ls -l", {}),
  { ...sftpCase("sftp put over a 100 ms path", "put", { "MB/s": { value: 60 } }), path: "100 ms" },
  programCase("pipes", "output", { "MB/s": { ratioToSshd: 1 } }),
  programCase("terminal", "output", { "MB/s": { ratioToSshd: 0.9 } }),
  programCase("pipes", "start", { "CPU ms": { ratioToSshd: 1 } }),
  programCase("terminal", "start", {}),
  connectCase("mlkem768x25519-sha256", { "CPU ms": { value: 7 } }),
  connectCase("sntrup761x25519-sha512@openssh.com", {}),
  connectCase(commonKeyExchange, {}),
  { kind: "idle", name: "idle connection", targets: { KiB: { value: 25 } } },
];

function throughputCase(direction: Direction, { name: cipher, target }: (typeof ciphers)[number]): ThroughputCase {
  const name = `${direction} ${cipher}`;
  // Megabytes per second depend on the client too: what is promised is the server's CPU.
  return { kind: "throughput", name, direction, cipher, path: "loopback", targets: { "CPU s/GiB": target } };
}

function forwardCase(direction: Direction): ForwardCase {
  const targets: Targets = { "CPU s/GiB": { ratioToSshd: 1 }, "MB/s": { ratioToSshd: 1 } };
  return { kind: "forward", name: `forward ${direction}`, direction, path: "loopback", targets };
}

function sftpCase(name: string, operation: SFTPOperation, targets: Targets): SFTPCase {
  return { kind: "sftp", name, operation, clientOptions: [], path: "loopback", targets };
}

function programCase(on: ProgramCase["on"], work: ProgramCase["work"], targets: Targets): ProgramCase {
  return { kind: "program", name: `program on ${on}: ${work}`, on, work, path: "loopback", targets };
}

function connectCase(keyExchange: string, targets: Targets): ConnectCase {
  return { kind: "connect", name: `connect + exec ${keyExchange}`, keyExchange, targets };
}
