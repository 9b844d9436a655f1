import { Reader } from "../../protocol/reader.js";
import { type CertificateFields, certifiedTypeByName, readCertificate } from "../certificates/read-certificate.js";
import { type KeyMaterial, lastingCopy, malformedOnProtocolError, plainMaterial } from "../keys/key-material.js";

/** A key, or a certificate and the key that it certifies: then the public blob is the whole certificate. */
export interface KeyOrCertificate extends KeyMaterial {
  readonly certificate?: CertificateFields;
}

/**
 * Reads a public blob of any origin, a key or a certificate: the whole of it, with every number in range, every point on
 * its curve and a certificate's signature verified.
 *
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function publicMaterial(publicBlob: Buffer, comment: string): KeyOrCertificate {
  // A copy, because the caller's bytes can be a view of a packet that is about to be overwritten.
  const blob = lastingCopy(publicBlob);
  const name = malformedOnProtocolError("public key", () => new Reader(blob).readString().toString("latin1"));
  if (certifiedTypeByName(name) === undefined) return plainMaterial(blob, comment);
  const certificate = readCertificate(blob);
  return { ...certificate.certified, publicBlob: blob, certificate, comment };
}
