import type { Addon } from "../../base/addon.js";
import { findAddon } from "../../base/find-addon.js";
import { differences } from "./native/self-check.js";

/** What seals and opens the packets of this process. */
export interface PacketPath {
  /** For people: the addon with its OpenSSL, or node:crypto. */
  readonly description: string;
  readonly addon?: Addon;
  /** Why an addon that is there is not used. */
  readonly problem?: string;
}

let path: PacketPath | undefined;

/** Found out when it is first asked for. */
export function packetPath(): PacketPath {
  path ??= findPath();
  return path;
}

function findPath(): PacketPath {
  const found = findAddon();
  if (!("addon" in found)) return withoutAddon(found.reason, found.isProblem);
  const { addon } = found;
  const wrong = differences(addon);
  if (wrong.length > 0) return withoutAddon(`it does not seal as node:crypto does: ${wrong.join(", ")}`, true);
  // "OpenSSL 3.0.17 1 Jul 2025"
  const [library, version] = addon.version.split(" ");
  return { description: `addon (${library} ${version})`, addon };
}

/**
 * What seals and opens the packets of this process, for people: `"addon (OpenSSL 3.5.8)"`, or `"node:crypto"` with the reason
 * why there is no addon.
 */
export function packetsSealedBy(): string {
  return packetPath().description;
}

function withoutAddon(reason: string, isProblem: boolean): PacketPath {
  return isProblem
    ? { description: "node:crypto (the addon cannot be used)", problem: reason }
    : { description: `node:crypto (${reason})` };
}
