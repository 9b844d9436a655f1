/** Decisions about logins, ready-made: `spindlex/authenticators`. */

export { type AnyOf, anyOf } from "./any-of.js";
export {
  type AuthorizedKeysOptions,
  authorizedKeys,
  type PublicKeyCheck,
  type PublicKeyHook,
} from "./authorized-keys/authorized-keys.js";
export type { FileOptions } from "./files/file-options.js";
export type { LineSource, LineSourceOptions } from "./files/line-source.js";
export { UserFileError } from "./files/user-file-error.js";
export type { UserSource } from "./files/user-source.js";
export { type PasswordCheck, type PasswordFileOptions, passwordFile } from "./passwords/password-file.js";
export { hashPassword } from "./passwords/scrypt-hash.js";
export { type RequiredMethodsSource, requireMethods } from "./require-methods.js";
export { type RevocationSource, type RevokedKeys, revokedKeys } from "./revoked-keys.js";
export type { TotpAlgorithm } from "./totp/one-time-code.js";
export { type TotpCheck, type TotpOptions, totp } from "./totp/totp.js";
export type { TotpCodeOptions } from "./totp/totp-options.js";
export { newTotpSecret, type OtpauthUriOptions, otpauthUri } from "./totp/totp-secret.js";
export { type PrincipalsSource, type TrustedUserCAsOptions, trustedUserCAs } from "./trusted-user-cas.js";
