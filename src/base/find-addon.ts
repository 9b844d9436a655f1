import { basename } from "node:path";
import type { Addon, AddonWithoutOpenssl } from "./addon.js";
import { messageOf } from "./is-error.js";
import { findOwnAddon, loadAddon } from "./own-addon.js";

/** Why the addon is not used. */
export interface WithoutAddon {
  readonly reason: string;
  /** It is there, and cannot be used. */
  readonly isProblem: boolean;
}

type Found = { readonly addon: Addon } | WithoutAddon;

let found: Found | undefined;

/**
 * The addon, where it is there, can be loaded and is not switched off by `SPINDLEX_NATIVE=0` in the environment. It is
 * looked for once. Never throws.
 */
export function findAddon(): Found {
  found ??= lookForAddon();
  return found;
}

function lookForAddon(): Found {
  if (process.env.SPINDLEX_NATIVE === "0") return { reason: "SPINDLEX_NATIVE=0", isProblem: false };
  const file = findOwnAddon();
  if (file === undefined) {
    return { reason: `no addon for ${process.platform}-${process.arch}`, isProblem: false };
  }
  try {
    const loaded = loadAddon(file) as Addon | AddonWithoutOpenssl;
    if (!("missing" in loaded)) return { addon: loaded };
    return problem(`this Node.js does not have the OpenSSL that the addon needs: ${loaded.missing}`);
  } catch (error) {
    return problem(`${basename(file)} cannot be loaded: ${messageOf(error)}`);
  }
}

function problem(reason: string): WithoutAddon {
  return { reason, isProblem: true };
}
