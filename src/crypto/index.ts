/** Keys and certificates: `spindlex/crypto`. */

export type { CertificateOptions } from "./certificates/certificate-options.js";
export type { CertificateType } from "./certificates/read-certificate.js";
export { KeyError, type KeyErrorCode } from "./keys/key-error.js";
export type { VerifiedSignature } from "./keys/key-signature.js";
export type { SecurityKeySignature } from "./keys/security-keys.js";
export { caSignatureAlgorithms } from "./keys/signature-algorithms.js";
export type { Certificate } from "./pkey/certificate.js";
export { type CertificateUse, certificateProblem } from "./pkey/certificate-problem.js";
export type { GenerateOptions } from "./pkey/generate-key.js";
export type { HostKey } from "./pkey/host-key.js";
export {
  type OpenSSHOptions,
  PKey,
  type WriteOptions,
} from "./pkey/pkey.js";
export type { ReadOptions } from "./pkey/read-options.js";
export type { SignCertificateOptions } from "./pkey/sign-certificate.js";
export type { RevocableCertificate, RevocableKey } from "./revocation/revocable-key.js";
export { RevocationList } from "./revocation/revocation-list.js";
