/**
 * A jump host: leads each user on to the hosts that a list has for the name, and runs nothing itself. The list,
 * `bastion.json`, is like { "ann": ["db.internal:22", "10.0.0.0/8:22"], "bob": ["*.example.com:443"] }.
 *
 *   npx tsx examples/bastion.ts
 *   ssh -J ann@localhost:2222 root@db.internal
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allowTargets, authorizedKeys, loadOrCreateHostKey, SSHServer, SSHServerManager } from "spindlex";

const folder = process.env.BASTION ?? process.cwd();
const targets = JSON.parse(readFileSync(join(folder, "bastion.json"), "utf8"));
const { key } = await loadOrCreateHostKey(join(folder, "host_key"));
const manager = new SSHServerManager({
  serverInterface: new SSHServer({
    authentication: { publicKey: authorizedKeys({ file: join(folder, "keys", "%u") }, { logger: console }) },
    forwarding: { local: allowTargets({ targets }) },
  }),
  serverKey: key,
  maxSessions: 0,
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
  logger: console,
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
