import { describe, expect, it, vi } from "vitest";
import type { Channel, Connection } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { InvalidTextError, ProtocolError } from "../../src/protocol/errors.js";
import { Writer } from "../../src/protocol/writer.js";
import {
  channelClose,
  channelData,
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  noneRequest,
  ping,
} from "../support/packet-messages.js";
import { shortenTimers } from "../support/short-timers.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";
import { MIB } from "./memory.js";

const { CHANNEL_FAILURE, CHANNEL_OPEN_FAILURE, CHANNEL_SUCCESS, DISCONNECT, PONG } = MessageNumber;
const { REQUEST_FAILURE, USERAUTH_FAILURE, USERAUTH_SUCCESS } = MessageNumber;

/** How a hook can break. */
const breakages: readonly (readonly [what: string, broken: () => never | Promise<never>])[] = [
  [
    "throws",
    () => {
      throw new Error("the hook is broken");
    },
  ],
  ["rejects", () => Promise.reject(new Error("the hook is broken"))],
];

/** Errors that mean something where a message of the client is read, and nothing where a hook throws them. */
const errorsOfTheLibrary: readonly Error[] = [
  new ProtocolError("the hook has read something of its own"),
  new InvalidTextError("the hook has read a text of its own"),
];

/** Works as its parent until `fault` is set, which the hooks then meet. */
class BreakableServer extends TargetServer {
  fault: { readonly hook: string; readonly meet: () => never | Promise<never> } | undefined;

  #meet(hook: string): Promise<never> | undefined {
    return this.fault?.hook === hook ? (this.fault.meet() as Promise<never>) : undefined;
  }

  override getBanner() {
    return this.#meet("getBanner") ?? "banner";
  }

  override getAllowedAuths(): string[] {
    return (this.#meet("getAllowedAuths") as unknown as string[]) ?? super.getAllowedAuths();
  }

  override checkAuthNone(username: string, connection: Connection) {
    return this.#meet("checkAuthNone") ?? super.checkAuthNone(username, connection);
  }

  override checkAuthPassword(username: string, password: string) {
    return this.#meet("checkAuthPassword") ?? super.checkAuthPassword(username, password);
  }

  override onAuthenticationSuccessful() {
    return this.#meet("onAuthenticationSuccessful");
  }

  override onAuthenticationFailed() {
    return this.#meet("onAuthenticationFailed");
  }

  override checkChannelRequest(kind: string) {
    return this.#meet("checkChannelRequest") ?? super.checkChannelRequest(kind);
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    return this.#meet("checkChannelExecRequest") ?? super.checkChannelExecRequest(channel, command);
  }

  override checkUnknownChannelRequest() {
    return this.#meet("checkUnknownChannelRequest") ?? false;
  }

  override checkGlobalRequest() {
    return this.#meet("checkGlobalRequest") ?? false;
  }

  override onChannelOpened() {
    return this.#meet("onChannelOpened");
  }

  override onChannelClosed() {
    return this.#meet("onChannelClosed");
  }
}

