import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { portOf } from "../../../src/connection/channel.js";
import { ChannelOpenError } from "../../../src/connection/channel-open-error.js";
import { encodeAuthorityEntry } from "../../../src/forwarding/x11/authority-file.js";
import { X11Displays } from "../../../src/forwarding/x11/x11-displays.js";
import { X11Forwarding } from "../../../src/forwarding/x11/x11-forwarding.js";
import type { AnyChannel, Channel, Connection, Joined, X11Request } from "../../../src/index.js";
import { Reader } from "../../../src/protocol/reader.js";
import { fakeConnection } from "../../connection/fake-connection.js";
import { inputOf, openTestChannel, type TestChannel } from "../../connection/test-channel.js";
import { watchListeners } from "./listeners.js";
import { connectToDisplay, portOfDisplay, setupMessage } from "./x-client.js";

const PROTOCOL = "MIT-MAGIC-COOKIE-1";
const COOKIE = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const SETUP = setupMessage(PROTOCOL, COOKIE);
const isRoot = process.getuid?.() === 0;

/** Where temporary files are during a test. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A session whose client has asked for X11, and what the client got. */
class Session {
  readonly displays: X11Displays;
  readonly session: TestChannel<Channel>;
  readonly x11: X11Forwarding;
  readonly opened: { readonly kind: string; readonly originator: string; readonly channel: TestChannel<AnyChannel> }[] =
    [];
  readonly problems: string[] = [];
  readonly notRemoved: string[] = [];
  readonly ended: Joined[] = [];
  /** What the client does with a channel for an X client. */
  answer: (signal: AbortSignal | undefined) => Promise<void> = async () => {};

  constructor(request: Partial<X11Request> = {}, displays = new X11Displays()) {
    const connection: Connection = {
      ...fakeConnection(),
      openChannel: async (kind, fields, options) => {
        await this.answer(options?.signal);
        const reader = new Reader(Buffer.from(fields ?? []));
        const originator = `${reader.readText()} ${reader.readUint32()}`;
        reader.end();
        const channel = openTestChannel({ kind: "x11", connection });
        this.opened.push({ kind, originator, channel });
        return channel.channel;
      },
    };
    this.displays = displays;
    this.session = openTestChannel({ connection });
    const complete = {
      singleConnection: false,
      authProtocol: PROTOCOL,
      authCookie: Buffer.from(COOKIE.toString("hex")),
      screenNumber: 0,
      ...request,
    };
    this.x11 = new X11Forwarding(this.session.channel, complete, displays, {
      refused: (problem) => this.problems.push(problem),
      notRemoved: (problem) => this.notRemoved.push(problem),
      ended: (joined) => this.ended.push(joined),
    });
    onTestFinished(() => this.close());
  }

  /** The client closes the session. */
  readonly close = (): void => portOf(this.session.channel).receiveClose();

  /** What the session's client has got of an X client, in words. */
  received(index: number): () => string {
    return () => this.opened[index]?.channel.link.received.join(" ") ?? "";
  }
}

