import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { expect, vi } from "vitest";
import { ChannelOpenError } from "../../src/connection/channel-open-error.js";
import type { ListenContext, ListenProblem } from "../../src/forwarding/forwarded-connections.js";
import { ListenLedger, type ListenOptions, resolveListenOptions } from "../../src/forwarding/listen-options.js";
import { Reader } from "../../src/protocol/reader.js";
import type { AnyChannel } from "../../src/session/connection.js";

/** A channel that the server has asked the client for. */
export interface AskedChannel {
  readonly kind: string;
  readonly fields: Buffer;
  /** @returns the client's end */
  confirm(): Duplex;
  refuse(): void;
}

/** A client that is listened for, and what it is asked. */
export class ListeningClient {
  readonly problems: ListenProblem[] = [];
  readonly context: ListenContext;
  readonly #end = new AbortController();
  readonly #asked: AskedChannel[] = [];
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(options: ListenOptions = {}, ledger = new ListenLedger(resolveListenOptions(options))) {
    this.context = {
      connection: { signal: this.#end.signal, openChannel: (kind, fields) => this.#open(kind, fields) },
      settings: resolveListenOptions(options),
      places: ledger.forClient(),
      ended: () => {},
      report: (problem) => this.problems.push(problem),
    };
  }

  get reasons(): readonly string[] {
    return this.problems.map(({ reason }) => reason);
  }

  /** Channels that the client was asked for and that no test has taken yet. */
  get asked(): readonly AskedChannel[] {
    return this.#asked;
  }

  async nextChannel(): Promise<AskedChannel> {
    await vi.waitFor(() => expect(this.#asked).not.toEqual([]), { interval: 2 });
    return this.#asked.shift() as AskedChannel;
  }

  leave(): void {
    this.#end.abort();
    for (const reject of this.#waiting) reject(new Error("the connection has ended"));
  }

  /** Nothing that was counted for the client is left. */
  async untilNothingIsLeft(): Promise<void> {
    const { listeners, pending, connections } = this.context.places;
    await vi.waitFor(() => expect([listeners, pending, connections].map(({ taken }) => taken)).toEqual([0, 0, 0]), {
      interval: 2,
    });
  }

  #open(kind: string, fields: Uint8Array = Buffer.alloc(0)): Promise<AnyChannel> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#asked.push({
        kind,
        fields: Buffer.from(fields),
        confirm: () => {
          const [ours, theirs] = duplexPair();
          // The library needs of it that it is a stream.
          resolve(ours as AnyChannel);
          return theirs;
        },
        refuse: () => reject(new ChannelOpenError(2, "connect failed")),
      });
    });
  }
}

/** The fields of `forwarded-tcpip` (RFC 4254 §7.2). */
export function readForwardedTcpip(fields: Buffer): readonly [string, number, string, number] {
  const reader = new Reader(fields);
  const read = [reader.readText(), reader.readUint32(), reader.readText(), reader.readUint32()] as const;
  reader.end();
  return read;
}

export type Place = { readonly port: number; readonly host: string } | { readonly path: string };

export async function connected(place: Place): Promise<Socket> {
  const socket = connect({ ...place, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** The code of the system's error, or nothing for a connection that could be made, and is closed. */
export async function connectError(place: Place): Promise<string | undefined> {
  const socket = connect(place);
  try {
    await once(socket, "connect");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

/** All that comes, after which the stream can still be written to. */
export async function received(stream: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  await once(stream, "end");
  return Buffer.concat(pieces);
}

/** How the other end has closed a connection. */
export async function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    socket.on("end", () => resolve("end"));
    socket.resume();
  });
}

/** Where the descriptors lead that this process has open in a folder. */
export async function openIn(folder: string): Promise<readonly string[]> {
  const descriptors = (await readdir("/proc/self/fd")).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ""));
  return (await Promise.all(descriptors)).filter((place) => place.startsWith(folder));
}
