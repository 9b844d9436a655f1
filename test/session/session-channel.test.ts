import { Duplex } from "node:stream";
import { describe, expect, expectTypeOf, it } from "vitest";
import { Channel, type PseudoTerminal } from "../../src/index.js";
import { openTestChannel } from "../connection/test-channel.js";

describe("a session's channel", () => {
  it("has for hooks what is documented, and nothing by which only the library drives it", () => {
    const { channel } = openTestChannel();
    const names = new Set<string>();
    for (let one: object = channel; one !== Duplex.prototype; one = Object.getPrototypeOf(one)) {
      for (const name of Object.getOwnPropertyNames(one)) if (!name.startsWith("_")) names.add(name);
    }
    for (const name of Object.getOwnPropertyNames(new Duplex())) names.delete(name);
    expect([...names].sort()).toEqual([
      "agent",
      "bytesReceived",
      "bytesSent",
      "close",
      "connection",
      "constructor",
      "end",
      "environment",
      "id",
      "kind",
      "openFields",
      "originalCommand",
      "pty",
      "read",
      "send",
      "sendEof",
      "sendExitSignal",
      "sendExitStatus",
      "sendRequest",
      "sendStderr",
      "signal",
      "stderr",
      "write",
      "x11",
    ]);
    expect(channel).toBeInstanceOf(Channel);
  });

  it("tells the types of its events", () => {
    const { channel } = openTestChannel();
    const heard: unknown[] = [];
    channel.on("resize", (pty) => {
      expectTypeOf(pty).toEqualTypeOf<PseudoTerminal>();
      heard.push(pty.width);
    });
    channel.once("signal", (name) => {
      expectTypeOf(name).toEqualTypeOf<string>();
      heard.push(name);
    });
    channel.on("error", (error) => expectTypeOf(error).toEqualTypeOf<Error>());
    channel.emit("signal", "INT");
    channel.emit("resize", {
      term: Buffer.of(),
      width: 80,
      height: 24,
      pixelWidth: 0,
      pixelHeight: 0,
      modes: new Map(),
    });
    expect(heard).toEqual(["INT", 80]);
  });
});
