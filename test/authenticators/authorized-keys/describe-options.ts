import type { Permissions } from "../../../src/auth/permissions.js";
import type { KeyOptions } from "../../../src/authenticators/authorized-keys/key-options.js";

/** Options as one text, in the notation of test/support/option-cases.ts. */
export function describeOptions({ permissions, touch, verification, expiry }: KeyOptions): string {
  const flags = [
    permissions.pty ? "p" : "",
    permissions.portForwarding ? "f" : "",
    permissions.agentForwarding ? "a" : "",
    permissions.x11Forwarding ? "x" : "",
    permissions.userRc ? "r" : "",
  ];
  const parts = [
    flags.join(""),
    ...(permissions.forceCommand === undefined ? [] : [`command=${permissions.forceCommand}`]),
    ...Object.entries(permissions.environment).map(([name, value]) => `${name}=${value}`),
    ...targets("open", permissions.permitOpen),
    ...targets("listen", permissions.permitListen),
    ...(touch === "optional" ? ["touch=optional"] : []),
    ...(verification === "required" ? ["verification=required"] : []),
    ...(expiry === undefined ? [] : [`expiry=${expiry}`]),
  ];
  return parts.join(" ");
}

function targets(name: string, lists: Permissions["permitOpen"]): string[] {
  return lists.map((list) => `${name}=${list.map(({ host, port }) => `${host}:${port}`).join(",")}`);
}