describe("listen", () => {
  it("makes a display and an authority file of the session, once", async () => {
    const { x11, session } = new Session({ screenNumber: 3 });
    const [made, again] = await Promise.all([x11.listen(), x11.listen()]);
    expect(again).toBe(made);
    expect(await x11.listen()).toBe(made);
    const { display, authorityFile } = made;
    expect(display).toMatch(/^localhost:\d+\.3$/);
    expect(session.channel.environment).toEqual(
      new Map([
        ["DISPLAY", Buffer.from(display)],
        ["XAUTHORITY", Buffer.from(authorityFile)],
      ]),
    );
    expect((await stat(authorityFile)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(authorityFile))).mode & 0o777).toBe(0o700);
    expect(await readdir(folder)).toHaveLength(1);
    const displayNumber = portOfDisplay(display) - 6000;
    const entry = { hostName: hostname(), displayNumber, protocol: PROTOCOL, data: COOKIE };
    expect(await readFile(authorityFile)).toEqual(encodeAuthorityEntry(entry));
  });

  it.skipIf(!isRoot)("gives the file and its folder to the user of the program", async () => {
    const { x11, close } = new Session();
    const { authorityFile } = await x11.listen({ uid: 4000, gid: 5000 });
    for (const path of [authorityFile, dirname(authorityFile)]) {
      expect(await stat(path)).toMatchObject({ uid: 4000, gid: 5000 });
    }
    close();
    await expect.poll(() => readdir(folder)).toEqual([]);
  });

  it("leaves nothing behind a session", async () => {
    const { x11, close } = new Session();
    const listeners = watchListeners();
    await x11.listen();
    expect(listeners()).toBeGreaterThan(0);
    close();
    await expect.poll(() => readdir(folder)).toEqual([]);
    await expect.poll(listeners).toBe(0);
    await expect(x11.listen()).resolves.toBeDefined();
  });

  it("leaves nothing behind a channel that is closed on this side, and whose client does not answer", async () => {
    const { x11, session } = new Session();
    const listeners = watchListeners();
    await x11.listen();
    session.channel.destroy();
    await expect.poll(() => readdir(folder)).toEqual([]);
    await expect.poll(listeners).toBe(0);
  });

  it.each([0, 1, 2, 3, 4, 6, 8])(
    "leaves nothing where the session ends in the middle of it: turn %i",
    async (turns) => {
      const displays = new X11Displays(1);
      const { x11, close } = new Session({}, displays);
      const listeners = watchListeners();
      const listening = x11.listen();
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      close();
      await listening.catch((error) => expect(error.message).toBe("the channel is closed"));
      await expect.poll(() => readdir(folder)).toEqual([]);
      await expect.poll(listeners).toBe(0);
      // The only display is free.
      await new Session({}, displays).x11.listen();
    },
  );

  it("rejects when the session is over", async () => {
    const { x11, close } = new Session();
    close();
    // A program may have no use for the answer: what nobody handles would end the process.
    void x11.listen();
    await expect(x11.listen()).rejects.toThrow("the channel is closed");
    expect(await readdir(folder)).toEqual([]);
  });

  it("rejects when there are too many displays, and makes one when there are not", async () => {
    const displays = new X11Displays(1);
    const first = new Session({}, displays);
    await first.x11.listen();
    const second = new Session({}, displays);
    await expect(second.x11.listen()).rejects.toThrow("there are 1 X displays already");
    expect(second.session.channel.environment.size).toBe(0);
    first.close();
    await second.x11.listen();
  });

  it("gives the display back when the file cannot be written", async () => {
    vi.stubEnv("TMPDIR", join(folder, "missing"));
    const displays = new X11Displays(1);
    await expect(new Session({}, displays).x11.listen()).rejects.toThrow("ENOENT");
    vi.stubEnv("TMPDIR", folder);
    await new Session({}, displays).x11.listen();
  });
});

