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

/** The keys and files that all servers and clients of one run share. */
export interface Workspace {
  readonly directory: string;
  /** The only user who may log in: sshd knows no other than the one it runs for. */
  readonly username: string;
  readonly hostKeyFile: string;
  readonly userKeyFile: string;
  /** One public key, in the form of authorized_keys. */
  readonly authorizedKeysFile: string;
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
  const userKeyFile = generateKey(join(directory, "user_ed25519"));
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
    username: userInfo().username,
    hostKeyFile,
    userKeyFile,
    authorizedKeysFile: `${userKeyFile}.pub`,
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

function generateKey(file: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file]);
  return file;
}
