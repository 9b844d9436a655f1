import type { Permissions } from "../auth/permissions.js";
import { HookError } from "../base/hook-error.js";
import { InvalidTextError } from "../protocol/errors.js";
import type { Request } from "../protocol/messages/requests.js";
import type { Reader } from "../protocol/reader.js";
import { decodeTerminalModes } from "../protocol/terminal-modes.js";
import type { AnyChannel } from "./connection.js";
import { type PseudoTerminal, type SessionChannel, type SessionEvents, startProgram } from "./session-channel.js";
import type { SessionForwarding } from "./session-forwarding.js";
import type { ProgramReport } from "./session-program.js";

/** Bytes of names and values that one channel's environment may hold, and what each variable costs besides. */
const MAX_ENVIRONMENT_SIZE = 64 * 1024;
const VARIABLE_OVERHEAD = 256;

/** The variable that tells a forced command what was asked for (ForceCommand in sshd_config(5)). */
const ORIGINAL_COMMAND = "SSH_ORIGINAL_COMMAND";

/** The forced command that stands for SFTP (ForceCommand in sshd_config(5)). */
const INTERNAL_SFTP = "internal-sftp";

type Decision = boolean | Promise<boolean>;

/** The requests that need a permission of their own. */
const PERMISSIONS: ReadonlyMap<string, "pty" | "x11Forwarding" | "agentForwarding"> = new Map([
  ["pty-req", "pty"],
  ["x11-req", "x11Forwarding"],
  ["auth-agent-req@openssh.com", "agentForwarding"],
]);

/** Whether a user may make a request on a session, whatever a hook says. */
export function mayRequest(permissions: Permissions, kind: string): boolean {
  const permission = PERMISSIONS.get(kind);
  return permission === undefined || permissions[permission];
}

/** The request that one for a program stands for, where another command is forced. */
export function forcedKind({ forceCommand }: Permissions, kind: string): string {
  if (forceCommand === undefined || !["exec", "shell", "subsystem"].includes(kind)) return kind;
  return forceCommand === INTERNAL_SFTP ? "subsystem" : "exec";
}

/** The hooks that decide what a session may do: they return exactly `true` to allow. */
export interface SessionHooks {
  exec(channel: SessionChannel, command: Buffer): Decision;
  shell(channel: SessionChannel): Decision;
  subsystem(channel: SessionChannel, name: string): Decision;
  pty(channel: SessionChannel, pty: PseudoTerminal): Decision;
  windowChange(channel: SessionChannel, pty: PseudoTerminal): Decision;
  environment(channel: SessionChannel, name: string, value: Buffer): Decision;
  x11(
    channel: SessionChannel,
    singleConnection: boolean,
    authProtocol: string,
    authCookie: Buffer,
    screenNumber: number,
  ): Decision;
  agent(channel: SessionChannel): Decision;
  /** A request that the library does not know, on any channel. */
  unknown(channel: AnyChannel, kind: string, payload: Buffer): Decision;
}

/** The server of a session, as its requests need it. */
export interface SessionServer {
  readonly hooks: SessionHooks;
  readonly forwarding: SessionForwarding;
  readonly report: ProgramReport;
}

type Handler = (channel: SessionChannel, fields: Reader, server: SessionServer) => Decision;

/** The requests that a client can make on a session channel (RFC 4254 §6, RFC 4335, OpenSSH PROTOCOL §2.1). */
const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [
    "exec",
    (channel, fields, server) => {
      // A view would keep the chunk that the message lies in for as long as the program keeps its command.
      const command = Buffer.from(last(fields, fields.readString()));
      return askForProgram(channel, server, command, () => server.hooks.exec(channel, command));
    },
  ],
  [
    "shell",
    (channel, fields, server) => {
      fields.end();
      return askForProgram(channel, server, undefined, () => server.hooks.shell(channel));
    },
  ],
  [
    "subsystem",
    (channel, fields, server) => {
      const name = last(fields, fields.readText());
      return askForProgram(channel, server, Buffer.from(name), () => server.hooks.subsystem(channel, name));
    },
  ],
  ["pty-req", requestPty],
  ["window-change", changeWindow],
  ["env", requestVariable],
  ["signal", (channel, fields) => tell(channel, "signal", last(fields, fields.readText()))],
  ["break", (channel, fields) => tell(channel, "break", last(fields, fields.readUint32()))],
  ["eow@openssh.com", endOfWrite],
  ["x11-req", requestX11],
  ["auth-agent-req@openssh.com", requestAgent],
]);

/**
 * Handles one request on a session channel.
 *
 * @throws {ProtocolError} when the request is malformed
 */
export function handleSessionRequest(channel: SessionChannel, request: Request, server: SessionServer): Decision {
  const { kind, fields } = request;
  const handler = handlers.get(kind);
  if (handler !== undefined) return handler(channel, fields, server);
  return server.hooks.unknown(channel, kind, Buffer.from(fields.readRest()));
}

function last<T>(fields: Reader, value: T): T {
  fields.end();
  return value;
}