describe("an X client", () => {
  it("reaches the session's client by a channel that names it", async () => {
    const current = new Session();
    const { display } = await current.x11.listen();
    const socket = await connectToDisplay(display, "::1");
    const { localPort } = socket;
    for (const byte of SETUP) socket.write(Buffer.of(byte));
    socket.write("and more");
    await expect.poll(() => current.opened.length).toBe(1);
    const [{ kind, originator, channel }] = current.opened as [(typeof current.opened)[number]];
    expect([kind, originator]).toEqual(["x11", `::1 ${localPort}`]);
    const sent = `${SETUP.toString("latin1")}and more`;
    const received = () => channel.link.received.map((message) => message.replace(/^data /, "")).join("");
    await expect.poll(received).toBe(sent);
    inputOf(channel.channel).receiveData(Buffer.from("welcome"));
    expect(`${(await once(socket, "data"))[0]}`).toBe("welcome");
    socket.resetAndDestroy();
    await expect.poll(() => channel.link.received.at(-1)).toBe("CLOSE");
    expect(current.problems).toEqual([]);
    expect(current.ended).toMatchObject([{ bytesFromFirst: 7, bytesFromSecond: sent.length, cause: "reset" }]);
  });

  it.each([
    ["another cookie", setupMessage(PROTOCOL, Buffer.alloc(16))],
    ["none", setupMessage("", Buffer.alloc(0))],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("with %s does not", async (_, bytes) => {
    const current = new Session();
    const { display } = await current.x11.listen();
    const socket = await connectToDisplay(display);
    socket.write(bytes);
    const [error] = await once(socket, "error");
    expect(error.code).toBe("ECONNRESET");
    expect(current.problems).toEqual(["an X client has not shown the cookie"]);
    expect(current.opened).toEqual([]);
  });

  it("that ends before its cookie does not", async () => {
    const current = new Session();
    const { display } = await current.x11.listen();
    const socket = await connectToDisplay(display);
    socket.end(SETUP.subarray(0, 20));
    await once(socket, "error");
    expect(current.problems).toEqual(["an X client has not shown the cookie"]);
    expect(current.opened).toEqual([]);
  });

  it("shows what it has to where the protocol is another one, which the session's client judges", async () => {
    const current = new Session({ authProtocol: "XDM-AUTHORIZATION-1" });
    const { display } = await current.x11.listen();
    const socket = await connectToDisplay(display);
    await expect.poll(() => current.opened.length).toBe(1);
    socket.write("anything");
    await expect.poll(current.received(0)).toBe("data anything");
  });

  it("is reset where the session's client refuses", async () => {
    const current = new Session();
    current.answer = () => Promise.reject(new ChannelOpenError(1, "no"));
    const socket = await connectToDisplay((await current.x11.listen()).display);
    socket.write(SETUP);
    expect((await once(socket, "error"))[0].code).toBe("ECONNRESET");
    expect(current.problems).toEqual(["a channel for an X client was not opened"]);
  });

  it("is reset where the session's client does not answer in time, and waits no longer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const current = new Session();
    let waiting: AbortSignal | undefined;
    current.answer = async (signal) => {
      waiting = signal;
      await once(signal ?? expect.fail("the wait has no end"), "abort");
      throw signal?.reason;
    };
    const socket = await connectToDisplay((await current.x11.listen()).display);
    socket.write(SETUP);
    while (waiting === undefined) await nextTurn();
    vi.advanceTimersByTime(29_999);
    expect(waiting.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect((await once(socket, "error"))[0].code).toBe("ECONNRESET");
    expect(waiting.aborted).toBe(true);
    expect(current.problems).toEqual(["an X client's channel was not there in time"]);
  });

  it("is not held up by those that send nothing: the one that waits longest makes room", async () => {
    const current = new Session();
    const { display } = await current.x11.listen();
    const silent = await Promise.all(Array.from({ length: 32 }, () => connectToDisplay(display)));
    const ended = Promise.any(silent.map((socket) => once(socket, "error")));
    const socket = await connectToDisplay(display);
    socket.write(SETUP);
    await expect.poll(() => current.opened.length).toBe(1);
    expect((await ended)[0].code).toBe("ECONNRESET");
    expect(current.problems).toEqual(["too many X clients wait"]);
  });

  it("is one of no more than 256", async () => {
    const current = new Session();
    const { display } = await current.x11.listen();
    for (let count = 0; count < 256; count++) (await connectToDisplay(display)).write(SETUP);
    await expect.poll(() => current.opened.length).toBe(256);
    const socket = await connectToDisplay(display);
    socket.write(SETUP);
    expect((await once(socket, "error"))[0].code).toBe("ECONNRESET");
    expect(current.problems).toEqual(["too many X clients"]);
  });

  it("is the only one where the session's client wants one; those without the cookie do not count", async () => {
    const listeners = watchListeners();
    const current = new Session({ singleConnection: true });
    const { display } = await current.x11.listen();
    const [wrong, early, right] = await Promise.all([1, 2, 3].map(() => connectToDisplay(display)));
    wrong?.write(setupMessage(PROTOCOL, Buffer.alloc(16)));
    await expect.poll(() => current.problems.splice(0)).toEqual(["an X client has not shown the cookie"]);
    right?.write(SETUP);
    await expect.poll(() => current.opened.length).toBe(1);
    await expect.poll(listeners).toBe(0);
    early?.write(SETUP);
    await expect.poll(() => current.problems).toEqual(["a second X client, where the client wants one"]);
    // The first one goes on.
    right?.write("more");
    await expect.poll(current.received(0)).toMatch(/more$/);
  });

  it("is cut off with its session, whether it has its channel, waits for it, or has sent nothing", async () => {
    const current = new Session();
    const { display } = await current.x11.listen();
    const sockets = await Promise.all([1, 2, 3].map(() => connectToDisplay(display)));
    const [forwarded, waiting] = sockets;
    const cut = sockets.map((socket) => once(socket, "error"));
    forwarded?.write(SETUP);
    await expect.poll(() => current.opened.length).toBe(1);
    let waits: AbortSignal | undefined;
    current.answer = async (signal) => {
      waits = signal;
      await once(signal ?? expect.fail("the wait has no end"), "abort");
      throw signal?.reason;
    };
    waiting?.write(SETUP);
    await expect.poll(() => waits?.aborted).toBe(false);
    current.close();
    expect((await Promise.all(cut)).map(([error]) => error.code)).toEqual(Array(3).fill("ECONNRESET"));
    await expect.poll(() => waits?.aborted).toBe(true);
    await expect.poll(() => current.opened[0]?.channel.link.received.at(-1)).toBe("CLOSE");
    expect(current.problems).toEqual([]);
  });
});
