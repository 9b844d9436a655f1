import type { ForwardingOptions, Permissions } from "../../../../src/index.js";
import type { Places } from "./places.js";

/** A configuration, as sshd_config(5) has it and in our words. */
export interface Settings {
  readonly title: string;
  /** Beside these, both allow all that they may. */
  readonly sshd: (places: Places) => readonly string[];
  readonly forwarding?: ForwardingOptions;
  readonly permissions?: (places: Places) => Partial<Permissions>;
}

export const PRINCIPALS_FILE = "principals";

/** AllowTcpForwarding is for sockets, too. */
const ports = (local: boolean, remote: boolean): ForwardingOptions => ({ local: () => local, remote: () => remote });

/** AllowStreamLocalForwarding. */
const sockets = (local: boolean, remote: boolean): ForwardingOptions => ({
  local: ({ path }) => path === undefined || local,
  remote: ({ path }) => path === undefined || remote,
});

export const SETTINGS: readonly Settings[] = [
  { title: "GatewayPorts no", sshd: () => ["GatewayPorts no"], forwarding: { gatewayPorts: "no" } },
  { title: "GatewayPorts yes", sshd: () => ["GatewayPorts yes"], forwarding: { gatewayPorts: "yes" } },
  {
    title: "GatewayPorts clientspecified",
    sshd: () => ["GatewayPorts clientspecified"],
    forwarding: { gatewayPorts: "clientspecified" },
  },
  { title: "AllowTcpForwarding no", sshd: () => ["AllowTcpForwarding no"], forwarding: ports(false, false) },
  { title: "AllowTcpForwarding local", sshd: () => ["AllowTcpForwarding local"], forwarding: ports(true, false) },
  { title: "AllowTcpForwarding remote", sshd: () => ["AllowTcpForwarding remote"], forwarding: ports(false, true) },
  {
    title: "AllowStreamLocalForwarding no, no agent, no X11",
    sshd: () => ["AllowStreamLocalForwarding no", "AllowAgentForwarding no", "X11Forwarding no"],
    forwarding: { ...sockets(false, false), agent: false, x11: false },
  },
  {
    title: "StreamLocalBindMask 0117, StreamLocalBindUnlink yes",
    sshd: () => ["StreamLocalBindMask 0117", "StreamLocalBindUnlink yes"],
    forwarding: { socketBindMask: 0o117, socketBindUnlink: true },
  },
  {
    title: "AllowStreamLocalForwarding remote",
    sshd: () => ["AllowStreamLocalForwarding remote"],
    forwarding: sockets(false, true),
  },
  {
    title: "DisableForwarding yes",
    sshd: () => ["DisableForwarding yes"],
    permissions: () => ({ portForwarding: false, agentForwarding: false, x11Forwarding: false }),
  },
  {
    title: "PermitOpen, PermitListen",
    sshd: ({ ports: { open, free } }) => [
      `PermitOpen 127.0.0.1:${open} localhost:* [::1]:${open}`,
      `PermitListen localhost:* 127.0.0.1:${free}`,
    ],
    permissions: ({ ports: { open, free } }) => ({
      permitOpen: [
        [
          { host: "127.0.0.1", port: open },
          { host: "localhost", port: "*" },
          { host: "::1", port: open },
        ],
      ],
      permitListen: [
        [
          { host: "localhost", port: "*" },
          { host: "127.0.0.1", port: free },
        ],
      ],
    }),
  },
  {
    title: "PermitOpen none, PermitListen none",
    sshd: () => ["PermitOpen none", "PermitListen none"],
    permissions: () => ({ permitOpen: [[]], permitListen: [[]] }),
  },
];

/** The one with AuthorizedPrincipalsFile. */
export const SETTINGS_OF_PRINCIPALS: Settings = {
  title: "AuthorizedPrincipalsFile",
  sshd: ({ folder }) => [`AuthorizedPrincipalsFile ${folder}/${PRINCIPALS_FILE}`],
};
