import { describe, expect, it, vi } from "vitest";
import { Channel, type Connection, SSHServer } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { sample } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  noneRequest,
  passwordRequest,
  ping,
} from "../support/packet-messages.js";
import { StreamEnded } from "../support/packet-socket.js";
import { Disconnected } from "../support/packet-transport.js";
import { Attacked, PASSWORD, TargetServer, USERNAME } from "./attacked-server.js";

const KIND = "test@example.com";
const OUTPUT = 100_000;

/** Does something with its connection in every hook, listener and callback. */
class ActingServer extends TargetServer {
  act: (connection: Connection, place: string) => void = () => {};
  /** What was asked of clients, and has no answer yet. */
  readonly asked = new Set<Promise<unknown>>();

  constructor() {
    super();
    for (const name of Object.getOwnPropertyNames(SSHServer.prototype)) {
      const hook: unknown = Reflect.get(this, name);
      if (name === "constructor" || typeof hook !== "function") continue;
      const acting = (...parameters: unknown[]): unknown => {
        const connection = connectionAmong(parameters);
        if (connection !== undefined) this.act(connection, `before ${name}`);
        const result: unknown = Reflect.apply(hook, this, parameters);
        if (connection !== undefined) this.act(connection, `after ${name}`);
        return result;
      };
      Object.defineProperty(this, name, { value: acting, configurable: true });
    }
  }

  ask(connection: Connection): void {
    for (const answer of [connection.openChannel(KIND), connection.sendGlobalRequest(KIND)]) {
      this.asked.add(answer);
      const settled = () => this.asked.delete(answer);
      answer.then(settled, settled);
    }
  }

  override checkChannelEnvRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Parameters<SSHServer["checkChannelExecRequest"]>[0], command: Buffer) {
    if (command.toString() !== "act") return super.checkChannelExecRequest(channel, command);
    const at = (place: string) => () => this.act(channel.connection, place);
    for (const event of ["end", "finish", "drain", "close"] as const) channel.on(event, at(`event ${event}`));
    channel.on("signal", at("event signal"));
    channel.signal.addEventListener("abort", at("the channel's signal"));
    channel.write(Buffer.alloc(OUTPUT), at("callback of write"));
    channel.stderr.end(Buffer.alloc(OUTPUT), at("callback of stderr"));
    channel.on("data", (data) => {
      this.act(channel.connection, "event data");
      channel.write(data, () => {
        this.act(channel.connection, "callback of a late write");
        channel.sendExitStatus(0);
        channel.close();
      });
    });
    return true;
  }
}

function connectionAmong(parameters: readonly unknown[]): Connection | undefined {
  for (const parameter of parameters) {
    if (parameter instanceof Channel) return (parameter as Channel & { connection: Connection }).connection;
    if (typeof parameter === "object" && parameter !== null && "rekey" in parameter) return parameter as Connection;
  }
  return undefined;
}

/** A client that has its session whatever comes in between, and exchanges keys when it is told to. */
class Session {
  readonly client: PacketClient;
  exchanges = 0;
  opens = 0;
  bytes = 0;

  constructor(client: PacketClient) {
    this.client = client;
  }

  async go(): Promise<void> {
    const text = (value: string): Buffer => new Writer().writeString(value).toBuffer();
    const { client } = this;
    await client.exchangeIdentifications();
    await client.exchangeKeys();
    await client.requestService("ssh-userauth");
    await this.#ask(noneRequest(USERNAME), M.USERAUTH_FAILURE);
    await this.#ask(passwordRequest(USERNAME, "wrong"), M.USERAUTH_FAILURE);
    await this.#ask(passwordRequest(USERNAME, PASSWORD), M.USERAUTH_SUCCESS);
    await this.#ask(globalRequest("x@example.com", "want-reply"), M.REQUEST_FAILURE);
    const confirmation = await this.#ask(channelOpen({ senderChannel: 9 }), M.CHANNEL_OPEN_CONFIRMATION);
    const id = confirmation.readUInt32BE(5);
    await this.#ask(channelRequest(id, "env", "want-reply", Buffer.concat([text("A"), text("B")])), M.CHANNEL_SUCCESS);
    await this.#ask(channelRequest(id, "x@example.com", "want-reply"), M.CHANNEL_FAILURE);
    await this.#ask(execRequest(id, "act"), M.CHANNEL_SUCCESS);
    client.sendPacket(channelData(id, "x"));
    client.sendPacket(channelRequest(id, "signal", "no-reply", text("INT")));
    await this.#ask(channelEof(id), M.CHANNEL_CLOSE);
    client.sendPacket(channelClose(id));
    await this.#ask(ping("done"), M.PONG);
  }

