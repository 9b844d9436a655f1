import { PartedSet } from "./parted-set.js";
import type { RevokedCertificates } from "./revoked-certificates.js";

/**
 * The entries of a file of revoked keys. Blobs and hashes are texts with one character for each byte, so that sets can
 * hold them.
 */
export interface RevocationEntries {
  readonly keys: PartedSet;
  readonly sha1: PartedSet;
  readonly sha256: PartedSet;
  /** By the blob of the authority's key. */
  readonly certificates: Map<string, RevokedCertificates>;
}

/** In the place of an authority's key: certificates of every authority. */
export const ANY_AUTHORITY = "";

export function noEntries(): RevocationEntries {
  return { keys: new PartedSet(), sha1: new PartedSet(), sha256: new PartedSet(), certificates: new Map() };
}

export function setKey(bytes: Buffer): string {
  return bytes.toString("latin1");
}
