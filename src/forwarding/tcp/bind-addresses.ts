/** GatewayPorts of sshd_config(5). */
export type GatewayPorts = "no" | "yes" | "clientspecified";

export const GATEWAY_PORTS: readonly GatewayPorts[] = ["no", "yes", "clientspecified"];

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
const ALL: readonly string[] = ["0.0.0.0", "::"];

/**
 * The addresses to listen on for a client that asks for `address` (RFC 4254 §7.1), as sshd chooses them: one of the two
 * of loopback can be asked for alone also where nothing else can.
 *
 * @returns addresses; for `clientspecified` it may be a name
 */
export function bindAddresses(address: string, gatewayPorts: GatewayPorts): readonly string[] {
  if (gatewayPorts === "yes") return ALL;
  if (LOOPBACK.includes(address)) return [address];
  if (gatewayPorts === "no" || address === "localhost") return LOOPBACK;
  return address === "" || address === "*" ? ALL : [address];
}
