import { createHash } from "node:crypto";
import { atOnce, inTurns, type Steps } from "../../base/time-slices.js";
import { readKeyList } from "./key-list.js";
import { KRL_MAGIC, readKRL } from "./krl.js";
import type { RevocableCertificate, RevocableKey } from "./revocable-key.js";
import { ANY_AUTHORITY, type RevocationEntries, setKey } from "./revocation-entries.js";

/** Keys and certificates that are not to be accepted any more, as RevokedKeys in sshd_config(5). Immutable. */
export class RevocationList {
  readonly #entries: RevocationEntries;

  private constructor(entries: RevocationEntries) {
    this.#entries = entries;
  }

  /**
   * Reads a list in either format: a binary key revocation list (OpenSSH's PROTOCOL.krl, as `ssh-keygen -k` makes it),
   * which has to be given as bytes, or a text with one public key a line. Either must be whole and understood to its
   * end. Synchronous: it takes about 60 ms for 1000 keys in a text, and for a megabyte of a binary list.
   *
   * @throws {KeyError} `malformed` or `unsupported`, with the reason
   */
  static parse(list: string | Uint8Array): RevocationList {
    return new RevocationList(atOnce(read(list)));
  }

  /** As `parse`, but others get their turn while a long list is read. */
  static async parseInTurns(list: string | Uint8Array): Promise<RevocationList> {
    return new RevocationList(await inTurns(read(list)));
  }

  /**
   * Whether a login with this key is to be refused. A certificate is revoked by its serial number (but not 0) or its
   * key ID, among those of its authority or of any, by the key that it certifies, and by the key of its authority; as
   * `ssh-keygen -Q` tells.
   */
  isRevoked(key: RevocableKey): boolean {
    if (this.#hasBlob(key.publicBlob)) return true;
    const { certificate } = key;
    if (certificate === undefined) return false;
    return (
      this.#hasBlob(certificate.publicKey.publicBlob) ||
      this.#hasBlob(certificate.signatureKey.publicBlob) ||
      this.#hasCertificate(certificate)
    );
  }

  #hasBlob(blob: Buffer): boolean {
    const { keys, sha1, sha256 } = this.#entries;
    return (
      (!keys.isEmpty && keys.has(setKey(blob))) ||
      (!sha256.isEmpty && sha256.has(hash("sha256", blob))) ||
      (!sha1.isEmpty && sha1.has(hash("sha1", blob)))
    );
  }

  #hasCertificate(certificate: RevocableCertificate): boolean {
    const authority = setKey(certificate.signatureKey.publicBlob);
    return [ANY_AUTHORITY, authority].some((name) => this.#entries.certificates.get(name)?.has(certificate) === true);
  }
}

function* read(list: string | Uint8Array): Steps<RevocationEntries> {
  // A copy, because it is read in turns. One character for each byte: a comment can be in any encoding.
  const bytes = typeof list === "string" ? Buffer.from(list, "utf8") : Buffer.from(list);
  const isKRL = bytes.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC);
  return isKRL ? yield* readKRL(bytes) : yield* readKeyList(bytes.toString("latin1"));
}

/** SHA-1 only because lists have it: another key with the same hash would be revoked, too, and nothing more. */
function hash(algorithm: "sha1" | "sha256", blob: Buffer): string {
  return setKey(createHash(algorithm).update(blob).digest());
}