  async #ask(request: Buffer, answer: number): Promise<Buffer> {
    const { client } = this;
    client.sendPacket(request);
    for (;;) {
      const payload = await client.nextPacket();
      if (payload[0] === answer) return payload;
      if (payload[0] === M.DISCONNECT) throw new Disconnected(payload);
      if (payload[0] === M.CHANNEL_OPEN) this.opens++;
      if (payload[0] === M.CHANNEL_DATA) this.bytes += payload.length - 9;
      if (payload[0] === M.CHANNEL_EXTENDED_DATA) this.bytes += payload.length - 13;
      if (payload[0] === M.KEXINIT) await this.#exchangeKeys(payload);
    }
  }

  async #exchangeKeys(kexInit: Buffer): Promise<void> {
    this.exchanges++;
    this.client.acceptServerKexInit(kexInit);
    this.client.sendKexInit();
    await this.client.agreeOnKeys();
    this.client.sendNewKeys();
  }
}

/** Has one session; `act` is called wherever a program can do something. Returns what has become of it. */
async function attempt(act: ActingServer["act"], compression = "none") {
  const server = new ActingServer();
  const attacked = await Attacked.start(server);
  for (const event of ["connection", "authenticated", "disconnected"] as const) {
    attacked.manager.on(event, (connection: Connection) => server.act(connection, `event ${event}`));
  }
  const places = new Set<string>();
  server.act = (connection, place) => {
    places.add(place);
    act.call(server, connection, place);
  };
  const client = await attacked.connect({ compression: [compression] });
  const session = new Session(client);
  const error = await session.go().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await client.close();
  await vi.waitFor(() => expect(attacked.manager.getConnectionCount()).toBe(1));
  server.act = () => {};
  await vi.waitFor(() => expect(server.asked.size).toBe(0));
  await attacked.expectUnharmed();
  return { session, places, error };
}

describe.each(["none", "zlib@openssh.com"])(
  "what a program does in every hook, listener and callback (compression %s)",
  (compression) => {
    const acts: readonly (readonly [what: string, act: ActingServer["act"], exchanges: boolean, opens: boolean])[] = [
      ["new keys", (connection) => connection.rekey(), true, false],
      ["questions", doing("ask"), false, true],
      ["questions and new keys", doing("ask", "rekey"), true, true],
      ["new keys and questions", doing("rekey", "ask"), true, true],
    ];
    it.each(compression === "none" ? acts : sample(acts.toReversed(), 4))(
      "leaves sessions whole: %s",
      async (_, act, exchanges, opens) => {
        const { session, error } = await attempt(act, compression);
        expect(error).toBeUndefined();
        expect(session.bytes).toBe(2 * OUTPUT + 1);
        expect(session.exchanges > 3).toBe(exchanges);
        expect(session.opens > 10).toBe(opens);
      },
    );
  },
);

describe("a program that ends the connection in one of them", () => {
  it.each<[what: string, act: ActingServer["act"]]>([
    ["by disconnect", doing("disconnect")],
    ["by refuse", doing("refuse")],
    ["and asks for new keys", doing("rekey", "disconnect", "rekey")],
    ["and asks the client", doing("ask", "disconnect", "ask")],
  ])("leaves nothing behind, wherever that is: %s", { timeout: 60_000 }, async (_, acts) => {
    const { places } = await attempt(() => {});
    expect(places.size).toBeGreaterThan(35);
    for (const chosen of sample([...places], 3)) {
      const { error } = await attempt(function (this: ActingServer, connection, place) {
        if (place === chosen) acts.call(this, connection, place);
      });
      const ended = error === undefined || error instanceof Disconnected || error instanceof StreamEnded;
      expect(ended, `${chosen}: ${error}`).toBe(true);
    }
  });
});

function doing(...steps: readonly ("ask" | "rekey" | "disconnect" | "refuse")[]): ActingServer["act"] {
  return function (this: ActingServer, connection) {
    for (const step of steps) {
      if (step === "ask") this.ask(connection);
      else connection[step]();
    }
  };
}
