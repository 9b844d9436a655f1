/** Keys and certificates: `spindlex/crypto`. */

export type { CertificateContents } from "./certificates/certificate-contents.js";
export type { CertificateOptions } from "./certificates/certificate-options.js";
export { type CertificateUse, certificateProblem } from "./certificates/certificate-problem.js";
export type { CertificateType } from "./certificates/read-certificate.js";
export { packetsSealedBy } from "./cipher/packet-path.js";
export { KeyError, type KeyErrorCode } from "./keys/key-error.js";
export type { VerifiedSignature } from "./keys/key-signature.js";
export type { SecurityKeySignature } from "./keys/security-keys.js";
export { caSignatureAlgorithms } from "./keys/signature-algorithms.js";
export type { GenerateOptions } from "./pkey/generate-key.js";
export type { HostKey } from "./pkey/host-key.js";
export {
  type Certificate,
  type OpenSSHOptions,
  PKey,
  type SignCertificateOptions,
  type WriteOptions,
} from "./pkey/pkey.js";
export type { ReadOptions } from "./pkey/read-options.js";
export type { RevocableCertificate, RevocableKey } from "./revocation/revocable-key.js";
export { RevocationList } from "./revocation/revocation-list.js";