describe.each(breakages)("a hook that %s", (_, meet) => {
  it.each(["getAllowedAuths", "checkAuthPassword", "onAuthenticationSuccessful"])(
    "lets nobody in: %s",
    async (hook) => {
      const attacked = await Attacked.start(new BreakableServer());
      const client = await attacked.authenticating();
      attacked.server.fault = { hook, meet };
      const answer = await client.authPassword(USERNAME, PASSWORD).then(
        (payload) => payload[0],
        () => "disconnected",
      );
      expect([USERAUTH_FAILURE, "disconnected"]).toContain(answer);
      attacked.server.fault = undefined;
      client.reset();
      await attacked.expectUnharmed();
    },
  );

  it("harms nobody where it only has a text to show", async () => {
    const attacked = await Attacked.start(new BreakableServer());
    const client = await attacked.authenticating();
    attacked.server.fault = { hook: "getBanner", meet };
    client.sendPacket(noneRequest(USERNAME));
    expect([USERAUTH_FAILURE, DISCONNECT]).toContain((await client.nextPacket())[0]);
    attacked.server.fault = undefined;
    client.reset();
    await attacked.expectUnharmed();
  });

  it("changes nothing where it only informs of a failure", async () => {
    const attacked = await Attacked.start(new BreakableServer());
    const client = await attacked.authenticating();
    attacked.server.fault = { hook: "onAuthenticationFailed", meet };
    expect((await client.authPassword(USERNAME, "wrong"))[0]).toBe(USERAUTH_FAILURE);
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    attacked.server.fault = undefined;
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each(["onChannelOpened", "onChannelClosed"])("changes nothing where it only informs: %s", async (hook) => {
    const attacked = await Attacked.start(new BreakableServer());
    const client = await attacked.login();
    attacked.server.fault = { hook, meet };
    expect((await client.exec("hello")).exitStatus).toBe(0);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    attacked.server.fault = undefined;
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe.each(errorsOfTheLibrary)("a hook that throws a $name", (error) => {
  const fail = () => Promise.reject(error);

  it.each<[hook: string, message: (id: number) => Buffer, refusal: number]>([
    ["checkChannelRequest", () => channelOpen(), CHANNEL_OPEN_FAILURE],
    ["checkChannelExecRequest", (id) => execRequest(id, "hello"), CHANNEL_FAILURE],
    ["checkUnknownChannelRequest", (id) => channelRequest(id, "x@example.com", "want-reply"), CHANNEL_FAILURE],
    ["checkGlobalRequest", () => globalRequest("x@example.com", "want-reply"), REQUEST_FAILURE],
  ])("refuses, and the connection goes on: %s", async (hook, message, refusal) => {
    const attacked = await Attacked.start(new BreakableServer());
    const client = await attacked.login();
    const { id } = await client.openSession();
    attacked.server.fault = { hook, meet: fail };
    client.sendPacket(message(id));
    expect((await client.nextPacket())[0]).toBe(refusal);
    attacked.server.fault = undefined;
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("refuses an attempt, and the next one works", async () => {
    const attacked = await Attacked.start(new BreakableServer());
    const client = await attacked.authenticating();
    attacked.server.fault = { hook: "checkAuthPassword", meet: fail };
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_FAILURE);
    attacked.server.fault = undefined;
    expect((await client.authPassword(USERNAME, PASSWORD))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("something else than a list of methods", () => {
  it.each([
    ["undefined", undefined],
    ["a text", "password"],
    ["numbers", [1, 2]],
    ["names with commas", ["password,publickey"]],
    ["unknown names", ["telepathy"]],
  ])("lets nobody in and breaks nothing: %s", async (_, list) => {
    let sloppy = false;
    class SloppyServer extends TargetServer {
      override getAllowedAuths(): string[] {
        return sloppy ? (list as string[]) : super.getAllowedAuths();
      }
    }
    const attacked = await Attacked.start(new SloppyServer());
    const client = await attacked.authenticating();
    sloppy = true;
    client.sendPacket(noneRequest(USERNAME));
    expect([USERAUTH_FAILURE, DISCONNECT]).toContain((await client.nextPacket())[0]);
    sloppy = false;
    client.reset();
    await attacked.expectUnharmed();
  });
});

/** Runs `program` for the command "program". */
class ProgramServer extends TargetServer {
  program: (channel: Channel) => void = () => {};

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    if (command.toString() !== "program") return super.checkChannelExecRequest(channel, command);
    this.program(channel);
    return true;
  }
}

describe("a program's listener that throws harms no other connection", () => {
  const text = (value: string): Buffer => new Writer().writeString(value).toBuffer();

  it.each<[event: string, message: (id: number) => Buffer]>([
    ["data", (id) => channelData(id, "data")],
    ["signal", (id) => channelRequest(id, "signal", "no-reply", text("INT"))],
    ["break", (id) => channelRequest(id, "break", "no-reply", new Writer().writeUint32(0).toBuffer())],
    ["eow", (id) => channelRequest(id, "eow@openssh.com", "no-reply")],
  ])("%s", async (event, message) => {
    const attacked = await Attacked.start(new ProgramServer());
    attacked.server.program = (channel) => {
      channel.on(event, () => {
        throw new Error("the program is broken");
      });
    };
    const client = await attacked.login();
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "program"));
    await client.expect(CHANNEL_SUCCESS);
    client.sendPacket(message(id));
    client.sendPacket(ping("x"));
    expect([PONG, DISCONNECT]).toContain((await client.nextPacket())[0]);
    client.reset();
    await attacked.expectUnharmed();
  });
});

describe("a program's write that is still pending when the client leaves", () => {
  it.each(["resets the connection", "closes the channel"])(
    "is answered, so that the program can go on: the client %s",
    async (how) => {
      const answers: unknown[] = [];
      const attacked = await Attacked.start(new ProgramServer());
      attacked.server.program = (channel) => {
        channel.on("error", () => {});
        for (let index = 0; index < 3; index++) {
          channel.write(Buffer.alloc(MIB), (error) => answers.push(error));
          channel.stderr.write(Buffer.alloc(MIB), (error) => answers.push(error));
        }
      };
      const client = await attacked.login();
      const { id } = await client.openSession({ window: 10 });
      client.sendPacket(execRequest(id, "program"));
      await client.expect(CHANNEL_SUCCESS);
      if (how === "closes the channel") client.sendPacket(channelClose(id));
      else client.reset();
      await vi.waitFor(() => expect(answers).toHaveLength(6));
      client.reset();
      await attacked.expectUnharmed();
    },
  );
});

describe("a client that resets while the server reads nothing", () => {
  it("is noticed, so that hooks can stop", { timeout: 60_000 }, async () => {
    /** Decides never, unless its connection ends. */
    class PatientServer extends TargetServer {
      readonly given: string[] = [];
      override async checkGlobalRequest(kind: string, _payload: Buffer, connection: Connection): Promise<boolean> {
        await new Promise((resolve) => connection.signal.addEventListener("abort", resolve));
        this.given.push(kind);
        return false;
      }
    }
    const attacked = await Attacked.start(new PatientServer());
    const client = await attacked.login({ timeout: 20_000 });
    // Between two looks whether the client is still there.
    shortenTimers(10_000, 500);
    for (let index = 0; index < 2_000; index++) client.sendPacket(globalRequest("wait", "want-reply"));
    const noise = ping(Buffer.alloc(30_000));
    expect(await client.flood(() => noise, 4_000)).toBeLessThan(4_000);
    client.reset();
    await vi.waitFor(() => expect(attacked.server.given).not.toEqual([]), { timeout: 45_000 });
    await attacked.expectUnharmed();
  });
});
