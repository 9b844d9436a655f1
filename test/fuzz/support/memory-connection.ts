import type { Duplex } from "node:stream";
import { noneSealer } from "../../../src/crypto/cipher/none.js";
import { ServerConnection, startServing } from "../../../src/server/server-connection.js";
import { resolveSettings, type ServerSettings } from "../../../src/server/settings.js";
import { duplexPair } from "../../server/duplex-pair.js";
import { sealPacket } from "../../support/packet-framing.js";
import { noneRequest, serviceRequest } from "../../support/packet-messages.js";
import { settle } from "./messages.js";
import { ObligingServer } from "./obliging-server.js";
import { plainAlgorithms, plainHostKey, plainKeyExchangeMessages } from "./plain-algorithms.js";

/** How far a connection has come when the bytes of an input begin. */
export type Stage = "start" | "service" | "authentication" | "running" | "compressed";

const IDENTIFICATION = Buffer.from("SSH-2.0-fuzz\r\n");

/** A whole connection of a server over a pipe in memory, and a client that sends what it is told. */
export class MemoryConnection {
  readonly #near: Duplex;
  readonly #closed: Promise<void>;
  /** What must not happen. */
  readonly defects: unknown[];
  readonly #received: Buffer[] = [];

  private constructor(near: Duplex, closed: Promise<void>, defects: unknown[]) {
    this.#near = near;
    this.#closed = closed;
    this.defects = defects;
    near.on("error", () => {});
    near.on("data", (chunk: Buffer) => this.#received.push(chunk));
  }

  /** @param algorithms those of a real server, or such that protect nothing */
  static start(algorithms: "default" | "plain"): MemoryConnection {
    const defects: unknown[] = [];
    const settings = settingsFor(algorithms, defects);
    const [near, far] = duplexPair();
    const closed = new Promise<void>((resolve) => {
      const observer = {
        loggingIn: () => undefined,
        authenticated: () => {},
        misbehaved: () => {},
        closed: () => resolve(),
      };
      startServing(new ServerConnection(far, { remoteAddress: "127.0.0.1" }, settings, observer));
    });
    return new MemoryConnection(near, closed, defects);
  }

  static async reach(stage: Stage): Promise<MemoryConnection> {
    const connection = MemoryConnection.start("plain");
    if (stage === "start") return connection;
    connection.sendBytes(IDENTIFICATION);
    const messages = plainKeyExchangeMessages(stage === "compressed" ? "zlib@openssh.com" : "none");
    for (const message of messages) connection.send(message);
    // Our NEWKEYS is taken once the host key has signed, which it may do at any time.
    await settle(2);
    if (stage === "service") return connection;
    connection.send(serviceRequest("ssh-userauth"));
    if (stage === "authentication") return connection;
    connection.send(noneRequest("nobody"));
    await settle(2);
    return connection;
  }

  /** All that the server has sent so far. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#near.destroyed) this.#near.write(Buffer.from(bytes));
  }

  /** Sends a message in a packet that nothing protects. */
  send(payload: Uint8Array): void {
    this.sendBytes(sealPacket(noneSealer, 0, payload));
  }

  /** Ends the connection. Resolves when the server has nothing left of it. */
  async end(): Promise<void> {
    this.#near.destroy();
    await this.#closed;
    await settle(1);
  }
}

function settingsFor(algorithms: "default" | "plain", defects: unknown[]): ServerSettings {
  const ignore = () => {};
  const error = (fields: object, message: string) => {
    defects.push(new Error(`logged: ${message}`, { cause: "err" in fields ? fields.err : fields }));
  };
  /** It is not a defect when a client asks for what nothing allows. */
  const warn = (fields: object, message: string) => {
    if (!("remedy" in fields)) error(fields, message);
  };
  const settings = resolveSettings({
    serverInterface: new ObligingServer(defects),
    serverKey: plainHostKey,
    authFailureDelay: 0,
    logger: { debug: ignore, info: ignore, warn, error },
  });
  return algorithms === "plain" ? { ...settings, algorithms: plainAlgorithms } : settings;
}
