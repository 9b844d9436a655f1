import { once } from "node:events";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { checkAddress, type ListenerOptions, listen } from "../../src/server/listener.js";

async function listening(options: Partial<ListenerOptions> = {}): Promise<Server> {
  const server = await listen({ address: "127.0.0.1", port: 0, accepted() {}, failed() {}, ...options });
  onTestFinished(() => void server.close());
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe("listen", () => {
  it("hands over who connects, and tells of those that could not be accepted", async () => {
    const sockets: Socket[] = [];
    const errors: Error[] = [];
    const server = await listening({
      accepted: (socket) => sockets.push(socket.end()),
      failed: (error) => errors.push(error),
    });
    const client = connect(portOf(server), "127.0.0.1").resume();
    await once(client, "close");
    expect(sockets).toHaveLength(1);
    const error = new Error("too many open files");
    server.emit("error", error);
    server.emit("error", error);
    expect(errors).toEqual([error, error]);
  });

  it.each([
    ["a port in use", async () => ({ port: portOf(await listening()) }), "port", "EADDRINUSE"],
    ["another machine's address", async () => ({ address: "192.0.2.1" }), "bindAddress", "EADDRNOTAVAIL"],
  ])("refuses %s", async (_, options, option, code) => {
    const error: unknown = await listening(await options()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ option, cause: { code } });
  });
});

describe("checkAddress", () => {
  it("takes no empty address, which would be all of them", () => {
    expect(checkAddress("::1")).toBe("::1");
    expect(() => checkAddress("")).toThrow(ConfigurationError);
  });
});
