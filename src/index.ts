/** SSH servers for Node.js: `spindlex`. */

export type { Address } from "./addresses/address.js";
export { type Network, parseNetworks } from "./addresses/network.js";
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
export {
  type AnyOf,
  anyOf,
  authorizedKeys,
  passwordFile,
  requireMethods,
  revokedKeys,
  totp,
  trustedUserCAs,
} from "./authenticators/index.js";
export { CommandLineError } from "./base/command-line.js";
export { ConfigurationError } from "./base/configuration-error.js";
export type { GivenOptions } from "./base/given-options.js";
export type { LogLevel } from "./base/log-level.js";
export { logLine } from "./base/log-line.js";
export { loggedPath, loggedText } from "./base/logged-text.js";
export type { Logger, LoggerOption } from "./base/logger.js";
export type { MaybePromise } from "./base/maybe-promise.js";
export { LineError, type LineFailure } from "./cluster/calls/line-error.js";
export type { WorkerContext, WorkersOptions } from "./cluster/options.js";
export type { WorkerStats } from "./cluster/primary/worker-totals.js";
export { serveWithWorkers } from "./cluster/serve-with-workers.js";
export { WorkerCrashLoopError, WorkerStartError } from "./cluster/worker-errors.js";
export type {
  WorkerConnection,
  WorkerEnded,
  WorkerInfo,
  Workers,
  WorkersEvents,
  WorkersStats,
} from "./cluster/workers.js";
export { AnswerTimeoutError } from "./connection/answer-timeout-error.js";
export { ChannelOpenError } from "./connection/channel-open-error.js";
export type { OpenRefusal } from "./connection/open-refusal.js";
export type { AnswerOptions, RequestOptions } from "./connection/outgoing-request.js";
export type { ConnectionEnd, EndedHere, PeerLeft } from "./endpoint/connection-end.js";
export { AgentError, type AgentErrorCode } from "./forwarding/agent/agent-error.js";
export type { ForwardingDecision } from "./forwarding/decision.js";
export { type Joined, type JoinOptions, join } from "./forwarding/join.js";
export {
  type DirectStreamlocal,
  type DirectTcpip,
  encodeForwardedStreamlocal,
  encodeForwardedTcpip,
  type ForwardedStreamlocal,
  type ForwardedTcpip,
  type OpenFields,
} from "./forwarding/open-fields.js";
export type { ForwardingOptions } from "./forwarding/options.js";
export type {
  ConnectOptions,
  ForwardingClient,
  ListenRequest,
  LocalTarget,
  SocketListenRequest,
  SocketTarget,
  TcpListenRequest,
  TcpTarget,
} from "./forwarding/target.js";
export { type AllowTargetsOptions, allowTargets, type TargetList } from "./forwarding/tcp/allow-targets.js";
export type { HostLookup } from "./forwarding/tcp/connect-target.js";
export { isPublicAddress } from "./forwarding/tcp/special-addresses.js";
export { logging } from "./middleware/logging.js";
export {
  type DiskFreeColumns,
  type HashCommand,
  type HashProgram,
  type ProbeCommand,
  parseProbeCommand,
} from "./probes/probe-command.js";
export { ProbeServer, type ProbeStream } from "./probes/probe-server.js";
export { type EnvironmentOptions, programEnvironment } from "./process/program-environment.js";
export { ProgramStartError } from "./process/program-start-error.js";
export { type RunOnOptions, runOn } from "./process/run-on.js";
export { runProgram } from "./process/run-program.js";
export { isolatedStdio } from "./process/terminal/open-terminals.js";
export {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  type AuthResult,
} from "./protocol/constants.js";
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
export type {
  AuthenticationOptions,
  CheckedAuthenticationOptions,
  PermissionsOption,
} from "./server/authentication-options.js";
export type { ConnectionStats } from "./server/connection-stats.js";
export {
  createServer,
  type Server,
  type ServerListenOptions,
  type ServerOptions,
} from "./server/create-server.js";
export type { DrainOptions } from "./server/drain-options.js";
export type { HomeQuota, HomeQuotaUsage } from "./server/homes/home-quota.js";
export { type Homes, type HomesOptions, homes } from "./server/homes/homes.js";
export { NoHomeError } from "./server/homes/no-home-error.js";
export type { SharedFolders } from "./server/homes/shared-folders.js";
export { type HostKeyFile, loadHostKey, loadOrCreateHostKey } from "./server/host-keys/host-key-file.js";
export type { HostKeyOption } from "./server/host-keys/host-key-option.js";
export type { BoundAddress, ListenAddress } from "./server/listeners/listen-address.js";
export type { ManagerEvents, PenaltyEvent } from "./server/manager-events.js";
export type { SessionLimitOptions } from "./server/session-limits.js";
export type {
  Files,
  FilesClient,
  FilesOption,
  SessionOptions,
} from "./server/session-options.js";
export type { SSHServerManagerOptions } from "./server/settings.js";
export { SSHServer, type SSHServerOptions } from "./server/ssh-server.js";
export { SSHServerManager } from "./server/ssh-server-manager.js";
export type { StreamInfo } from "./server/stream-info.js";
export { type SystemdNotifier, type SystemdNotifierOptions, systemdNotifier } from "./server/systemd/notifier.js";
export { type SystemdSocket, systemdSockets } from "./server/systemd/sockets.js";
export type { AnyChannel, Connection } from "./session/connection.js";
export { ExitError } from "./session/exit-error.js";
export type { FileOwner } from "./session/file-owner.js";
export type { AgentKey, AgentSignOptions, ForwardedAgent } from "./session/forwarded-agent.js";
export type { ForwardedX11, X11Display, X11Request } from "./session/forwarded-x11.js";
export type { ProgramEnd } from "./session/program-end.js";
export type { ProgramAccount, ProgramCommand, ProgramOptions } from "./session/program-runner.js";
export { Session } from "./session/session.js";
export {
  type ProgramDecision,
  type PseudoTerminal,
  SessionChannel as Channel,
  type SessionEvents,
} from "./session/session-channel.js";
export { SessionEndedError, type SessionEndReason } from "./session/session-ended-error.js";
export type { Middleware, SessionHandler, SessionResult } from "./session/session-handler.js";
export type { SessionTerminal } from "./session/terminal/session-terminal.js";
export type { TerminalInput } from "./session/terminal/terminal-input.js";
export type { TerminalOutput } from "./session/terminal/terminal-output.js";
export { SFTPServer, type SFTPServerOptions } from "./sftp/server/sftp-server.js";
export {
  type AlgorithmPreferences,
  type AlgorithmSelection,
  type AlgorithmsOption,
  defaultAlgorithms,
  supportedAlgorithms,
} from "./transport/algorithms.js";
export type { NegotiatedNames } from "./transport/negotiation.js";
