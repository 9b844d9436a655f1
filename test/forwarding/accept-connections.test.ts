import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { acceptConnections } from "../../src/forwarding/accept-connections.js";

it("reads nothing from a connection before somebody wants it", async () => {
  let accept: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const connections = { accepted: accept, failed: () => {} };
  const server = await acceptConnections({ host: "127.0.0.1", port: 0 }, connections);
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.end("early");
  const socket = await accepted;
  expect([socket.isPaused(), socket.allowHalfOpen]).toEqual([true, true]);
  await once(client, "finish");
  expect(socket.bytesRead).toBe(0);
  expect(`${await once(socket.resume(), "data")}`).toBe("early");
  client.destroy();
  socket.destroy();
  server.close();
});
