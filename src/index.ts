/** SSH servers for Node.js: `spindlex`. */

export type { Identity, PasswordChangeRequired, Prompt, SecurityKeyProof } from "./auth/authenticator.js";
export { type AuthDecision, Grant, type GrantOptions } from "./auth/grant.js";
export { PromptAbortedError } from "./auth/keyboard-interactive.js";
export {
  ALL_PERMISSIONS,
  type ForwardingTarget,
  type Permissions,
  RESTRICTED_PERMISSIONS,
} from "./auth/permissions.js";
export type { MethodLists } from "./auth/required-methods.js";
export { anyOf } from "./authenticators/any-of.js";
export {
  type AuthorizedKeysOptions,
  authorizedKeys,
  type PublicKeyCheck,
  type PublicKeyHook,
} from "./authenticators/authorized-keys/authorized-keys.js";
export type { FileOptions } from "./authenticators/files/file-options.js";
export type { LineSource, LineSourceOptions } from "./authenticators/files/line-source.js";
export { UserFileError } from "./authenticators/files/user-file-error.js";
export type { UserSource } from "./authenticators/files/user-source.js";
export {
  type PasswordCheck,
  type PasswordFileOptions,
  passwordFile,
} from "./authenticators/passwords/password-file.js";
export { hashPassword } from "./authenticators/passwords/scrypt-hash.js";
export { type RequiredMethodsSource, requireMethods } from "./authenticators/require-methods.js";
export {
  type RevocationSource,
  type RevokedKeys,
  revokedKeys,
} from "./authenticators/revoked-keys.js";
export type { TotpAlgorithm } from "./authenticators/totp/one-time-code.js";
export { type TotpCheck, type TotpOptions, totp } from "./authenticators/totp/totp.js";
export type { TotpCodeOptions } from "./authenticators/totp/totp-options.js";
export { newTotpSecret, type OtpauthUriOptions, otpauthUri } from "./authenticators/totp/totp-secret.js";
export {
  type PrincipalsSource,
  type TrustedUserCAsOptions,
  trustedUserCAs,
} from "./authenticators/trusted-user-cas.js";
export { ConfigurationError } from "./base/configuration-error.js";
export type { Logger } from "./base/logger.js";
export { ChannelOpenError } from "./connection/channel-open-error.js";
export type { AnswerOptions, RequestOptions } from "./connection/outgoing-request.js";
export type { ConnectionEnd } from "./endpoint/connection-end.js";
export type { AccessMode, AccessPolicy } from "./files/access-policy.js";
export { FileError, type FileErrorCode, LinkInPathError } from "./files/errors.js";
export type { FileServerLogger as SFTPLogger, FileServerOptions, ServedFiles } from "./files/file-server-options.js";
export type { FileServerStream } from "./files/file-server-stream.js";
export type * from "./files/file-system.js";
export { LocalFileSystem } from "./files/local/local-file-system.js";
export { MemoryFileSystem, type MemoryFileSystemOptions } from "./files/memory/memory-file-system.js";
export { audit } from "./files/wrappers/audit.js";
export type { AuditEvent } from "./files/wrappers/audit-event.js";
export type { AuditOptions } from "./files/wrappers/audit-trail.js";
export { mount } from "./files/wrappers/mount.js";
export { type QuotaOptions, quota } from "./files/wrappers/quota.js";
export { readOnly } from "./files/wrappers/read-only.js";
export { ProtocolError } from "./protocol/errors.js";
export type { InfoRequest } from "./protocol/messages/userauth-keyboard-interactive.js";
export { parseSCPCommand, type SCPCommand } from "./scp/scp-command.js";
export { SCPServer } from "./scp/scp-server.js";
export type {
  AdmissionOptions,
  NetworkList,
  PenaltyOptions,
  ProxyProtocolOptions,
} from "./server/admission/options.js";
export type { OverflowMode, PenaltyCause, PenaltyTimes } from "./server/admission/penalties.js";
export type { Refusal, RefusalReason } from "./server/admission/refusal.js";
export type { StartupLimits } from "./server/admission/startups.js";
export type { AuthenticationOptions } from "./server/authentication-options.js";
export { type HostKeyFile, loadOrCreateHostKey } from "./server/host-keys/host-key-file.js";
export type { ManagerEvents, PenaltyEvent } from "./server/manager-events.js";
export type { SessionLimitOptions } from "./server/session-limits.js";
export type { SSHServerManagerOptions } from "./server/settings.js";
export { SSHServer, type SSHServerOptions } from "./server/ssh-server.js";
export { type ConnectionStats, SSHServerManager } from "./server/ssh-server-manager.js";
export type { StreamInfo } from "./server/stream-info.js";
export type { Connection } from "./session/connection.js";
export {
  type AnyChannel,
  type PseudoTerminal,
  SessionChannel as Channel,
  type SessionEvents,
} from "./session/session-channel.js";
export { StatusCode } from "./sftp/codec/constants.js";
export { SFTPError } from "./sftp/codec/sftp-error.js";
export { requestNames } from "./sftp/server/requests/registry.js";
export { SFTPServer, type SFTPServerOptions } from "./sftp/server/sftp-server.js";
export type { SFTPStream } from "./sftp/server/sftp-session.js";
export {
  type AlgorithmPreferences,
  type AlgorithmSelection,
  type AlgorithmsOption,
  defaultAlgorithms,
  supportedAlgorithms,
} from "./transport/algorithms.js";
export type { NegotiatedNames } from "./transport/negotiation.js";
