import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { isMissing } from "../../support/clients.js";

/** A directory of its own for the file that calls this, removed when its tests are over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "spindlex-keys-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a real tool and gives its output; throws when it fails. */
export function run(tool: "ssh-keygen" | "openssl", args: readonly string[], input?: Buffer): string {
  return execFileSync(tool, args, { input: input ?? "", encoding: "utf8", stdio: "pipe" });
}

export interface KeygenOptions {
  readonly type: "ed25519" | "ecdsa" | "rsa" | "dsa";
  readonly bits?: number;
  readonly passphrase?: string;
  readonly cipher?: string;
  readonly format?: "RFC4716" | "PEM" | "PKCS8";
  readonly rounds?: number;
  readonly comment?: string;
}

export interface GeneratedKey {
  readonly path: string;
  readonly privateText: string;
  readonly publicText: string;
}

let counter = 0;

/**
 * A key pair made by `ssh-keygen`, by default with one round of bcrypt. Where it is missing the tests that need it are
 * skipped, and what is made while they are declared is empty.
 */
export function keygen(directory: string, options: KeygenOptions): GeneratedKey {
  if (isMissing("ssh-keygen")) return { path: join(directory, "none"), privateText: "", publicText: "" };
  const path = join(directory, `key-${counter++}`);
  const args = ["-q", "-t", options.type, "-f", path, "-N", options.passphrase ?? "", "-a", `${options.rounds ?? 1}`];
  args.push("-C", options.comment ?? "a comment");
  if (options.bits !== undefined) args.push("-b", `${options.bits}`);
  if (options.cipher !== undefined) args.push("-Z", options.cipher);
  if (options.format !== undefined) args.push("-m", options.format);
  run("ssh-keygen", args);
  return { path, privateText: readFileSync(path, "utf8"), publicText: readFileSync(`${path}.pub`, "utf8") };
}

/** The second column of `ssh-keygen -l`. */
export function listedFingerprint(path: string): string | undefined {
  return run("ssh-keygen", ["-l", "-E", "sha256", "-f", path]).split(" ")[1];
}

/** The types and sizes of keys that this library handles. */
export const KEYS = [
  { type: "ed25519", bits: 256, keyType: "ssh-ed25519" },
  { type: "ecdsa", bits: 256, keyType: "ecdsa-sha2-nistp256" },
  { type: "ecdsa", bits: 384, keyType: "ecdsa-sha2-nistp384" },
  { type: "ecdsa", bits: 521, keyType: "ecdsa-sha2-nistp521" },
  { type: "rsa", bits: 2048, keyType: "ssh-rsa" },
] as const;
