import { readFileSync } from "node:fs";
import ssh2, { type Client } from "ssh2";
import type { Contender } from "../servers/contender.js";
import type { Workspace } from "../workspace.js";

const simultaneousConnects = 8;

/**
 * KiB of the server's memory for one authenticated connection without a channel, where as many are open already: the
 * first ones make V8's young generation grow, once, by more than the connections take. The server must be a fresh one:
 * memory freed by earlier work would be used again and hide what the connections take.
 */
export async function measureIdle(contender: Contender, workspace: Workspace, connections: number): Promise<number> {
  const others = await open(contender, workspace, connections);
  const before = await contender.memoryKiB();
  const clients = await open(contender, workspace, connections);
  const after = await contender.memoryKiB();
  await close([...others, ...clients]);
  return (after - before) / connections;
}

async function open(contender: Contender, workspace: Workspace, count: number): Promise<Client[]> {
  const privateKey = readFileSync(workspace.userKeyFile);
  const clients: Client[] = [];
  const openSome = async () => {
    while (clients.length < count) {
      const client = new ssh2.Client();
      clients.push(client);
      await new Promise<void>((resolve, reject) => {
        client.once("ready", resolve);
        client.on("error", reject);
        client.on("close", () => reject(new Error(`${contender.name} closed an idle connection`)));
        client.connect({ host: "127.0.0.1", port: contender.port, username: workspace.username, privateKey });
      });
    }
  };
  await Promise.all(Array.from({ length: simultaneousConnects }, openSome));
  return clients;
}

async function close(clients: readonly Client[]): Promise<void> {
  const closed = clients.map((client) => new Promise<void>((resolve) => client.once("close", () => resolve())));
  for (const client of clients) client.end();
  await Promise.all(closed);
}
