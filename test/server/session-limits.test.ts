import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  DisconnectReason,
  MessageNumber,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { resolveSessionLimits, SessionClocks, type SessionLimitOptions } from "../../src/server/session-limits.js";
import { openTestChannel } from "../connection/test-channel.js";
import { authorityOf } from "../session/test-authority.js";
import { channelOpen, message } from "../support/packet-messages.js";
import { login, startManager } from "./test-server.js";

const { channel: session } = openTestChannel();

describe("the clocks of a session", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  function start(options: SessionLimitOptions) {
    const over: string[] = [];
    const clocks: SessionClocks = new SessionClocks(resolveSessionLimits(options), (message) => {
      over.push(message);
      clocks.stop();
    });
    return { over, clocks };
  }

  it("do not run by default", () => {
    const { over } = start({});
    vi.advanceTimersByTime(1e9);
    expect(over).toEqual([]);
  });

  it("end a session after its time, whatever happens on it", () => {
    const { over, clocks } = start({ sessionTimeout: 60 });
    for (let second = 0; second < 59; second++) {
      clocks.touch();
      vi.advanceTimersByTime(1000);
    }
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(over).toEqual(["the session has lasted too long"]);
  });

  it("end an idle one not before its time, and not much after it", () => {
    const { over, clocks } = start({ idleTimeout: 10 });
    for (let second = 0; second < 100; second += 9) {
      vi.advanceTimersByTime(9000);
      expect(over).toEqual([]);
      clocks.touch();
    }
    vi.advanceTimersByTime(9999);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1001);
    expect(over).toEqual(["nothing has happened for too long"]);
  });

  it("end one without a channel, from the login on and after the last one was closed", () => {
    const unused = start({ unusedConnectionTimeout: 5 });
    vi.advanceTimersByTime(5000);
    expect(unused.over).toEqual(["no channel was open for too long"]);

    const { over, clocks } = start({ unusedConnectionTimeout: 5 });
    let count = 0;
    const authority = clocks.watch(
      authorityOf(() => OPEN_SUCCEEDED),
      () => count,
    );
    for (count of [1, 2]) authority.channelOpened(session);
    vi.advanceTimersByTime(60_000);
    count = 1;
    authority.channelClosed(session);
    vi.advanceTimersByTime(60_000);
    count = 0;
    authority.channelClosed(session);
    vi.advanceTimersByTime(4999);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(over).toEqual(["no channel was open for too long"]);
    authority.channelClosed(session);
  });
});

describe("a client", () => {
  it("gets ten sessions and no more, until it closes one", async () => {
    const client = await login(await startManager());
    for (let count = 0; count < 10; count++) await client.openSession();
    client.sendPacket(channelOpen());
    const failure = new Reader(await client.expect(MessageNumber.CHANNEL_OPEN_FAILURE), 5);
    expect(failure.readUint32()).toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
  });

  it("gets none where there are to be none", async () => {
    const client = await login(await startManager({ maxSessions: 0 }));
    client.sendPacket(channelOpen());
    await client.expect(MessageNumber.CHANNEL_OPEN_FAILURE);
  });

  it.each([
    [{ sessionTimeout: 0.2 }, "the session has lasted too long"],
    [{ idleTimeout: 0.2 }, "nothing has happened for too long"],
    [{ unusedConnectionTimeout: 0.2 }, "no channel was open for too long"],
  ])("is told why it has to go: %j", async (options, message) => {
    const manager = await startManager(options);
    const client = await login(manager);
    if (!("unusedConnectionTimeout" in options)) await client.openSession();
    expect(await client.waitDisconnect()).toEqual({ reason: DisconnectReason.BY_APPLICATION, message });
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
  });

  it("is idle, too, when it sends nothing but replies that nobody asked for", async () => {
    const client = await login(await startManager({ idleTimeout: 0.3 }));
    await client.openSession();
    const talking = setInterval(() => client.sendPacket(message(MessageNumber.REQUEST_FAILURE)), 20);
    try {
      expect((await client.waitDisconnect()).message).toBe("nothing has happened for too long");
    } finally {
      clearInterval(talking);
    }
  });
});
