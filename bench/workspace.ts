import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { temporaryDirectory } from "./resources.js";

/** How a user proves to be the one who may log in. */
export interface Identity {
  readonly keyFile: string;
  readonly certificateFile?: string;
  /** Of the signature, as PubkeyAcceptedAlgorithms of ssh_config(5) lists them. */
  readonly algorithm: string;
}

export type IdentityName = "rsa-sha2-256" | "rsa-sha2-512" | "certificate";

/** The keys and files that all servers and clients of one run share. */
export interface Workspace {
  readonly directory: string;
  /** The only user who may log in: sshd knows no other than the one it runs for. */
  readonly username: string;
  readonly hostKeyFile: string;
  readonly userKeyFile: string;
  /** The public keys of the user, a line each: the ed25519 key first. */
  readonly authorizedKeysFile: string;
  /** The public key of the authority that signed the user's certificate. */
  readonly authorityFile: string;
  readonly identities: Readonly<Record<IdentityName, Identity>>;
  readonly knownHostsFile: string;
  /** A file of zeros as long as one transfer: what a client sends. */
  readonly zerosFile: string;
  /** What the servers serve over SFTP. */
  readonly servedFolder: string;
  /** Where an SFTP client puts what it gets; on the same disk. */
  readonly receivedFolder: string;
}

/** Not on a disk: it would be what is measured. */
const memoryFileSystem = "/dev/shm";

export function createWorkspace(transferBytes: number): Workspace {
  const directory = temporaryDirectory();
  const hostKeyFile = generateKey(join(directory, "host_ed25519"));
  const username = userInfo().username;
  const userKeyFile = generateKey(join(directory, "user_ed25519"));
  const rsaKeyFile = generateKey(join(directory, "user_rsa"), "rsa", "3072");
  const authorizedKeysFile = join(directory, "authorized_keys");
  writeFileSync(authorizedKeysFile, [userKeyFile, rsaKeyFile].map((file) => readFileSync(`${file}.pub`)).join(""));
  const authorityKeyFile = generateKey(join(directory, "authority_ed25519"));
  const certificate = signedIdentity(generateKey(join(directory, "certified_ed25519")), authorityKeyFile, username);
  const knownHostsFile = join(directory, "known_hosts");
  writeFileSync(knownHostsFile, `bench ${readFileSync(`${hostKeyFile}.pub`, "utf8")}`);
  const zerosFile = join(directory, "zeros");
  const descriptor = openSync(zerosFile, "w");
  ftruncateSync(descriptor, transferBytes);
  closeSync(descriptor);
  const sftpDirectory = temporaryDirectory(hasRoomFor(3 * transferBytes) ? memoryFileSystem : directory);
  const servedFolder = join(sftpDirectory, "served");
  const receivedFolder = join(sftpDirectory, "received");
  mkdirSync(servedFolder);
  mkdirSync(receivedFolder);
  return {
    directory,
    username,
    hostKeyFile,
    userKeyFile,
    authorizedKeysFile,
    authorityFile: `${authorityKeyFile}.pub`,
    identities: {
      "rsa-sha2-256": { keyFile: rsaKeyFile, algorithm: "rsa-sha2-256" },
      "rsa-sha2-512": { keyFile: rsaKeyFile, algorithm: "rsa-sha2-512" },
      certificate,
    },
    knownHostsFile,
    zerosFile,
    servedFolder,
    receivedFolder,
  };
}

function hasRoomFor(bytes: number): boolean {
  if (!existsSync(memoryFileSystem)) return false;
  const { bavail, bsize } = statfsSync(memoryFileSystem);
  return bavail * bsize >= bytes;
}

function generateKey(file: string, type = "ed25519", bits = "256"): string {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-C", "bench", "-f", file]);
  return file;
}

function signedIdentity(keyFile: string, authorityKeyFile: string, username: string): Identity {
  execFileSync("ssh-keygen", ["-q", "-s", authorityKeyFile, "-I", "bench", "-n", username, `${keyFile}.pub`]);
  return {
    keyFile,
    certificateFile: `${keyFile}-cert.pub`,
    // ssh signs with the plain key: it has to be accepted too, and no server knows it.
    algorithm: "ssh-ed25519-cert-v01@openssh.com,ssh-ed25519",
  };
}
