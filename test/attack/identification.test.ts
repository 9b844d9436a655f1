import { describe, expect, it } from "vitest";
import { PacketClient } from "../support/packet-client.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

/** A line of exactly this many bytes, CR LF included. */
const lineOf = (length: number): string => `SSH-2.0-${"x".repeat(length - 10)}\r\n`;

describe("identification that is accepted", () => {
  it.each([
    ["a line that ends in LF alone", "SSH-2.0-client\n"],
    ["comments", "SSH-2.0-client_1.0 some more words\r\n"],
    ["the longest line", lineOf(8194)],
    ["control characters", "SSH-2.0-cli\x1bent\r\n"],
    ["bytes outside US-ASCII", "SSH-2.0-cli\xe4nt\r\n"],
    ["a client that speaks both versions", "SSH-1.99-client\r\n"],
  ])("%s", async (_, identification) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.login(attacked.port, USERNAME, PASSWORD, { identification });
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("comes one byte at a time", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.connect(attacked.port);
    await client.readIdentification();
    for (const character of "SSH-2.0-packet_client\r\n") client.sendRaw(character);
    await client.exchangeKeys();
    await client.close();
    await attacked.expectUnharmed();
  });

  it("is sent by the server before the client has said anything", async () => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.connect(attacked.port);
    await client.readIdentification();
    expect(client.serverIdentification).toMatch(/^SSH-2\.0-[\x21-\x7e]+$/);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("identification that is refused", () => {
  it.each([
    ["a line before it", "hello\r\nSSH-2.0-client\r\n"],
    ["one byte too many", lineOf(8195)],
    ["a long line without end", `SSH-2.0-${"x".repeat(100_000)}`],
    ["an HTTP request", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    ["a TLS ClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a lone line end", "\n"],
    ["nothing but NULs", "\0".repeat(1000)],
    ["nothing but line ends", "\r\n".repeat(10_000)],
  ])("%s", async (_, identification) => {
    const attacked = await Attacked.start(new TargetServer());
    const client = await PacketClient.connect(attacked.port);
    client.sendRaw(Buffer.from(identification, "latin1"));
    await client.stream.closed();
    await attacked.expectUnharmed();
  });
});

describe("identification that does not come", () => {
  it("a byte now and then: the deadline is for the whole", async () => {
    const attacked = await Attacked.start(new TargetServer(), {}, (manager) => manager.setConnectionTimeout(0.3));
    const client = await PacketClient.connect(attacked.port);
    client.sendRaw("SSH-2.0-");
    const dripping = setInterval(() => client.sendRaw("x"), 20);
    try {
      await client.stream.closed();
    } finally {
      clearInterval(dripping);
    }
    await attacked.expectUnharmed();
  });
});
