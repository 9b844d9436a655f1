import { type Network, parseNetwork } from "../../addresses/network.js";
import { matchesWildcard } from "../../addresses/wildcard.js";
import { MAX_PORT } from "../open-fields.js";
import { MAX_NAME_LENGTH } from "./target-host.js";

interface Ports {
  readonly firstPort: number;
  readonly lastPort: number;
}

/** One host by its name, or those with a name like it. */
export interface NamePattern extends Ports {
  readonly kind: "name" | "wildcard";
  readonly name: string;
}

/** All hosts with an address in it. */
export interface NetworkPattern extends Ports {
  readonly kind: "network";
  readonly network: Network;
}

/** Hosts and ports to which clients may be connected. */
export type TargetPattern = NamePattern | NetworkPattern;

type Hosts = Omit<NamePattern, keyof Ports> | Omit<NetworkPattern, keyof Ports>;

/** A network or an address of IPv6 in brackets, or else hosts without a colon; a port, two of them or any. */
const FORM = /^(?:\[([^[\]]+)\](\/\d+)?|([^:[\]]+)):(?:(\*)|(\d+)(?:-(\d+))?)$/;

/**
 * Reads `db.internal:5432`, `*.example.com:443`, `10.0.0.0/8:22`, `[2001:db8::]/32:*` or `*:8000-8080`.
 *
 * @throws {Error} that tells the mistake
 */
export function parseTargetPattern(text: string): TargetPattern {
  const [whole, bracketed, prefix = "", plain = "", anyPort, first, last = first] = FORM.exec(text) ?? [];
  if (whole === undefined) throw new Error("it is not host:port, with addresses of IPv6 in brackets");
  const [firstPort, lastPort] = anyPort === undefined ? [Number(first), Number(last)] : [1, MAX_PORT];
  if (firstPort < 1 || lastPort > MAX_PORT || firstPort > lastPort) {
    throw new Error("it has a port that is not 1 to 65535, a range of them, or *");
  }
  const hosts = bracketed === undefined ? parseHosts(plain) : parseBracketed(`${bracketed}${prefix}`);
  return { ...hosts, firstPort, lastPort };
}

/** Whether a pattern for names matches one. */
export function matchesName({ kind, name }: NamePattern, host: string): boolean {
  return kind === "name" ? comparable(host) === name : matchesWildcard(comparable(host), name);
}

function parseBracketed(text: string): Hosts {
  const network = text.includes("%") ? undefined : parseNetwork(text);
  if (network === undefined) throw new Error("it has no address in its brackets");
  return { kind: "network", network };
}

function parseHosts(text: string): Hosts {
  const network = parseNetwork(text);
  if (network !== undefined) return { kind: "network", network };
  const name = comparable(text);
  if (name.length > MAX_NAME_LENGTH || !/^[a-z0-9._*?-]+$/.test(name)) {
    throw new Error("it has a host that is not a name (in letters of ASCII), a pattern or a network");
  }
  // As names they would mean other hosts: 10.* is also 10.example.com, and 127.1 is resolved to 127.0.0.1.
  if (/^(?=.*\d)[\d.*?]*$|(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name)) {
    throw new Error("it has a host that is like an address and is none: write a network, as 10.0.0.0/8");
  }
  return { kind: /[*?]/.test(name) ? "wildcard" : "name", name };
}

/** The DNS knows no case, and a dot at the end says that the name is complete. */
function comparable(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
