import type { CertificateEntries } from "./revoked-certificates.js";

/**
 * The entries of a file of revoked keys. Blobs and hashes are texts with one character for each byte, so that sets can
 * hold them.
 */
export interface RevocationEntries {
  readonly keys: Set<string>;
  readonly sha1: Set<string>;
  readonly sha256: Set<string>;
  /** By the blob of the authority's key. */
  readonly certificates: Map<string, CertificateEntries>;
}

/** In the place of an authority's key: certificates of every authority. */
export const ANY_AUTHORITY = "";

export function noEntries(): RevocationEntries {
  return { keys: new Set(), sha1: new Set(), sha256: new Set(), certificates: new Map() };
}

export function setKey(bytes: Buffer): string {
  return bytes.toString("latin1");
}
