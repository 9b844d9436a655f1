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
export type { AlgorithmPreferences, AlgorithmsOption } from "./transport/algorithms.js";
export type { NegotiatedNames } from "./transport/negotiation.js";
