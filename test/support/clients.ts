import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { KeyType } from "./clients-keys.js";
import { isLong } from "./extent.js";
import { findFile, findProgram, findPython } from "./programs.js";

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

/**
 * An option of `ssh`, for tests whose subject is not the key exchange: sntrup761, which it takes by itself, costs it a tenth
 * of a second of processor time for each connection.
 */
export const QUICK_KEX = "KexAlgorithms=curve25519-sha256";
/** The same as an option of a server, for every client. Tests of the defaults say `algorithms: {}`. */
export const QUICK_ALGORITHMS = { kex: "-mlkem*,sntrup*" };

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

/** Those that every run of the tests tries; the long run also tries the second version of AsyncSSH. */
export const TRIED_EXEC_CLIENTS: readonly ExecClientName[] = EXEC_CLIENTS.filter(
  (client) => isLong || client !== "asyncssh-2.20",
);

/**
 * What they do not log in with. libssh2 1.10 signs with RSA keys by SHA-1 only, which this server does not take. AsyncSSH
 * 2.20 needs a newer python3-cryptography than Debian 12 has to load an RSA key; Debian's own AsyncSSH logs in with one.
 */
export const UNSUPPORTED_KEYS: Readonly<Partial<Record<ExecClientName, readonly KeyType[]>>> = {
  libssh2: ["rsa"],
  "asyncssh-2.20": ["rsa"],
};

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

/** Libraries whose drivers carry out operations, commands among them: see test/interop/drivers/README.md. */
export const LIBRARY_CLIENTS = [
  "libssh",
  "phpseclib",
  "jsch",
  "net-ssh",
  "go",
  "erlang",
  "conch",
  "net-sftp-foreign",
] as const;
export type LibraryClientName = (typeof LIBRARY_CLIENTS)[number];

/** Everything else that tests run, or look at, and that is not a part of this project. */
type OtherToolName =
  | "ansible"
  | "ssh-audit"
  | "expect"
  | "tmux"
  | "vim"
  | "top"
  | "less"
  | "busybox"
  | "gcc"
  | "clang"
  | "git"
  | "rsync"
  | "sshuttle"
  | "openssl"
  | "sshd"
  | "sshd10"
  | "sftp-server"
  | "ssh-keygen"
  | "ssh-keygen10"
  | "ssh-keyscan"
  | "ssh-agent"
  | "ssh-add"
  | "Xvfb"
  | "xauth"
  | "xdpyinfo"
  | "xclock"
  | "FUSE"
  | "python3"
  | "systemd-notify"
  | "systemd-analyze"
  | "cc";

export type ToolName = ExecClientName | TransferClientName | LibraryClientName | OtherToolName;

/** Where .ci/install-clients unpacks what is newer than the system's own. */
const CACHE = process.env.SPINDLEX_CLIENTS ?? "/var/cache/spindlex-ci";
/** PYTHONPATH for the Python programs among them. */
export const NEWER_PYTHON_PACKAGES = join(CACHE, "trixie/usr/lib/python3/dist-packages");
/** A script for the Python that is there. */
export const SSH_AUDIT = join(CACHE, "trixie/usr/bin/ssh-audit");

/** Where Debian's packages put what the drivers in Java and Go are compiled with. */
export const JSCH = "/usr/share/java/jsch.jar";
export const GO_PACKAGES = "/usr/share/gocode";
/** Which Ansible is to use on the other side, too. */
export const ANSIBLE_PYTHON = findPython("ansible");

const newer = (path: string) => findFile([join(CACHE, path)]);
const nodePackage = (name: string) =>
  findFile([fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url))]);
/** Makes the keys of all clients. */
const KEYGEN = findProgram("ssh-keygen");

