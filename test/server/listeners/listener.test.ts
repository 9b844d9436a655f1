import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { checkPort } from "../../../src/server/listeners/listen-address.js";
import { type Listener, type ListenerOptions, listen } from "../../../src/server/listeners/listener.js";

const names = { host: "host", port: "port" };

async function listening(
  { host = "127.0.0.1", port = 0 }: { readonly host?: string; readonly port?: number } = {},
  options: Partial<ListenerOptions> = {},
): Promise<Listener> {
  const place = checkPort(host, port, names);
  const listener = await listen(place, { ipv6Only: false, accepted() {}, failed() {}, ...options });
  onTestFinished(() => listener.close());
  return listener;
}

const portOf = ({ address }: Listener) => ("port" in address ? address.port : 0);

describe("listen", () => {
  it("hands over the clients that connect, and where they have come in", async () => {
    const sockets: [Socket, unknown][] = [];
    const listener = await listening({}, { accepted: (socket, address) => sockets.push([socket.end(), address]) });
    const client = connect(portOf(listener), "127.0.0.1").resume();
    await once(client, "close");
    expect(sockets).toEqual([[expect.anything(), { address: "127.0.0.1", port: portOf(listener) }]]);
  });

  it.each([
    ["a port in use", async () => ({ port: portOf(await listening()) }), "port", "EADDRINUSE"],
    ["another machine's address", async () => ({ host: "192.0.2.1" }), "host", "EADDRNOTAVAIL"],
  ])("refuses %s", async (_, place, option, code) => {
    const error: unknown = await listening(await place()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ option, cause: { code } });
  });
});

describe("checkPort", () => {
  it("takes no empty address, which would be all of them", () => {
    expect(checkPort("::1", 22, names)).toMatchObject({ host: "::1", port: 22 });
    expect(() => checkPort("", 22, names)).toThrow(ConfigurationError);
  });
});
