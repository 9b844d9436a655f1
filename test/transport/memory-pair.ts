import type { HostKey } from "../../src/crypto/pkey/host-key.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { type AlgorithmPreferences, defaultAlgorithms } from "../../src/transport/algorithms.js";
import { type ClientRoleOptions, clientRole } from "../../src/transport/client-role.js";
import type { Role } from "../../src/transport/role.js";
import { serverRole } from "../../src/transport/server-role.js";
import { Transport } from "../../src/transport/transport.js";
import { message } from "../support/packet-messages.js";
import { lend } from "./lend.js";

const { SERVICE_REQUEST, SERVICE_ACCEPT, USERAUTH_REQUEST, USERAUTH_SUCCESS, CHANNEL_DATA } = MessageNumber;

/** Turns of the event loop after which what was waited for is not to come. */
const MAX_TURNS = 2000;

export interface MemoryPairOptions {
  readonly clientAlgorithms?: Partial<AlgorithmPreferences>;
  readonly serverAlgorithms?: Partial<AlgorithmPreferences>;
  readonly hostKeys?: readonly HostKey[];
  /** Default: every key is accepted. */
  readonly acceptHostKey?: ClientRoleOptions["acceptHostKey"];
  /** Changes the roles. */
  readonly clientRole?: Partial<Role>;
  readonly serverRole?: Partial<Role>;
  readonly rekeyBytes?: number;
  /** How the bytes arrive. */
  readonly delivery?: "whole" | "byte by byte";
}

export const HOST_KEY = PKey.generate({ keyType: "ed25519" });

/** One end: the machine, and what it has told its owner. */
export class End {
  readonly transport: Transport;
  readonly events: string[] = [];
  readonly messages: Buffer[] = [];
  readonly failures: unknown[] = [];
  /** Bytes that this end has sent. */
  bytesSent = 0;
  /** Has its part in what follows a message. */
  onMessage: (payload: Buffer) => void = () => {};
  onKeys: () => void = () => {};
  #arrived: Buffer[] = [];
  #peer: End | undefined;

  constructor(role: Role, identification: string, algorithms: Partial<AlgorithmPreferences>, rekeyBytes: number) {
    this.transport = new Transport(
      { role, identification, algorithms: { ...defaultAlgorithms, ...algorithms }, rekeyBytes },
      {
        output: (bytes, done) => {
          this.bytesSent += bytes.length;
          this.#peer?.arrive(Buffer.from(bytes));
          done?.();
        },
        message: (payload) => {
          // The payloads of other messages belong to the receiver already.
          this.messages.push(payload[0] === CHANNEL_DATA ? Buffer.from(payload) : payload);
          this.onMessage(payload);
        },
        keyExchangeStarted: () => this.events.push("started"),
        keyExchangeFinished: () => {
          this.events.push("finished");
          this.onKeys();
        },
        ready: () => this.events.push("writable"),
        acceptsMessages: () => true,
        caughtUp: () => {},
        disconnected: (reason, description) => this.events.push(`disconnected ${reason} ${description}`),
        failed: (error) => {
          this.failures.push(error);
          this.transport.close();
        },
      },
    );
  }

  connect(peer: End): void {
    this.#peer = peer;
  }

  arrive(bytes: Buffer): void {
    this.#arrived.push(bytes);
  }

  /** Gives the machine what has arrived. */
  deliver(delivery: MemoryPairOptions["delivery"]): void {
    for (const bytes of this.#arrived.splice(0)) {
      if (delivery === "byte by byte") {
        for (const byte of bytes) lend(this.transport, Buffer.of(byte));
      } else {
        lend(this.transport, bytes);
      }
    }
  }

  /** Sends data as a channel does. */
  sendData(text: string): void {
    this.transport.send(message(CHANNEL_DATA, text));
  }

  /** The data that came since the last time. */
  takeData(): string[] {
    const data = this.messages.filter(([number]) => number === CHANNEL_DATA);
    this.messages.length = 0;
    return data.map((payload) => payload.toString("latin1", 5));
  }
}

/** The machine against itself: a client and a server, joined in memory. */
export class MemoryPair {
  readonly client: End;
  readonly server: End;
  readonly extensions: ReadonlyMap<string, string>[] = [];
  /** The keys about which the client was asked. */
  readonly offeredKeys: PKey[] = [];
  readonly #delivery: MemoryPairOptions["delivery"];

  constructor(options: MemoryPairOptions = {}) {
    const { hostKeys = [HOST_KEY], acceptHostKey = () => true, rekeyBytes = Number.POSITIVE_INFINITY } = options;
    const client = clientRole({
      acceptHostKey: (key) => {
        this.offeredKeys.push(key);
        return acceptHostKey(key);
      },
      extensionsReceived: (extensions) => this.extensions.push(extensions),
    });
    const server = serverRole(hostKeys);
    this.client = new End(
      { ...client, ...options.clientRole },
      "SSH-2.0-client",
      options.clientAlgorithms ?? {},
      rekeyBytes,
    );
    this.server = new End(
      { ...server, ...options.serverRole },
      "SSH-2.0-server",
      options.serverAlgorithms ?? {},
      rekeyBytes,
    );
    this.client.connect(this.server);
    this.server.connect(this.client);
    this.#delivery = options.delivery ?? "whole";
    this.client.transport.start();
    this.server.transport.start();
  }

  /** Goes as far as the connection protocol. */
  static async running(options: MemoryPairOptions = {}): Promise<MemoryPair> {
    const pair = new MemoryPair(options);
    await pair.logIn();
    return pair;
  }

  /** As far as both have new keys. */
  async exchangeKeys(): Promise<void> {
    await this.until(() => this.ends.every(({ events }) => events.includes("finished")));
  }

  async logIn(): Promise<void> {
    const { client, server } = this;
    client.onKeys = () => client.transport.send(message(SERVICE_REQUEST, "ssh-userauth"));
    client.onMessage = ([number]) => {
      if (number === SERVICE_ACCEPT) {
        client.onKeys = () => {};
        client.transport.enter("authentication");
        client.transport.send(message(USERAUTH_REQUEST, "user"));
      } else if (number === USERAUTH_SUCCESS) {
        client.transport.enter("running");
        client.transport.startDelayedCompression();
      }
    };
    server.onMessage = ([number]) => {
      if (number === SERVICE_REQUEST) {
        server.transport.enter("authentication");
        server.transport.send(message(SERVICE_ACCEPT, "ssh-userauth"));
      } else if (number === USERAUTH_REQUEST) {
        server.transport.send(message(USERAUTH_SUCCESS));
        server.transport.enter("running");
        server.transport.startDelayedCompression();
      }
    };
    await this.until(() => client.messages.some(([number]) => number === USERAUTH_SUCCESS));
    for (const { events, messages } of this.ends) {
      events.length = 0;
      messages.length = 0;
    }
  }

  get ends(): readonly [client: End, server: End] {
    return [this.client, this.server];
  }

  /** Delivers bytes until something has come to pass. */
  async until(happened: () => boolean): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      if (happened()) return;
      const [failure] = this.ends.flatMap(({ failures }) => failures);
      if (failure !== undefined) throw failure;
      await this.turn();
    }
    throw new Error("what was waited for did not come");
  }

  /** Delivers bytes for some turns, so that what is wrong can show. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.turn();
  }

  async turn(): Promise<void> {
    for (const end of this.ends) end.deliver(this.#delivery);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