/** All that has to be there for a tool, undefined where it is not; what is run comes first, where it is a program. */
const REQUIREMENTS: Readonly<Record<ToolName, readonly (string | undefined)[]>> = {
  ssh: [findProgram("ssh"), KEYGEN],
  ssh10: [newer("bookworm-backports/usr/bin/ssh"), KEYGEN],
  plink: [findProgram("plink"), findProgram("puttygen"), KEYGEN],
  dbclient: [findProgram("dbclient"), findProgram("dropbearconvert"), KEYGEN],
  paramiko: [findPython("paramiko"), KEYGEN],
  asyncssh: [findPython("asyncssh"), KEYGEN],
  // It takes what it is built on from Debian's packages.
  "asyncssh-2.20": [findPython("cryptography"), findFile([join(NEWER_PYTHON_PACKAGES, "asyncssh")]), KEYGEN],
  ssh2: [process.execPath, nodePackage("ssh2"), KEYGEN],
  libssh2: [findProgram("gcc"), findFile(["/usr/include/libssh2.h", "/usr/local/include/libssh2.h"]), KEYGEN],
  sftp: [findProgram("sftp"), findProgram("ssh"), KEYGEN],
  sftp10: [newer("bookworm-backports/usr/bin/sftp"), KEYGEN],
  scp: [findProgram("scp"), findProgram("ssh"), KEYGEN],
  scp10: [newer("bookworm-backports/usr/bin/scp"), KEYGEN],
  psftp: [findProgram("psftp"), KEYGEN],
  pscp: [findProgram("pscp"), KEYGEN],
  lftp: [findProgram("lftp"), findProgram("ssh"), KEYGEN],
  rclone: [findProgram("rclone"), KEYGEN],
  sshfs: [findProgram("sshfs"), findProgram("fusermount3"), findProgram("ssh"), KEYGEN],
  curl: [findProgram("curl"), KEYGEN],
  "ssh2-sftp-client": [process.execPath, nodePackage("ssh2-sftp-client"), KEYGEN],
  libssh: [findProgram("gcc"), findFile(["/usr/include/libssh/libssh.h"]), KEYGEN],
  phpseclib: [findProgram("php"), findFile(["/usr/share/php/phpseclib3/autoload.php"]), KEYGEN],
  jsch: [findProgram("java"), findProgram("javac"), findFile([JSCH]), KEYGEN],
  "net-ssh": [findProgram("ruby"), findFile(["/usr/share/rubygems-integration/all/gems/net-sftp-4.0.0"]), KEYGEN],
  go: [
    findProgram("go"),
    findFile([join(GO_PACKAGES, "src/github.com/pkg/sftp/client.go")]),
    findFile([join(GO_PACKAGES, "src/golang.org/x/crypto/ssh/client.go")]),
    KEYGEN,
  ],
  erlang: [findProgram("erl"), findProgram("erlc"), KEYGEN],
  conch: [findPython("twisted"), KEYGEN],
  "net-sftp-foreign": [
    findProgram("perl"),
    findFile(["/usr/share/perl5/Net/SFTP/Foreign.pm"]),
    findProgram("ssh"),
    KEYGEN,
  ],
  ansible: [findProgram("ansible-playbook"), ANSIBLE_PYTHON, findProgram("ssh"), KEYGEN],
  "ssh-audit": [findProgram("python3"), findFile([SSH_AUDIT])],
  expect: [findProgram("expect")],
  tmux: [findProgram("tmux")],
  vim: [findProgram("vim")],
  top: [findProgram("top")],
  less: [findProgram("less")],
  busybox: [findProgram("busybox")],
  gcc: [findProgram("gcc")],
  // With libFuzzer, of a package of its own.
  clang: [findProgram("clang-16"), findFile(["/usr/lib/llvm-16/lib/clang/16/lib/linux"])],
  git: [findProgram("git")],
  rsync: [findProgram("rsync")],
  sshuttle: [findProgram("sshuttle"), findProgram("nft"), findProgram("ip")],
  openssl: [findProgram("openssl")],
  sshd: [findProgram("sshd"), KEYGEN],
  sshd10: [newer("bookworm-backports/usr/sbin/sshd"), KEYGEN],
  "sftp-server": [findFile(["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"])],
  "ssh-keygen": [KEYGEN],
  "ssh-keygen10": [newer("bookworm-backports/usr/bin/ssh-keygen")],
  "ssh-keyscan": [findProgram("ssh-keyscan")],
  "ssh-agent": [findProgram("ssh-agent")],
  "ssh-add": [findProgram("ssh-add")],
  Xvfb: [findProgram("Xvfb"), findProgram("xwininfo")],
  xauth: [findProgram("xauth")],
  xdpyinfo: [findProgram("xdpyinfo")],
  xclock: [findProgram("xclock")],
  cc: [findProgram("cc")],
  python3: [findProgram("python3")],
  "systemd-notify": [findProgram("systemd-notify"), findProgram("python3")],
  "systemd-analyze": [findProgram("systemd-analyze")],
  FUSE: [findFile(["/dev/fuse"])],
};

/** The program of each tool; of a library, what runs or compiles its driver. */
export const TOOLS = Object.fromEntries(
  Object.entries(REQUIREMENTS).map(([tool, [program]]) => [tool, program ?? tool]),
) as Readonly<Record<ToolName, string>>;

/** Files that are others in another version of what a tool needs. */
export function requirementsOf(tool: ToolName): readonly string[] {
  return REQUIREMENTS[tool].filter((file) => file !== undefined);
}

/** Of the machine, not of the packages on it. */
const CANNOT_BE_INSTALLED: readonly ToolName[] = ["FUSE"];

declare module "vitest" {
  interface TaskMeta {
    /** The tools for want of which this test is skipped. */
    missing?: readonly ToolName[];
  }
}

/**
 * The options of a test, or a suite, that needs tools. Where one is missing it is skipped, and skip-summary.ts tells so;
 * in CI that is an error, or a green run would not mean that the clients were tried.
 */
export function needs(...tools: readonly ToolName[]): { skip?: true; meta?: { missing: readonly ToolName[] } } {
  const missing = tools.filter(isMissing);
  return missing.length === 0 ? {} : { skip: true, meta: { missing } };
}

/** @throws in CI, when it is missing and could be installed */
export function isMissing(tool: ToolName): boolean {
  const missing = REQUIREMENTS[tool].includes(undefined);
  if (missing && process.env.CI && !CANNOT_BE_INSTALLED.includes(tool)) {
    throw new Error(`${tool} is not installed, or not all that it needs: see .ci/install-clients`);
  }
  return missing;
}

/** Versions of OpenSSH's client for tests of what any of them does: in the long run both, else the newest that there is. */
export const TRIED_SSHS: readonly ("ssh" | "ssh10")[] = isLong
  ? ["ssh", "ssh10"]
  : [isMissing("ssh10") ? "ssh" : "ssh10"];
