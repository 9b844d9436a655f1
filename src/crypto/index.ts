/** Keys and certificates: `spindlex/crypto`. */
export type { Certificate } from "./certificates/certificate.js";
export type { CertificateOptions } from "./certificates/certificate-options.js";
export { type CertificateUse, certificateProblem } from "./certificates/certificate-problem.js";
export type { CertificateType } from "./certificates/read-certificate.js";
export type { SignCertificateOptions } from "./certificates/sign-certificate.js";
export type { GenerateOptions } from "./keys/generate-key.js";
export type { HostKey } from "./keys/host-key.js";
export { KeyError, type KeyErrorCode } from "./keys/key-error.js";
export type { VerifiedSignature } from "./keys/key-signature.js";
export {
  type OpenSSHOptions,
  PKey,
  type ReadOptions,
  type WriteOptions,
} from "./keys/pkey.js";
export type { SecurityKeySignature } from "./keys/security-keys.js";
export { caSignatureAlgorithms } from "./keys/signature-algorithms.js";
export type { RevocableCertificate, RevocableKey } from "./revocation/revocable-key.js";
export { RevocationList } from "./revocation/revocation-list.js";
