import { UsageError } from "../errors.js";
import { parseChoice, parseElements } from "../option-values.js";

const KINDS = ["local", "remote", "agent", "x11"] as const;

const GATEWAY_PORTS = ["no", "yes", "clientspecified"] as const;

/** The library does not listen on ports below it, unless it is told to. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** The forwarding that `spindlex serve` allows. */
export interface ForwardingChoice {
  /** The targets that clients are connected to, each `HOST:PORT`, or any. */
  readonly local?: readonly string[] | "any";
  readonly remote?: RemoteChoice;
  readonly agent: boolean;
  readonly x11: boolean;
}

export interface RemoteChoice {
  /** The places that may be listened on; any when absent. */
  readonly listen?: readonly ListenPlace[];
  readonly gatewayPorts: (typeof GATEWAY_PORTS)[number];
}

/** A place to listen on: `*` is any. */
export interface ListenPlace {
  readonly host: string;
  readonly port: number | "*";
}

/** The values of the options, as they stand on the command line. */
export interface ForwardingArguments {
  readonly "allow-forwarding"?: string | undefined;
  readonly "permit-open"?: string | undefined;
  readonly "permit-listen"?: string | undefined;
  readonly "gateway-ports"?: string | undefined;
  readonly "allow-exec": boolean;
  readonly shell: boolean;
}

/**
 * Reads the options about forwarding; `undefined` where nothing is forwarded.
 *
 * @throws {UsageError}
 */
export function parseForwarding(values: ForwardingArguments): ForwardingChoice | undefined {
  const kinds = parseKinds(values["allow-forwarding"]);
  for (const [option, kind] of [
    ["permit-open", "local"],
    ["permit-listen", "remote"],
    ["gateway-ports", "remote"],
  ] as const) {
    if (values[option] !== undefined && !kinds.includes(kind)) {
      throw new UsageError(`--${option} needs --allow-forwarding ${kind}`);
    }
  }
  for (const kind of ["agent", "x11"] as const) {
    if (kinds.includes(kind) && !values["allow-exec"] && !values.shell) {
      throw new UsageError(
        `--allow-forwarding ${kind} needs --allow-exec or --shell: it is for the programs that are run`,
      );
    }
  }
  if (kinds.length === 0) return undefined;
  return {
    ...(kinds.includes("local") && { local: parsePermitOpen(values["permit-open"]) }),
    ...(kinds.includes("remote") && { remote: parseRemote(values["permit-listen"], values["gateway-ports"]) }),
    agent: kinds.includes("agent"),
    x11: kinds.includes("x11"),
  };
}

function parseKinds(text: string | undefined): readonly (typeof KINDS)[number][] {
  if (text === undefined) return [];
  return parseElements("--allow-forwarding", text, (name, kind) => parseChoice(name, kind, KINDS));
}

function parsePermitOpen(text: string | undefined): readonly string[] | "any" {
  if (text === undefined) {
    throw new UsageError(
      "--allow-forwarding local needs --permit-open HOST:PORT,…, or --permit-open any for all hosts",
    );
  }
  const targets = parseElements("--permit-open", text, (_name, target) => checkTarget(target));
  if (!targets.includes("any")) return targets;
  if (targets.length > 1) throw new UsageError("--permit-open is 'any' or a list, not both");
  return "any";
}

/** Sees to the usual mistakes. The library looks at the rest, and does not know the option. */
function checkTarget(text: string): string {
  refuseSocket("--permit-open", text);
  const [isPlain, , port] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (isPlain === undefined || text === "any") return text;
  if (port === undefined) {
    throw new UsageError(`--permit-open: '${text}' has no port: HOST:PORT is needed, or HOST:* for all ports`);
  }
  if (!/^(?:\*|\d+(?:-\d+)?)$/.test(port)) {
    throw new UsageError(`--permit-open: '${text}' has no port of 1 to 65535, no range such as 8000-8080, and no *`);
  }
  return text;
}

function refuseSocket(option: string, text: string): void {
  if (!text.startsWith("/")) return;
  throw new UsageError(`${option}: '${text}' is a socket of the file system, and this command does not forward those`);
}

function parseRemote(places: string | undefined, gatewayPorts = "no"): RemoteChoice {
  return {
    ...(places !== undefined && { listen: parseElements("--permit-listen", places, parseListenPlace) }),
    gatewayPorts: parseChoice("--gateway-ports", gatewayPorts, GATEWAY_PORTS),
  };
}

/** `8080`, `localhost:8080`, `[::1]:*`: without an address it is for all of them, as in sshd_config(5). */
function parseListenPlace(_name: string, text: string): ListenPlace {
  refuseSocket("--permit-listen", text);
  if (/(?:^|:)\d+-\d+$/.test(text)) {
    throw new UsageError(`--permit-listen: '${text}' is a range, and there are none here: name each port`);
  }
  const [, bracketed, plain, portText = ""] = /^(?:\[([^\]]+)\]:|([^:[\]]+):)?(\*|\d{1,5})$/.exec(text) ?? [];
  const port = portText === "*" ? portText : Number(portText);
  if (port !== "*" && !(port >= 1 && port <= 65_535)) {
    throw new UsageError(`--permit-listen: '${text}' is not a port, or ADDRESS:PORT`);
  }
  if (port !== "*" && port < FIRST_UNPRIVILEGED_PORT) {
    throw new UsageError(
      `--permit-listen: ports under ${FIRST_UNPRIVILEGED_PORT}, such as ${port}, are not listened on`,
    );
  }
  return { host: bracketed ?? plain ?? "*", port };
}
