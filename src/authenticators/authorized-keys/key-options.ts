import { AddressPatterns } from "../../addresses/address-patterns.js";
import {
  ALL_PERMISSIONS,
  type ForwardingTarget,
  type Permissions,
  RESTRICTED_PERMISSIONS,
} from "../../auth/permissions.js";
import { nearestName } from "../../base/similar-names.js";
import { parseExpiryTime } from "./expiry-time.js";
import { parsePermitListen, parsePermitOpen } from "./forwarding-target.js";
import { parseOptionList, type WrittenOption } from "./option-list.js";

/** The options of one line (AUTHORIZED_KEYS FILE FORMAT in sshd(8)). */
export interface KeyOptions {
  /** The use of the key: to log in, or to certify the keys of others. */
  readonly role: "user" | "authority";
  /** A certificate has to name one of them, in place of the user. */
  readonly principals: readonly string[] | undefined;
  readonly from: AddressPatterns | undefined;
  /** Seconds since 1970, the last at which the line counts. */
  readonly expiry: number | undefined;
  readonly touch: "required" | "optional";
  readonly verification: "required" | "optional";
  /** With the variables of `environment`, which count only where the server wants them. */
  readonly permissions: Permissions;
}

type Flag = "pty" | "portForwarding" | "agentForwarding" | "x11Forwarding" | "userRc";

/** The change that an option makes to the result of the options before it. */
type Change<Value> = (before: KeyOptions, value: Value) => Partial<KeyOptions>;

/** Highest number of a tunnel device. */
const MAX_TUNNEL = 0x7ffffffd;

const NO_OPTIONS: KeyOptions = Object.freeze({
  role: "user",
  principals: undefined,
  from: undefined,
  expiry: undefined,
  touch: "required",
  verification: "optional",
  permissions: ALL_PERMISSIONS,
});

const NAMES: ReadonlyMap<string, Change<undefined>> = new Map<string, Change<undefined>>([
  ["restrict", (before) => permit(before, flagsOf(RESTRICTED_PERMISSIONS))],
  ["cert-authority", () => ({ role: "authority" })],
]);

/** Options that `no-` turns round. The last one counts. */
const SWITCHES: ReadonlyMap<string, Change<"on" | "off">> = new Map<string, Change<"on" | "off">>([
  ["pty", permission("pty")],
  ["port-forwarding", permission("portForwarding")],
  ["agent-forwarding", permission("agentForwarding")],
  ["x11-forwarding", permission("x11Forwarding")],
  ["user-rc", permission("userRc")],
  ["touch-required", (_before, setting) => ({ touch: setting === "on" ? "required" : "optional" })],
  ["verify-required", (_before, setting) => ({ verification: setting === "on" ? "required" : "optional" })],
]);

const VALUES: ReadonlyMap<string, Change<string>> = new Map<string, Change<string>>([
  [
    "command",
    (before, command) => {
      requireFirst("command", before.permissions.forceCommand);
      return permit(before, { forceCommand: command });
    },
  ],
  [
    "principals",
    (before, names) => {
      requireFirst("principals", before.principals);
      return { principals: names.split(",").filter((name) => name !== "") };
    },
  ],
  [
    "from",
    (before, patterns) => {
      requireFirst("from", before.from);
      return { from: AddressPatterns.parse(patterns) };
    },
  ],
  ["expiry-time", (before, time) => ({ expiry: Math.min(parseExpiryTime(time), before.expiry ?? Infinity) })],
  // Collected at the end: one line may hold thousands.
  ["environment", () => ({})],
  ["permitopen", () => ({})],
  ["permitlisten", () => ({})],
  ["tunnel", checkTunnel],
]);

const KNOWN_NAMES = [
  ...NAMES.keys(),
  ...VALUES.keys(),
  ...SWITCHES.keys(),
  ...[...SWITCHES.keys()].map((name) => `no-${name}`),
];

/**
 * Reads the options at the beginning of a line. Every option of sshd(8) counts, in the order in which they stand:
 * `restrict,pty` leaves terminals, `pty,restrict` does not.
 *
 * @param text without the key; may be empty
 * @throws {Error} that tells why the line must not be used: an option is unknown, malformed, or given twice where only
 *   one can count
 */
