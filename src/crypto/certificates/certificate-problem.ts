import { ConfigurationError } from "../../base/configuration-error.js";
import { checkChoice, checkOptions } from "../../base/option-checks.js";
import { printable } from "../keys/key-material.js";
import { caSignatureAlgorithms } from "../keys/signature-algorithms.js";
import type { CertificateContents } from "./certificate-contents.js";
import type { CertificateType } from "./read-certificate.js";

/** What a certificate is to be used for, to `certificateProblem`. */
export interface CertificateUse {
  /** The side that uses the certificate. */
  readonly type: CertificateType;
  /** The time at which the certificate has to be valid. */
  readonly now: Date;
  /** The algorithms with which its authority may have signed it. Default `caSignatureAlgorithms`. */
  readonly allowedSignatureAlgorithms?: readonly string[];
}

const USE = ["type", "now", "allowedSignatureAlgorithms"] as const;

/**
 * The reason why `certificate` is not good for a use, even with a trusted authority; undefined when nothing speaks
 * against it. The checks that take more than the certificate are left out: whether its authority is trusted, its
 * principals, whether it is revoked, and `sourceAddress`.
 *
 * @returns one line for a log, not for the peer
 * @throws {ConfigurationError} when a use is described wrongly
 */
export function certificateProblem(certificate: CertificateContents, use: CertificateUse): string | undefined {
  const { type, now, allowedSignatureAlgorithms = caSignatureAlgorithms } = checkOptions(use, USE);
  checkChoice("type", type, ["user", "host"]);
  if (!(now instanceof Date)) throw new ConfigurationError("now", "must be a Date");
  if (!Array.isArray(allowedSignatureAlgorithms)) {
    throw new ConfigurationError("allowedSignatureAlgorithms", "must be a list of names");
  }
  if (certificate.type !== type) return `the certificate is for a ${certificate.type}, not for a ${type}`;
  if (!Number.isFinite(now.getTime())) return "the present time is not known";
  const seconds = BigInt(Math.floor(now.getTime() / 1000));
  if (seconds < certificate.validAfter) return "the certificate is not valid yet";
  if (seconds >= certificate.validBefore) return "the certificate is not valid any more";
  if (certificate.validPrincipals.length === 0) return "the certificate names no principals";
  if (!allowedSignatureAlgorithms.includes(certificate.signatureAlgorithm)) {
    return `the certificate is signed with ${certificate.signatureAlgorithm}, which is not allowed`;
  }
  const [unknown] = certificate.unknownCriticalOptions;
  if (unknown !== undefined) return `the certificate has the critical option ${printable(unknown)}, which is not known`;
  return undefined;
}
