/** SFTP over any stream, and the file systems that it serves: `spindlex/sftp`. */

export type { MaybePromise } from "../base/maybe-promise.js";
export type { QuotaUsage } from "../base/quota-ledger.js";
export type { AccessContext, AccessFunction } from "../files/access-function.js";
export type { AccessMode, AccessPolicy } from "../files/access-policy.js";
export { FileError, type FileErrorCode, LinkInPathError } from "../files/errors.js";
export type { FileOperation } from "../files/file-operation.js";
export {
  type AbortedOutcome,
  type AbortReason,
  COMPLETED,
  type CompletedOutcome,
  type FileOutcome,
} from "../files/file-outcome.js";
export type { FileServerLogger, FileServerOptions, FilesOptions, ServedFiles } from "../files/file-server-options.js";
export type { FileServerConnection, FileServerStream } from "../files/file-server-stream.js";
export type * from "../files/file-system.js";
export { LocalFileSystem } from "../files/local/local-file-system.js";
export type { MemoryFileHandle } from "../files/memory/memory-file-handle.js";
export { MemoryFileSystem, type MemoryFileSystemOptions } from "../files/memory/memory-file-system.js";
export type { FindGroups } from "../files/rules/membership.js";
export type { Rule } from "../files/rules/rule.js";
export { type RulesOptions, rules } from "../files/rules/rules.js";
export type { TransferEvent, TransferListener, TransferListeners } from "../files/transfer-events.js";
export { type AtomicUploadsOptions, atomicUploads } from "../files/wrappers/atomic-uploads.js";
export { audit } from "../files/wrappers/audit.js";
export type { AuditCircumstances, AuditEvent, AuditedOperation, AuditOutcome } from "../files/wrappers/audit-event.js";
export type { AuditOptions } from "../files/wrappers/audit-trail.js";
export { mount } from "../files/wrappers/mount.js";
export { type LimitedFileSystem, type QuotaOptions, quota } from "../files/wrappers/quota.js";
export { readOnly } from "../files/wrappers/read-only.js";
export type { QuotaWarningListener } from "../files/wrappers/share-watch.js";
export { type SweepOptions, sweepUploads } from "../files/wrappers/sweep-uploads.js";
export { StatusCode } from "./codec/constants.js";
export { SFTPError } from "./codec/sftp-error.js";
export { requestNames } from "./server/requests/registry.js";
export { SFTPServer, type SFTPServerOptions } from "./server/sftp-server.js";
export type { SFTPStream } from "./server/sftp-stream.js";
