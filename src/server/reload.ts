import { ConfigurationError } from "../base/configuration-error.js";
import { type Place, samePlaces } from "./listeners/listen-address.js";
import { placesOf, type ServerSettings, type SSHServerManagerOptions } from "./settings.js";

const MESSAGE = "cannot be changed by a reload";

/**
 * Refuses options of a reload that would change what stays as it is. A place that is left out does.
 *
 * @param places that the server has been made for
 * @throws {ConfigurationError} naming the option
 */
export function requireSamePlaces(options: SSHServerManagerOptions, places: readonly Place[]): void {
  const { listen, bindAddress, port } = options;
  if (listen === undefined && bindAddress === undefined && port === undefined) return;
  const [first] = places;
  const stays = places.length === 1 && first?.kind === "port" ? { bindAddress: first.host, port: first.port } : {};
  if (samePlaces(placesOf(listen === undefined ? { ...stays, ...options } : options), places)) return;
  throw new ConfigurationError(blamed(options, stays), MESSAGE);
}

function blamed({ listen, bindAddress }: SSHServerManagerOptions, stays: { readonly bindAddress?: string }): string {
  if (listen !== undefined) return "listen";
  return bindAddress === undefined || bindAddress === stays.bindAddress ? "port" : "bindAddress";
}

/** Sources are counted, and penalised, by their blocks. @throws {ConfigurationError} */
export function requireSameSources({ admission: next }: ServerSettings, { admission }: ServerSettings): void {
  const { ipv4, ipv6 } = next.perSourceNetBlockSize;
  if (ipv4 === admission.perSourceNetBlockSize.ipv4 && ipv6 === admission.perSourceNetBlockSize.ipv6) return;
  throw new ConfigurationError("perSourceNetBlockSize", MESSAGE);
}

/**
 * Puts settings in the place of others, with which the connections that are open go on.
 *
 * @returns the settings, with what all connections of a server share
 */
export function succeed(settings: ServerSettings, previous: ServerSettings): ServerSettings {
  settings.forwarding.succeed(previous.forwarding);
  settings.sessionRunner.succeed(previous.sessionRunner);
  return { ...settings, warnings: previous.warnings };
}
