import { ConfigurationError } from "../base/configuration-error.js";
import { checkOptions } from "../base/option-checks.js";

/**
 * One address and port that may be forwarded: `*` stands for any. Hosts are compared as texts (permitopen in sshd(8)).
 */
export interface ForwardingTarget {
  /** A name or an address; `*` and `?` are wildcards in `permitListen` alone. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number | "*";
}

/**
 * The permissions of a user, beside the decisions of the server's hooks. The library does not call the hook of
 * something that is not permitted. The names are those of the options in authorized_keys (sshd(8)) and of the
 * extensions of certificates (PROTOCOL.certkeys).
 */
export interface Permissions {
  /** Terminals. */
  readonly pty: boolean;
  /** Channels and listeners other than sessions. */
  readonly portForwarding: boolean;
  /** The client's agent (`ssh -A`). */
  readonly agentForwarding: boolean;
  /** The client's display (`ssh -X`). */
  readonly x11Forwarding: boolean;
  /** For servers that run a file of the user's at login, such as `~/.ssh/rc`. */
  readonly userRc: boolean;
  /**
   * Runs in place of every command, shell and subsystem. The command that the client asked for is in
   * `channel.originalCommand` and in the variable SSH_ORIGINAL_COMMAND. `internal-sftp` is the subsystem `sftp`.
   */
  readonly forceCommand: string | undefined;
  /** The targets to which a client may connect through the server: each list has to name them. Without lists, all. */
  readonly permitOpen: readonly (readonly ForwardingTarget[])[];
  /** The places where the server may listen for a client, likewise; hosts are wildcards in small letters, as in `permitlisten`. */
  readonly permitListen: readonly (readonly ForwardingTarget[])[];
  /** Variables in the environment of each session; a client cannot change them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Nothing is forbidden: the hooks alone decide. */
export const ALL_PERMISSIONS: Permissions = frozen({
  pty: true,
  portForwarding: true,
  agentForwarding: true,
  x11Forwarding: true,
  userRc: true,
  forceCommand: undefined,
  permitOpen: [],
  permitListen: [],
  environment: {},
});

/** As `restrict` in authorized_keys: commands, and nothing else. */
export const RESTRICTED_PERMISSIONS: Permissions = frozen({
  ...ALL_PERMISSIONS,
  pty: false,
  portForwarding: false,
  agentForwarding: false,
  x11Forwarding: false,
  userRc: false,
});

/**
 * Permissions that both give; both are frozen. Variables that both set have the value of `one`.
 *
 * @returns `undefined` where they force different commands: nobody knows which of them was meant to count
 */
export function intersectPermissions(one: Permissions, other: Permissions): Permissions | undefined {
  if (one.forceCommand !== undefined && other.forceCommand !== undefined && one.forceCommand !== other.forceCommand) {
    return undefined;
  }
  // Of most users: connections share it.
  if (one === ALL_PERMISSIONS) return other;
  if (other === ALL_PERMISSIONS) return one;
  return frozen({
    pty: one.pty && other.pty,
    portForwarding: one.portForwarding && other.portForwarding,
    agentForwarding: one.agentForwarding && other.agentForwarding,
    x11Forwarding: one.x11Forwarding && other.x11Forwarding,
    userRc: one.userRc && other.userRc,
    forceCommand: one.forceCommand ?? other.forceCommand,
    permitOpen: [...one.permitOpen, ...other.permitOpen],
    permitListen: [...one.permitListen, ...other.permitListen],
    environment: { ...other.environment, ...one.environment },
  });
}

const isFlag = (value: unknown) => typeof value === "boolean";
const isTarget = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  "host" in value &&
  typeof value.host === "string" &&
  "port" in value &&
  (value.port === "*" ||
    (typeof value.port === "number" && Number.isInteger(value.port) && value.port >= 1 && value.port <= 65_535));
const areTargets = (value: unknown) =>
  Array.isArray(value) && value.every((list) => Array.isArray(list) && list.every(isTarget));

const isVariable = ([name, text]: [string, unknown]) =>
  /^[^=\0]+$/.test(name) && typeof text === "string" && !text.includes("\0");

const TARGETS = 'a list of lists of { host, port }, the port a number or "*"';

/** A value from a file of settings, say, may be any: "no" must not permit. */
const CHECKS: { readonly [Name in keyof Permissions]: readonly [isGood: (value: unknown) => boolean, what: string] } = {
  pty: [isFlag, "true or false"],
  portForwarding: [isFlag, "true or false"],
  agentForwarding: [isFlag, "true or false"],
  x11Forwarding: [isFlag, "true or false"],
  userRc: [isFlag, "true or false"],
  forceCommand: [
    (value) => value === undefined || (typeof value === "string" && !value.includes("\0")),
    "a text without NUL",
  ],
  permitOpen: [areTargets, TARGETS],
  permitListen: [areTargets, TARGETS],
  environment: [
    (value) => typeof value === "object" && value !== null && Object.entries(value).every(isVariable),
    "an object of texts without NUL, their names without an equals sign",
  ],
};

const NAMES = Object.keys(CHECKS) as (keyof Permissions)[];

/**
 * Completes permissions: those that are not given are not restricted.
 *
 * @param option the name of the option that holds them
 * @throws {ConfigurationError} when one does not exist, or has a value that it cannot have
 */
export function completePermissions(some: Partial<Permissions>, option = "permissions"): Permissions {
  const given = checkOptions(some, NAMES, option);
  for (const name of NAMES) {
    const [isGood, what] = CHECKS[name];
    if (name in given && !isGood(given[name])) throw new ConfigurationError(`${option}.${name}`, `must be ${what}`);
  }
  return Object.keys(given).length === 0 ? ALL_PERMISSIONS : frozen({ ...ALL_PERMISSIONS, ...given });
}

/** A copy of `permissions` that nobody can change, not even the program that has the original. */
function frozen(permissions: Permissions): Permissions {
  const frozenLists = (lists: Permissions["permitOpen"]) =>
    Object.freeze(lists.map((list) => Object.freeze(list.map((target) => Object.freeze({ ...target })))));
  return Object.freeze({
    ...permissions,
    permitOpen: frozenLists(permissions.permitOpen),
    permitListen: frozenLists(permissions.permitListen),
    environment: Object.freeze({ ...permissions.environment }),
  });
}

/**
 * Whether every list names this host and port.
 *
 * @param matches whether the host is the one that a target names; by default where both are the same text
 */
export function namedByAll(
  lists: Permissions["permitOpen"],
  host: string,
  port: number,
  matches: (host: string, pattern: string) => boolean = (one, other) => one === other,
): boolean {
  return lists.every((list) =>
    list.some(
      (target) => (target.host === "*" || matches(host, target.host)) && (target.port === "*" || target.port === port),
    ),
  );
}
