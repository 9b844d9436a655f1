/** SSH servers for Node.js: `spindlex`. */

export type { Identity, PasswordChangeRequired, Prompt } from "./auth/authenticator.js";
export { PromptAbortedError } from "./auth/keyboard-interactive.js";
export { Channel, type PseudoTerminal } from "./connection/channel.js";
export type { Connection } from "./connection/connection.js";
export { ConfigurationError, ProtocolError } from "./protocol/errors.js";
export type { InfoRequest } from "./protocol/messages/userauth.js";
export type { Logger } from "./server/logger.js";
export type { StreamInfo } from "./server/server-connection.js";
export type { SSHServerManagerOptions } from "./server/settings.js";
export { SSHServer } from "./server/ssh-server.js";
export { type ConnectionStats, SSHServerManager } from "./server/ssh-server-manager.js";
export type { AccessMode, AccessPolicy } from "./sftp/access-policy.js";
export { StatusCode } from "./sftp/constants.js";
export { LinkInPathError, SFTPError } from "./sftp/errors.js";
export type * from "./sftp/file-system.js";
export { LocalFileSystem } from "./sftp/local/local-file-system.js";
export { MemoryFileSystem } from "./sftp/memory/memory-file-system.js";
export { requestNames } from "./sftp/requests/registry.js";
export { type ServedFiles, SFTPServer, type SFTPServerOptions } from "./sftp/sftp-server.js";
export type { SFTPLogger, SFTPStream } from "./sftp/sftp-session.js";
export type { AlgorithmPreferences, AlgorithmsOption } from "./transport/algorithms.js";
export type { NegotiatedNames } from "./transport/negotiation.js";