/** @param asked the command that the client wants to run; `undefined` for a shell */
function askForProgram(
  channel: SessionChannel,
  { hooks, report }: SessionServer,
  asked: Buffer | undefined,
  startAsked: () => Decision,
): Decision {
  const { forceCommand } = channel.connection.permissions;
  return startProgram(
    channel,
    forceCommand === undefined ? startAsked : () => startForced(channel, hooks, forceCommand, asked),
    report,
  );
}

function startForced(
  channel: SessionChannel,
  hooks: SessionHooks,
  command: string,
  asked: Buffer | undefined,
): Decision {
  if (asked?.includes(0)) throw new InvalidTextError(`${ORIGINAL_COMMAND} cannot hold a NUL`);
  channel.originalCommand = asked;
  if (asked === undefined) channel.environment.delete(ORIGINAL_COMMAND);
  else channel.environment.set(ORIGINAL_COMMAND, asked);
  return command === INTERNAL_SFTP ? hooks.subsystem(channel, "sftp") : hooks.exec(channel, Buffer.from(command));
}

function requestPty(channel: SessionChannel, fields: Reader, { hooks }: SessionServer): Decision {
  const pty = {
    term: Buffer.from(fields.readString()),
    width: fields.readUint32(),
    height: fields.readUint32(),
    pixelWidth: fields.readUint32(),
    pixelHeight: fields.readUint32(),
    modes: decodeTerminalModes(last(fields, fields.readString())),
  };
  if (channel.pty !== undefined || !mayRequest(channel.connection.permissions, "pty-req") || pty.term.includes(0))
    return false;
  return whenAllowed(hooks.pty(channel, pty), () => {
    channel.pty = pty;
  });
}

function changeWindow(channel: SessionChannel, fields: Reader, { hooks }: SessionServer): Decision {
  const size = {
    width: fields.readUint32(),
    height: fields.readUint32(),
    pixelWidth: fields.readUint32(),
    pixelHeight: fields.readUint32(),
  };
  fields.end();
  if (channel.pty === undefined) return false;
  const pty = { ...channel.pty, ...size };
  return whenAllowed(hooks.windowChange(channel, pty), () => {
    channel.pty = pty;
    tell(channel, "resize", pty);
  });
}

function requestVariable(channel: SessionChannel, fields: Reader, { hooks }: SessionServer): Decision {
  const name = fields.readText();
  const value = Buffer.from(last(fields, fields.readString()));
  if (
    name === ORIGINAL_COMMAND ||
    Object.hasOwn(channel.connection.permissions.environment, name) ||
    environmentSize(channel) + Buffer.byteLength(name) + value.length > MAX_ENVIRONMENT_SIZE ||
    !/^[^=\0]+$/.test(name) ||
    value.includes(0)
  ) {
    return false;
  }
  return whenAllowed(hooks.environment(channel, name, value), () => {
    channel.environment.set(name, value);
  });
}

function environmentSize({ environment }: SessionChannel): number {
  let size = 0;
  for (const [name, value] of environment) size += Buffer.byteLength(name) + value.length + VARIABLE_OVERHEAD;
  return size;
}

function endOfWrite(channel: SessionChannel, fields: Reader): boolean {
  fields.end();
  if (!tell(channel, "eow")) channel.destroy();
  return true;
}

/**
 * @returns whether there is a listener
 * @throws {HookError} in place of whatever a listener throws
 */
function tell<Event extends keyof SessionEvents>(
  channel: SessionChannel,
  event: Event,
  ...values: SessionEvents[Event]
): boolean {
  try {
    return channel.emit(event, ...values);
  } catch (error) {
    throw new HookError(`listener of ${event}`, error);
  }
}

function requestX11(channel: SessionChannel, fields: Reader, { hooks, forwarding }: SessionServer): Decision {
  const request = {
    singleConnection: fields.readBoolean(),
    authProtocol: fields.readText(),
    authCookie: Buffer.from(fields.readString()),
    screenNumber: last(fields, fields.readUint32()),
  };
  if (channel.x11 !== undefined || !mayRequest(channel.connection.permissions, "x11-req")) return false;
  const x11 = forwarding.x11(channel, request);
  if (x11 === undefined) return false;
  const { singleConnection, authProtocol, authCookie, screenNumber } = request;
  return whenAllowed(hooks.x11(channel, singleConnection, authProtocol, authCookie, screenNumber), () => {
    channel.x11 = x11;
  });
}

/** Later messages let the server open channels to the client's agent (OpenSSH PROTOCOL.agent §4). */
function requestAgent(channel: SessionChannel, fields: Reader, { hooks, forwarding }: SessionServer): Decision {
  fields.end();
  if (!mayRequest(channel.connection.permissions, "auth-agent-req@openssh.com")) return false;
  if (channel.agent !== undefined) return true;
  return whenAllowed(hooks.agent(channel), () => {
    channel.agent = forwarding.agent(channel);
  });
}

function whenAllowed(decision: Decision, effect: () => void): Decision {
  const settle = (allowed: boolean) => {
    if (allowed) effect();
    return allowed;
  };
  return decision instanceof Promise ? decision.then(settle) : settle(decision);
}
