import { allowTargets, ConfigurationError, type ForwardingOptions, type Permissions } from "../../index.js";
import { describeError, UsageError } from "../errors.js";
import type { ForwardingChoice } from "./forwarding-options.js";

/** The forwarding of the command line, as options of a server. */
export interface DeclaredForwarding {
  readonly forwarding: ForwardingOptions;
  readonly permissions: Partial<Permissions>;
}

/**
 * Declares the forwarding. Sockets of the file system are not.
 *
 * @throws {UsageError} for a target that cannot be one
 */
export function declareForwarding(choice: ForwardingChoice | undefined): DeclaredForwarding {
  if (choice === undefined) return { forwarding: {}, permissions: {} };
  const { local, remote, agent, x11 } = choice;
  return {
    forwarding: {
      ...(local && { local: decideTargets(local) }),
      ...(remote && { remote: ({ path }) => path === undefined, gatewayPorts: remote.gatewayPorts }),
      agent,
      x11,
    },
    permissions: remote?.listen ? { permitListen: [remote.listen] } : {},
  };
}

function decideTargets(targets: NonNullable<ForwardingChoice["local"]>): NonNullable<ForwardingOptions["local"]> {
  if (targets === "any") return ({ path }) => path === undefined;
  try {
    return allowTargets({ targets });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new UsageError(describeError(error).replace(error.option, "--permit-open"));
  }
}
