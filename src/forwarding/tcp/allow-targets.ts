import { addressText } from "../../addresses/address.js";
import { inNetworks } from "../../addresses/network.js";
import { ConfigurationError } from "../../base/configuration-error.js";
import { messageOf } from "../../base/is-error.js";
import { loggedText } from "../../base/logged-text.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkChoice, checkOptions, checkText, kindOf } from "../../base/option-checks.js";
import { noteRefusal } from "../../base/refusal-reasons.js";
import type { Connection } from "../../session/connection.js";
import type { ForwardingDecision } from "../decision.js";
import type { LocalTarget } from "../target.js";
import { isPublicAddress } from "./special-addresses.js";
import { parseTargetHost } from "./target-host.js";
import { matchesName, parseTargetPattern, type TargetPattern } from "./target-pattern.js";

/**
 * Targets, each `host:port`:
 *
 * - `db.internal:5432`: a name, in any case.
 * - `*.example.com:443`: a pattern for names, as in ssh_config(5): `*` for any characters, dots too, and `?` for one.
 * - `192.0.2.1:22`, `10.0.0.0/8:22`, `[2001:db8::]/32:*`: an address, or all of a network, whatever name leads there.
 * - The port is a number, a range (`8000-8080`), or `*`.
 */
export type TargetList = readonly string[];

/** Options of `allowTargets`. */
export interface AllowTargetsOptions {
  /**
   * A list for all users; lists by user, of which others have none; or a function that is asked for a user's list each
   * time, and gives `undefined` where there is none.
   */
  readonly targets:
    | TargetList
    | Readonly<Record<string, TargetList>>
    | ReadonlyMap<string, TargetList>
    | ((user: string, connection: Connection) => MaybePromise<TargetList | undefined>);
  /**
   * The addresses that names may lead to: `"public"`, those for which `isPublicAddress` is true, or `"any"`. By default
   * a name that is listed in full may lead to any, as `db.internal` has to, and a name that a pattern matches to public
   * ones only. Addresses and networks of the list are not affected.
   */
  readonly addresses?: "public" | "any";
}

/** Gives `undefined` where there is no list. */
type ListOf = (user: string, connection: Connection) => MaybePromise<readonly TargetPattern[] | undefined>;

/**
 * Decides by a list to which targets clients are connected (`ssh -L`, `-D`, `-W`, `-J`): for `local` of the option
 * `forwarding`. Names are resolved once, and each address is looked at before the library connects to it. Sockets of the
 * file system are refused.
 *
 * @returns a decision: `false` for what is not in the list. It rejects with a ConfigurationError where a function has
 *   given what is not a list, and with a ChannelOpenError where the target is not reached
 * @throws {ConfigurationError} when an option or an element of a list cannot be used
 */
export function allowTargets(options: AllowTargetsOptions): (target: LocalTarget) => Promise<ForwardingDecision> {
  const given = checkOptions(options, ["targets", "addresses"]);
  const { targets, addresses } = given;
  // One that was looked up and not found must not mean the default, which may allow more.
  if ("addresses" in given) checkChoice("addresses", addresses, ["public", "any"]);
  const listOf = readTargets(targets);

  return async (target) => {
    const refuse = (reason: string) => {
      noteRefusal(target, reason);
      return false;
    };
    if (target.path !== undefined) return refuse("it is a socket of the file system");
    const host = parseTargetHost(target.host);
    if (host === undefined) return refuse("it is not a name or an address of a host");
    const user = loggedText(target.user);
    const patterns = await listOf(target.user, target.connection);
    if (patterns === undefined) return refuse(`${user} has no list`);
    const name = "address" in host ? addressText(host.address) : host.name;
    const allowAddress = allowedAddresses(
      patterns.filter(({ firstPort, lastPort }) => firstPort <= target.port && target.port <= lastPort),
      name,
      addresses,
    );
    if (allowAddress === undefined) return refuse(`not in the list of ${user}`);
    if ("address" in host && !allowAddress(name)) {
      return refuse(
        `a pattern of ${user} matches, but ${name} is not a public address: list the address or its network`,
      );
    }
    return target.connect({ allowAddress });
  };
}

/** @returns whether a host of this name may be reached at an address; `undefined` where it may at none */
function allowedAddresses(
  patterns: readonly TargetPattern[],
  host: string,
  addresses: AllowTargetsOptions["addresses"],
): ((address: string) => boolean) | undefined {
  const networks = patterns.flatMap((pattern) => (pattern.kind === "network" ? pattern.network : []));
  const names = patterns.filter((pattern) => pattern.kind !== "network" && matchesName(pattern, host));
  if (networks.length + names.length === 0) return undefined;
  const reach = names.map(({ kind }) => addresses ?? (kind === "name" ? "any" : "public"));
  return (address) =>
    inNetworks(address, networks) || reach.includes("any") || (reach.includes("public") && isPublicAddress(address));
}

function readTargets(targets: AllowTargetsOptions["targets"]): ListOf {
  if (typeof targets === "function") {
    return async (user, connection) => {
      const list = await targets(user, connection);
      return list === undefined ? undefined : parseList(list);
    };
  }
  if (isList(targets)) {
    const list = parseList(targets);
    return () => list;
  }
  if (!(targets instanceof Map) && !isRecord(targets)) {
    throw new ConfigurationError(
      "targets",
      `must be an object with lists by user, a list, or a function, not ${kindOf(targets)}`,
    );
  }
  const entries = targets instanceof Map ? targets : Object.entries(targets);
  const lists = new Map([...entries].map(([user, list]) => [user, parseList(list, `targets.${loggedText(user)}`)]));
  return (user) => lists.get(user);
}

/** @throws {ConfigurationError} that names the list, by its user where it has one, and the element */
function parseList(list: TargetList, option = "targets"): readonly TargetPattern[] {
  if (!isList(list)) throw new ConfigurationError(option, `must be a list of host:port, not ${kindOf(list)}`);
  return list.map((element) => {
    checkText(option, element, "a list of texts");
    try {
      return parseTargetPattern(element);
    } catch (error) {
      throw new ConfigurationError(option, `${JSON.stringify(element)} cannot be used: ${messageOf(error)}`);
    }
  });
}

/** Whether its names are those of users: a Set, say, has none. */
function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !(Symbol.iterator in value);
}

function isList(value: unknown): value is TargetList {
  return Array.isArray(value);
}
