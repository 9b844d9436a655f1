import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { KeyType } from "./clients-keys.js";

/** What a client has to know of the server it talks to, on 127.0.0.1. */
export interface Target {
  readonly port: number;
  /** The lines of an OpenSSH `known_hosts` file. */
  readonly knownHosts: string;
  /** Of the host keys, as `ssh-keygen -l` prints them. */
  readonly fingerprints: readonly string[];
}

/** How to log in; a key together with a password or answers is the first of two factors. */
export interface Login {
  readonly user: string;
  readonly keyType?: KeyType;
  readonly password?: string;
  /** Given when the server wants the password replaced. */
  readonly newPassword?: string;
  /** To the prompts of keyboard-interactive, in order. */
  readonly answers?: readonly string[];
}

export interface ExecRequest {
  readonly login: Login;
  readonly command: string;
  readonly input?: Uint8Array | Readable;
  /** The client itself asks for new keys after so many bytes. */
  readonly rekeyBytes?: number;
  readonly compression?: "zlib@openssh.com";
  /** Signal name without SIG, sent to the command once it has put something out. */
  readonly signal?: string;
  /** Options of this client alone, in its own syntax. */
  readonly options?: readonly string[];
  /** Milliseconds. */
  readonly timeout?: number;
}

export const EXEC_CLIENTS = [
  "ssh",
  "ssh10",
  "plink",
  "dbclient",
  "paramiko",
  "asyncssh",
  "asyncssh-2.20",
  "ssh2",
  "libssh2",
] as const;
export type ExecClientName = (typeof EXEC_CLIENTS)[number];

/** What transfers files. */
export type TransferClientName =
  | "sftp"
  | "sftp10"
  | "scp"
  | "scp10"
  | "psftp"
  | "pscp"
  | "lftp"
  | "rclone"
  | "sshfs"
  | "curl"
  | "ssh2-sftp-client";

export type ToolName =
  | ExecClientName
  | TransferClientName
  | "ssh-audit"
  | "expect"
  | "sshd"
  | "sshd10"
  | "sftp-server"
  | "ssh-keygen"
  | "ssh-keygen10";

/** Where .ci/install-clients unpacks what is newer than the system's own. */
const CACHE = process.env.SPINDLEX_CLIENTS ?? "/var/cache/spindlex-ci";
const PYTHON_PACKAGES = "/usr/lib/python3/dist-packages";
/** PYTHONPATH for the Python programs among them. */
export const NEWER_PYTHON_PACKAGES = join(CACHE, "trixie", PYTHON_PACKAGES);

/** The file that has to be there for each tool; a program where it is one. */
export const TOOLS: Readonly<Record<ToolName, string>> = {
  ssh: "/usr/bin/ssh",
  ssh10: join(CACHE, "bookworm-backports/usr/bin/ssh"),
  plink: "/usr/bin/plink",
  dbclient: "/usr/bin/dbclient",
  paramiko: join(PYTHON_PACKAGES, "paramiko/__init__.py"),
  asyncssh: join(PYTHON_PACKAGES, "asyncssh/__init__.py"),
  "asyncssh-2.20": join(NEWER_PYTHON_PACKAGES, "asyncssh/__init__.py"),
  ssh2: nodePackage("ssh2"),
  libssh2: "/usr/include/libssh2.h",
  sftp: "/usr/bin/sftp",
  sftp10: join(CACHE, "bookworm-backports/usr/bin/sftp"),
  scp: "/usr/bin/scp",
  scp10: join(CACHE, "bookworm-backports/usr/bin/scp"),
  psftp: "/usr/bin/psftp",
  pscp: "/usr/bin/pscp",
  lftp: "/usr/bin/lftp",
  rclone: "/usr/bin/rclone",
  sshfs: "/usr/bin/sshfs",
  curl: "/usr/bin/curl",
  "ssh2-sftp-client": nodePackage("ssh2-sftp-client"),
  "ssh-audit": join(CACHE, "trixie/usr/bin/ssh-audit"),
  expect: "/usr/bin/expect",
  sshd: "/usr/sbin/sshd",
  "ssh-keygen": "/usr/bin/ssh-keygen",
  "ssh-keygen10": join(CACHE, "bookworm-backports/usr/bin/ssh-keygen"),
  sshd10: join(CACHE, "bookworm-backports/usr/sbin/sshd"),
  "sftp-server": "/usr/lib/openssh/sftp-server",
};

function nodePackage(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
}

/**
 * Whether a tool is missing, for `describe.skipIf`. On a developer's machine that skips the tests that need it and says
 * so; in CI it is an error, or a green run would not mean that the clients were tried.
 */
export function isMissing(tool: ToolName): boolean {
  const missing = !existsSync(TOOLS[tool]);
  if (missing && process.env.CI) throw new Error(`${tool} is not installed (${TOOLS[tool]}): see .ci/install-clients`);
  if (missing) console.warn(`skipped: ${tool} is not installed (${TOOLS[tool]}): see .ci/install-clients`);
  return missing;
}
