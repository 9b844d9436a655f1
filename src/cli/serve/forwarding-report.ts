import { printableText } from "../printable-text.js";
import type { ForwardingChoice, ListenPlace, RemoteChoice } from "./forwarding-options.js";

/** A line for each kind of forwarding. */
export function describeForwarding({ local, remote, agent, x11 }: ForwardingChoice): readonly string[] {
  return [
    ...(local === undefined ? [] : [`ssh -L, -D, -W and -J to ${describeTargets(local)}`]),
    ...(remote === undefined ? [] : [`ssh -R from ${describePlaces(remote)}`]),
    ...(agent ? ["ssh -A for programs"] : []),
    ...(x11 ? ["ssh -X for programs"] : []),
  ];
}

function describeTargets(targets: NonNullable<ForwardingChoice["local"]>): string {
  return targets === "any" ? "any host" : printableText(targets.join(", "));
}

const LISTENING: Readonly<Record<RemoteChoice["gatewayPorts"], string>> = {
  no: "on loopback",
  yes: "on all addresses",
  clientspecified: "on the address that the client asks for",
};

function describePlaces({ listen, gatewayPorts }: RemoteChoice): string {
  const places = listen?.map(describePlace).join(", ") ?? "any port";
  return `${printableText(places)}, ${LISTENING[gatewayPorts]}`;
}

function describePlace({ host, port }: ListenPlace): string {
  if (host === "*") return port === "*" ? "any port" : String(port);
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