export function parseKeyOptions(text: string): KeyOptions {
  if (text === "") return NO_OPTIONS;
  let options = NO_OPTIONS;
  const written = parseOptionList(text);
  for (const option of written) options = { ...options, ...changeOf(options, option) };
  if (options.principals !== undefined && options.role !== "authority") {
    throw new Error("principals are for keys of certificate authorities");
  }
  const collected = {
    permitOpen: targetsOf(written, "permitopen", parsePermitOpen),
    permitListen: targetsOf(written, "permitlisten", parsePermitListen),
    environment: environmentOf(written),
  };
  return Object.freeze({ ...options, ...permit(options, collected) });
}

function changeOf(before: KeyOptions, { name, value }: WrittenOption): Partial<KeyOptions> {
  const change = VALUES.get(name);
  if (value !== undefined) {
    if (change === undefined) throw unknownOption(name);
    return change(before, value);
  }
  if (change !== undefined) throw new Error(`the option ${name} needs a value in quotes`);
  const turned = name.startsWith("no-");
  const turn = SWITCHES.get(turned ? name.slice("no-".length) : name);
  if (turn !== undefined) return turn(before, turned ? "off" : "on");
  const set = NAMES.get(name);
  if (set === undefined) throw unknownOption(name);
  return set(before, undefined);
}

/** A line that was pasted from a private key must not get into the log: what is longer than this may hold a part of one. */
function unknownOption(name: string): Error {
  return new Error(
    /^[a-z-]{1,12}$/.test(name) || nearestName(name, KNOWN_NAMES) !== undefined
      ? `the option ${name} is unknown`
      : "an option is unknown",
  );
}

function permission(flag: Flag): Change<"on" | "off"> {
  return (before, setting) => permit(before, { [flag]: setting === "on" });
}

function permit({ permissions }: KeyOptions, change: Partial<Permissions>): Partial<KeyOptions> {
  return { permissions: { ...permissions, ...change } };
}

function flagsOf({
  pty,
  portForwarding,
  agentForwarding,
  x11Forwarding,
  userRc,
}: Permissions): Pick<Permissions, Flag> {
  return { pty, portForwarding, agentForwarding, x11Forwarding, userRc };
}

function requireFirst(option: string, before: unknown): void {
  if (before !== undefined) throw new Error(`the option ${option} is given twice`);
}

/** The targets of one line are one list; each of them allows. */
function targetsOf(
  options: readonly WrittenOption[],
  name: string,
  parse: (text: string) => ForwardingTarget,
): Permissions["permitOpen"] {
  const targets = options.flatMap((option) => (option.name === name ? parse(option.value ?? "") : []));
  return targets.length === 0 ? [] : [targets];
}

/** The first of several values of one variable counts. */
function environmentOf(options: readonly WrittenOption[]): Permissions["environment"] {
  const variables = new Map<string, string>();
  for (const { name: option, value: assignment } of options) {
    if (option !== "environment" || assignment === undefined) continue;
    const [name, value] = readVariable(assignment);
    if (!variables.has(name)) variables.set(name, value);
  }
  // From entries, so that a variable may have any name, `__proto__` included.
  return Object.fromEntries(variables);
}

function readVariable(assignment: string): readonly [name: string, value: string] {
  const [, name, value] = /^([A-Za-z0-9_]+)=(.*)$/s.exec(assignment) ?? [];
  if (name === undefined || value === undefined) throw new Error("a variable of the environment is not NAME=value");
  return [name, value];
}

/** There are no tunnels here, so the device is never used; but a line with an impossible one cannot be used. */
function checkTunnel(_before: KeyOptions, device: string): Partial<KeyOptions> {
  const isNumber = /^\d{1,10}$/.test(device) && Number(device) <= MAX_TUNNEL;
  if (!isNumber && device.toLowerCase() !== "any") throw new Error("the tunnel device is invalid");
  return {};
}
