import { readFileSync } from "node:fs";
import ssh2, { type Client, type ClientChannel } from "ssh2";

/** Where the load goes, and as whom. */
export interface LoadSettings {
  readonly port: number;
  readonly username: string;
  readonly privateKeyFile: string;
  readonly keyExchange: "curve25519-sha256";
  readonly cipher: "aes128-gcm@openssh.com";
}

/** What the load is to do next, with the connections that were opened last; the earlier ones stay as they are. */
export type LoadOrder =
  | { readonly kind: "connect"; readonly connections: number }
  /** Channels on each connection, with a command that waits for a line, puts out bytes, and waits for another. */
  | { readonly kind: "open"; readonly channels: number; readonly command: string }
  /** Sends the line on all channels, and waits until so many bytes have come back on all together. */
  | { readonly kind: "transfer"; readonly bytes: number };

// Many connections with many channels, as a process of its own: it does what the bench orders and reports each end.

const settings: LoadSettings = JSON.parse(process.argv[2] ?? "");
const privateKey = readFileSync(settings.privateKeyFile);
const atOnce = 8;

let clients: Client[] = [];
let channels: ClientChannel[] = [];
let missing = 0;
let allArrived = () => {};

async function inTurn(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work));
}

function connect(): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once("ready", () => resolve(client));
    client.on("error", reject);
    client.on("close", () => fail("a connection was closed"));
    client.connect({
      host: "127.0.0.1",
      port: settings.port,
      username: settings.username,
      privateKey,
      algorithms: { kex: [settings.keyExchange], cipher: [settings.cipher] },
    });
  });
}

function openChannel(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      channel.on("data", (data: Buffer) => {
        missing -= data.length;
        if (missing <= 0) allArrived();
      });
      resolve(channel);
    });
  });
}

async function obey(order: LoadOrder): Promise<void> {
  if (order.kind === "connect") {
    clients = [];
    await inTurn(order.connections, async () => {
      clients.push(await connect());
    });
  } else if (order.kind === "open") {
    channels = [];
    await inTurn(clients.length, async (index) => {
      const client = clients[index];
      if (client === undefined) return;
      const opened = Array.from({ length: order.channels }, () => openChannel(client, order.command));
      channels.push(...(await Promise.all(opened)));
    });
  } else {
    missing = order.bytes;
    const arrived = new Promise<void>((resolve) => {
      allArrived = resolve;
    });
    for (const channel of channels) channel.write("\n");
    await arrived;
    if (missing < 0) throw new Error(`${-missing} bytes too many`);
  }
}

function fail(reason: unknown): never {
  process.stderr.write(`load: ${reason instanceof Error ? reason.message : reason}\n`);
  process.exit(1);
}

process.on("message", (order: LoadOrder) => {
  obey(order).then(() => process.send?.("done"), fail);
});
process.on("disconnect", () => process.exit(0));
