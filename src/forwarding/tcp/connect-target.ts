import type { Socket } from "node:net";
import { type Address, addressText, parseAddress } from "../../addresses/address.js";
import { loggedText } from "../../base/logged-text.js";
import { ChannelOpenError } from "../../connection/channel-open-error.js";
import { PendingAnswer } from "../../connection/pending-answer.js";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_CONNECT_FAILED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
} from "../../protocol/constants.js";
import { openFailure } from "../open-failure.js";
import { MAX_PORT } from "../open-fields.js";
import { firstConnection } from "./first-connection.js";
import { LookupQueueFullError } from "./lookup-queue.js";
import { systemLookups } from "./system-lookup.js";
import { parseTargetHost } from "./target-host.js";

/** Addresses of a name that are read at all: one answer of the DNS may have thousands. */
const MAX_ANSWERS = 256;

/** Those of them that are asked about and tried. */
const MAX_ADDRESSES = 16;

/**
 * Finds the addresses of a host: as texts, in the order in which they are to be tried. The library waits no longer than
 * until the signal fires.
 */
export type HostLookup = (host: string, options: { readonly signal: AbortSignal }) => Promise<readonly string[]>;

export interface TargetConnectorOptions {
  /** In place of the operating system's resolver. How many run at a time is for it to limit. */
  readonly lookup?: HostLookup | undefined;
}

export interface TargetRequest {
  /** Whether an address may be connected to. It is asked in the one writing of it: those mapped into IPv6 as IPv4. */
  readonly allowAddress?: ((address: string) => boolean) | undefined;
  /** Ends the connecting. The socket is not its business any more. */
  readonly signal: AbortSignal;
  /** The connection of the client: each has its turn where names wait to be looked up. */
  readonly owner: object;
}

/** Connects to the targets that clients name (`direct-tcpip`, RFC 4254 §7.2). */
export class TargetConnector {
  readonly #lookup: HostLookup | undefined;

  constructor({ lookup }: TargetConnectorOptions) {
    this.#lookup = lookup;
  }

  /**
   * Connects to an address of the host that is allowed: to the very one that was asked about, so that a name that
   * resolves to another one by then leads nowhere else.
   *
   * @returns a connected socket, which ends in each direction on its own. Rejects with a ChannelOpenError whose `cause`
   *   is for the log
   */
  async connect(
    { host, port }: { readonly host: string; readonly port: number },
    request: TargetRequest,
  ): Promise<Socket> {
    const { owner, signal } = request;
    try {
      signal.throwIfAborted();
      checkPort(port);
      const addresses = await this.#addresses(host, owner, signal);
      return await firstConnection(allowedOf(host, addresses, request), port, signal);
    } catch (error) {
      if (error instanceof ChannelOpenError) throw error;
      if (error instanceof LookupQueueFullError) throw openFailure(OPEN_FAILED_RESOURCE_SHORTAGE, error);
      throw openFailure(OPEN_FAILED_CONNECT_FAILED, error);
    }
  }

  async #addresses(text: string, owner: object, signal: AbortSignal): Promise<readonly string[]> {
    const host = parseTargetHost(text);
    if (host === undefined) throw new Error(`${loggedText(text)} is not a name or an address of a host`);
    if ("address" in host) return [addressText(host.address)];
    const found = await this.#find(host.name, owner, signal);
    const addresses = found.slice(0, MAX_ANSWERS).flatMap((address) => parseAddress(address) ?? []);
    if (addresses.length === 0) throw new Error(`${host.name} has no address`);
    return [...new Set(interleaved(addresses).map(addressText))].slice(0, MAX_ADDRESSES);
  }

  #find(name: string, owner: object, signal: AbortSignal): Promise<readonly string[]> {
    const lookup = this.#lookup;
    if (lookup === undefined) return systemLookups().find(name, owner, signal);
    const answer = new PendingAnswer<readonly string[]>(signal);
    const ask = async () => lookup(name, { signal });
    ask().then(
      (addresses) => answer.resolve(addresses),
      (error) => answer.reject(error),
    );
    return answer.promise;
  }
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) throw new Error(`there is no port ${port}`);
}

/** @throws {ChannelOpenError} when it is something else */
function allowedOf(host: string, addresses: readonly string[], { allowAddress }: TargetRequest): readonly string[] {
  if (allowAddress === undefined) return addresses;
  let allowed: readonly string[];
  try {
    // Nothing but `true`: a promise is not accepted.
    allowed = addresses.filter((address) => allowAddress(address) === true);
  } catch (error) {
    throw openFailure(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, error);
  }
  if (allowed.length > 0) return allowed;
  const verb = addresses.length > 1 ? "are" : "is";
  const mistake = `${host} leads to ${addresses.join(", ")}, which ${verb} not allowed`;
  const cause = new Error(`${mistake}: see allowAddress, or the option addresses of allowTargets`);
  throw openFailure(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, cause);
}

/** One address of each family after the other, beginning with the family of the first (RFC 8305 §4). */
function interleaved(addresses: readonly Address[]): readonly Address[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const both = Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    first[index],
    second[index],
  ]);
  return both.flat().filter((address) => address !== undefined);
}
